import { API_VERSION } from '../../policy/kinds.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import type { GlobalOptions } from '../setup.ts';
import type { Terminal } from '../terminal.ts';

/** What somebody who reports a fault is asked for first. */
export function tellVersion({ json }: GlobalOptions, terminal: Terminal, version: string): ExitCode {
  const node = process.versions.node;
  if (json === true) terminal.out(JSON.stringify({ schemaVersion: 1, version, node, policies: API_VERSION }, null, 2));
  else terminal.out(`revertd ${version}, Node ${node}, policies ${API_VERSION}`);
  return EXIT.done;
}

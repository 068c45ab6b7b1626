import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { formatPolicy } from '../../policy/fmt/format-policy.ts';
import { formatDiagnostics } from '../../policy/format-diagnostic.ts';
import { loadPolicies } from '../../policy/load.ts';
import { CliError, EXIT, type ExitCode } from '../exit-code.ts';
import { askAll, type Given, inputLines } from '../init/ask.ts';
import { asPolicyFiles, startingFiles } from '../init/starting-files.ts';
import type { GlobalOptions } from '../setup.ts';
import { type Terminal, table } from '../terminal.ts';

export type InitOptions = GlobalOptions & Given;

/** Writes a starting policy repository. Nothing is overwritten: if a file is there already, none is written. */
export async function init(folder: string, options: InitOptions, terminal: Terminal): Promise<ExitCode> {
  const answers = await askAll(options, inputLines, terminal);
  const files = startingFiles(answers).map(({ path, text }) => ({ path, text: canonical(path, text) }));
  requireSound(files);
  const there = files.filter(({ path }) => existsSync(join(folder, path))).map(({ path }) => path);
  if (there.length > 0) {
    const message = `${there.join(', ')} ${there.length === 1 ? 'is' : 'are'} there already in ${folder}; nothing was written. Name another folder`;
    throw new CliError(message, EXIT.refused);
  }
  for (const { path, text } of files) write(join(folder, path), text);
  const paths = files.map(({ path }) => join(folder, path));
  if (options.json === true) terminal.out(JSON.stringify({ schemaVersion: 1, folder, files: paths }, null, 2));
  else terminal.out(paths.join('\n'));
  terminal.err(nextSteps(folder));
  return EXIT.done;
}

function canonical(path: string, text: string): string {
  if (!path.endsWith('.yaml')) return text;
  const formatted = formatPolicy({ path, bytes: new TextEncoder().encode(text) });
  if (formatted.ok) return formatted.text;
  throw new CliError(formatDiagnostics({ diagnostics: formatted.diagnostics, omitted: 0 }));
}

/** Answers can be right each for itself and still not make a policy. Then it is better to say so than to write it. */
function requireSound(files: readonly { readonly path: string; readonly text: string }[]): void {
  const result = loadPolicies(asPolicyFiles(files), { revision: 'init', host: undefined, hostLabels: {} });
  if (result.ok) return;
  throw new CliError(`these answers make no valid policies:\n${formatDiagnostics(result)}`, EXIT.usage);
}

function write(path: string, text: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text, { flag: 'wx' });
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new CliError(`${path} cannot be written: ${why}`, undefined, { cause });
  }
}

function nextSteps(folder: string): string {
  const steps = table([
    [`  revertd test ${folder}`, 'what the policies do, in simulated time'],
    [`  revertd plan --policies ${folder}`, 'what they would change on this host, and why'],
    [`  revertd run --dry-run --policies ${folder}`, 'watch, and only say what would be done'],
  ]);
  return `\nNext:\n${steps}\nThen commit the folder, and name its repository in /etc/revertd/revertd.yaml: its README says how.`;
}

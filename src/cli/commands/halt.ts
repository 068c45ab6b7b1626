import { mkdirSync } from 'node:fs';
import { userInfo } from 'node:os';
import { resolve } from 'node:path';
import { removeHalt, writeHalt } from '../../daemon/halt-file.ts';
import { connect } from '../client.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { configOf, type GlobalOptions, socketOf } from '../setup.ts';
import type { Terminal } from '../terminal.ts';

export type HaltOptions = GlobalOptions & { readonly reason?: string; readonly now?: boolean };

/** The emergency stop. It works through the daemon, and without one by the file that the next one will find. */
export async function halt(options: HaltOptions, terminal: Terminal): Promise<ExitCode> {
  const config = configOf(options, terminal, process.env);
  const reason = options.reason ?? 'no reason given';
  const client = await connect(socketOf(config));
  if (client === undefined) {
    mkdirSync(resolve(config.dataDir), { recursive: true, mode: 0o750 });
    writeHalt(resolve(config.dataDir), { since: Date.now(), by: userInfo().username, reason });
  } else {
    await client.post('halt', { reason, now: options.now === true });
  }
  if (options.json === true) terminal.out(JSON.stringify({ schemaVersion: 1, halted: true }));
  const running = client === undefined ? ' No daemon runs now; the next one will start halted.' : '';
  terminal.err(`Halted: no automatic action until \`revertd resume\`.${running} Observing and messages go on.`);
  if (options.now === true && client !== undefined) {
    terminal.err('Steps that were under way are killed; `revertd incidents` shows what has to be looked at.');
  }
  return EXIT.done;
}

export async function resume(options: GlobalOptions, terminal: Terminal): Promise<ExitCode> {
  const config = configOf(options, terminal, process.env);
  const client = await connect(socketOf(config));
  const wasHalted =
    client === undefined
      ? removeHalt(resolve(config.dataDir))
      : (await client.post<{ wasHalted: boolean }>('resume', {})).wasHalted;
  if (options.json === true) terminal.out(JSON.stringify({ schemaVersion: 1, halted: false, wasHalted }));
  terminal.err(wasHalted ? 'Resumed: automatic action is allowed again.' : 'Nothing was halted.');
  return EXIT.done;
}

import { resolve } from 'node:path';
import { formatBytes } from '../../core/report/period-rows.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { daemonOf } from '../host-access.ts';
import { configOf, type GlobalOptions } from '../setup.ts';
import type { Terminal } from '../terminal.ts';

/** The daemon writes the file, as the user that it runs as. */
export async function pointsExport(
  id: string,
  file: string,
  options: GlobalOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const client = await daemonOf(configOf(options, terminal, process.env));
  const path = resolve(file);
  const answer = await client.post<{ bytes: number }>(`points/${encodeURIComponent(id)}/export`, { path });
  if (options.json === true) terminal.out(JSON.stringify({ ...answer, path }, null, 2));
  else
    terminal.err(
      `${id} is in ${path}, ${formatBytes(answer.bytes)}; \`revertd points import ${path}\` brings it back.`,
    );
  return EXIT.done;
}

export async function pointsImport(file: string, options: GlobalOptions, terminal: Terminal): Promise<ExitCode> {
  const client = await daemonOf(configOf(options, terminal, process.env));
  const answer = await client.post<{ point: string }>('points/import', { path: resolve(file) });
  if (options.json === true) terminal.out(JSON.stringify(answer, null, 2));
  else {
    terminal.out(answer.point);
    terminal.err(`It is read again, and pinned; \`revertd points unpin ${answer.point}\` lets it live by its policy.`);
  }
  return EXIT.done;
}

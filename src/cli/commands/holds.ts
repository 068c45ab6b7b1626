import { shortRevision } from '../../core/model/revision.ts';
import type { HoldStatus } from '../../server/status.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { daemonOf, read } from '../host-access.ts';
import { configOf, type GlobalOptions } from '../setup.ts';
import { paint, type Terminal } from '../terminal.ts';

/** Why effective differs from desired, everywhere, and how each ends. */
export async function holdsList(options: GlobalOptions, terminal: Terminal, version: string): Promise<ExitCode> {
  const answer = await read<{ holds: HoldStatus[] }>(configOf(options, terminal, process.env), 'holds', version);
  if (options.json === true) terminal.out(JSON.stringify(answer, null, 2));
  else if (answer.holds.length === 0) terminal.err('Nothing is held: everything is as git says.');
  else for (const hold of answer.holds) terminal.out(holdText(hold, terminal));
  return EXIT.done;
}

function holdText(hold: HoldStatus, terminal: Terminal): string {
  return [
    paint(terminal, 'bold', hold.id),
    `  holds   ${hold.object} at ${JSON.stringify(hold.value)}, since ${new Date(hold.since).toISOString()}`,
    `  because ${hold.cause}`,
    `  lifts   ${hold.kind === 'latch' ? 'when ' : ''}${hold.lifts}`,
  ].join('\n');
}

export type LiftOptions = GlobalOptions & { readonly reason?: string };

export async function holdsLift(id: string, options: LiftOptions, terminal: Terminal): Promise<ExitCode> {
  const client = await daemonOf(configOf(options, terminal, process.env));
  const answer = await client.post('holds/lift', {
    id,
    ...(options.reason === undefined ? {} : { reason: options.reason }),
  });
  if (options.json === true) terminal.out(JSON.stringify(answer, null, 2));
  else terminal.err(`${id} is lifted.`);
  return EXIT.done;
}

/** Lets git's value in where revertd found another one at first sight. */
export async function adopt(object: string | undefined, options: GlobalOptions, terminal: Terminal): Promise<ExitCode> {
  const client = await daemonOf(configOf(options, terminal, process.env));
  const answer = await client.post<{ adopted: number }>('adopt', object === undefined ? {} : { object });
  if (options.json === true) terminal.out(JSON.stringify(answer, null, 2));
  else if (answer.adopted === 0) terminal.err('Nothing waits for adoption.');
  else terminal.err(`${answer.adopted} place(s) now follow git.`);
  return EXIT.done;
}

export async function acceptRevision(revision: string, options: GlobalOptions, terminal: Terminal): Promise<ExitCode> {
  const client = await daemonOf(configOf(options, terminal, process.env));
  const answer = await client.post('source/accept', { revision });
  if (options.json === true) terminal.out(JSON.stringify(answer, null, 2));
  else terminal.err(`${shortRevision(revision)} may be followed although history was rewritten or the folder emptied.`);
  return EXIT.done;
}

import { formatInstant, parseDuration } from '../../core/units.ts';
import type { FlagStatus } from '../../server/status.ts';
import { CliError, EXIT, type ExitCode } from '../exit-code.ts';
import { daemonOf, read } from '../host-access.ts';
import { configOf, type GlobalOptions } from '../setup.ts';
import { paint, type Terminal, table } from '../terminal.ts';

type FlagDetail = FlagStatus & { readonly history: readonly HistoryEntry[] };
type HistoryEntry = { readonly at: number; readonly actor: string; readonly text: string | null };

export async function flagsList(options: GlobalOptions, terminal: Terminal, version: string): Promise<ExitCode> {
  const config = configOf(options, terminal, process.env);
  const { flags, ...rest } = await read<{ flags: FlagStatus[] }>(config, 'flags', version);
  if (options.json === true) terminal.out(JSON.stringify({ ...rest, flags }, null, 2));
  else if (flags.length === 0) terminal.err('The policies in force have no flags.');
  else {
    const rows = flags.map((flag) => [flag.flag, flag.effective, flag.git, flag.because ?? '', placesText(flag)]);
    terminal.out(table([['FLAG', 'EFFECTIVE', 'GIT', 'BECAUSE', 'PLACES'], ...rows], head(terminal)));
  }
  return EXIT.done;
}

async function readFlag(
  name: string,
  options: GlobalOptions,
  terminal: Terminal,
  version: string,
): Promise<FlagDetail> {
  return await read(configOf(options, terminal, process.env), `flags/${encodeURIComponent(name)}`, version);
}

export async function flagsGet(
  name: string,
  options: GlobalOptions,
  terminal: Terminal,
  version: string,
): Promise<ExitCode> {
  const flag = await readFlag(name, options, terminal, version);
  if (options.json === true) {
    terminal.out(JSON.stringify(flag, null, 2));
    return EXIT.done;
  }
  terminal.out(paint(terminal, 'bold', flag.flag));
  terminal.out(flagText(flag, terminal).join('\n'));
  return EXIT.done;
}

/** Git's value, what holds it, and every place. */
export function flagText(flag: FlagStatus, terminal: Terminal): string[] {
  return [
    `  effective  ${paint(terminal, flag.because === null ? 'green' : 'yellow', flag.effective)}`,
    `  git says   ${flag.git}  (${flag.origin})`,
    ...(flag.because === null ? [] : [`  because    ${flag.because}`]),
    ...flag.places.map((place) => {
      const observed = place.observed === undefined ? '' : `, shows ${JSON.stringify(place.observed)}`;
      return `  place      ${place.place}: wants ${JSON.stringify(place.desired)}${observed} (${place.state})`;
    }),
  ];
}

export async function flagsHistory(
  name: string,
  options: GlobalOptions,
  terminal: Terminal,
  version: string,
): Promise<ExitCode> {
  const flag = await readFlag(name, options, terminal, version);
  if (options.json === true) terminal.out(JSON.stringify({ schemaVersion: 1, history: flag.history }, null, 2));
  else terminal.out(table(flag.history.map(({ at, actor, text }) => [formatInstant(at), actor, text ?? ''])));
  return EXIT.done;
}

export type SetOptions = GlobalOptions & { readonly ttl?: string; readonly reason?: string; readonly force?: boolean };

/** Makes an override: a person's choice over git's, for a time. */
export async function flagsSet(
  name: string,
  variant: string,
  options: SetOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  if (options.reason === undefined)
    throw new CliError('an override needs a --reason, which everybody will see', EXIT.usage);
  const ttlMs = options.ttl === undefined ? null : parseDuration(options.ttl);
  if (ttlMs === undefined) throw new CliError(`--ttl ${options.ttl} is no duration; write 30m, 2h or 7d`, EXIT.usage);
  const client = await daemonOf(configOf(options, terminal, process.env));
  const body = { variant, reason: options.reason, ttlMs, force: options.force === true };
  const answer = await client.post(`flags/${encodeURIComponent(name)}/override`, body);
  if (options.json === true) terminal.out(JSON.stringify(answer, null, 2));
  else
    terminal.err(
      `${name} is held at ${variant}${options.ttl === undefined ? '' : ` for ${options.ttl}`}; undo it with \`revertd holds lift override:${name}\``,
    );
  return EXIT.done;
}

function placesText(flag: FlagStatus): string {
  return flag.places.map((place) => place.state).join(', ') || 'none';
}

function head(terminal: Terminal): (cell: string, column: number, row: number) => string {
  return (cell, _column, row) => (row === 0 ? paint(terminal, 'dim', cell) : cell);
}

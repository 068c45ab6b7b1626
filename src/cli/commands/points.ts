import { setTimeout as delay } from 'node:timers/promises';
import { describeRecovered } from '../../core/model/point.ts';
import type { PruneRun } from '../../core/points/prune-points.ts';
import { formatBytes } from '../../core/report/period-rows.ts';
import { formatInstant, parseDuration } from '../../core/units.ts';
import type { PointDetail, PointStatus } from '../../server/point-status.ts';
import type { Client } from '../client.ts';
import { CliError, EXIT, type ExitCode } from '../exit-code.ts';
import { daemonOf, read } from '../host-access.ts';
import { ProgressLine } from '../progress-line.ts';
import { configOf, type GlobalOptions } from '../setup.ts';
import { paint, type Terminal, table } from '../terminal.ts';

const POLL_MS = 250;

export async function pointsList(options: GlobalOptions, terminal: Terminal, version: string): Promise<ExitCode> {
  const answer = await read<{ points: PointStatus[] }>(configOf(options, terminal, process.env), 'points', version);
  if (options.json === true) terminal.out(JSON.stringify(answer, null, 2));
  else if (answer.points.length === 0) terminal.err('There is no rollback point yet.');
  else {
    const rows = answer.points.map((one) => [
      one.point,
      one.recovered ? `${one.state}, recovered` : one.state,
      one.targets.join(', '),
      formatBytes(one.bytes),
      one.pinned === null ? one.reasons.join('; ') : `pinned by ${one.pinned.by}`,
    ]);
    terminal.out(
      table([['POINT', 'STATE', 'TARGETS', 'SIZE', 'WHY'], ...rows], (cell, column, row) =>
        row === 0 ? paint(terminal, 'dim', cell) : column === 1 ? paintState(terminal, cell) : cell,
      ),
    );
  }
  return EXIT.done;
}

function paintState(terminal: Terminal, cell: string): string {
  const state = cell.trim();
  if (state === 'valid') return paint(terminal, 'green', cell);
  if (state.endsWith(', recovered')) return paint(terminal, 'yellow', cell);
  return state === 'failed' || state === 'invalid' ? paint(terminal, 'red', cell) : cell;
}

export async function pointsShow(
  id: string,
  options: GlobalOptions,
  terminal: Terminal,
  version: string,
): Promise<ExitCode> {
  const path = `points/${encodeURIComponent(id)}`;
  const point = await read<PointDetail>(configOf(options, terminal, process.env), path, version);
  terminal.out(options.json === true ? JSON.stringify(point, null, 2) : detailText(point, terminal));
  return EXIT.done;
}

function detailText(point: PointDetail, terminal: Terminal): string {
  const instant = (at: number | null): string => (at === null ? 'never' : formatInstant(at));
  const fields: [string, string | null][] = [
    ['state', point.failure === null ? point.state : `${point.state}: ${point.failure}`],
    ['name', point.name],
    ['about', point.description],
    ['session', point.session],
    ['policy', point.policy],
    ['taken', `${instant(point.createdAt)} ${point.cause}`],
    ['complete', instant(point.completedAt)],
    ['verified', instant(point.verifiedAt)],
    ['size', `${formatBytes(point.bytes)}, ${formatBytes(point.storedBytes)} new in the store`],
    [point.kept ? 'kept' : 'goes', point.reasons.join('; ') || null],
    ['expires', point.expiresAt === null ? null : instant(point.expiresAt)],
    ['deleted', point.deleteAt === null ? null : `at ${instant(point.deleteAt)}, brought back until then`],
    ['pinned', point.pinned === null ? null : `by ${point.pinned.by}`],
  ];
  const lines = fields.flatMap(([label, text]) => (text === null ? [] : [`  ${label.padEnd(9)} ${text}`]));
  const metadata = Object.entries(point.metadata).map(([key, value]) => `  ${key}=${value}`);
  const snapshots = point.snapshots.map((one) => [
    `  ${one.target}`,
    one.type,
    formatBytes(one.bytes),
    `${formatInstant(one.from)} to ${formatInstant(one.to)}`,
    one.fingerprint.slice(0, 12),
  ]);
  const recovered = point.snapshots.flatMap(({ target, recovered: found }) =>
    found === undefined ? [] : [`  ${target} is ${describeRecovered(found)}`],
  );
  const events = point.events.flatMap(({ at, text }) => (text === null ? [] : [`  ${formatInstant(at)}  ${text}`]));
  return [
    paint(terminal, 'bold', point.point),
    ...lines,
    ...metadata,
    ...(snapshots.length === 0 ? [] : ['', table(snapshots)]),
    ...recovered,
    ...(events.length === 0 ? [] : ['', ...events]),
  ].join('\n');
}

export type TakeOptions = GlobalOptions & {
  readonly target?: readonly string[];
  readonly name?: string;
  readonly description?: string;
  readonly session?: string;
  readonly metadata?: readonly string[];
  readonly ttl?: string;
  readonly recover?: boolean;
  readonly wait?: boolean;
};

/** Takes a point now. An interruption gives it up, and nothing of it stays. */
export async function pointsTake(
  policy: string | undefined,
  options: TakeOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const client = await daemonOf(configOf(options, terminal, process.env));
  const { point } = await client.post<{ point: string }>('points', takeBody(policy, options));
  if (options.wait === false) {
    terminal.out(options.json === true ? JSON.stringify({ schemaVersion: 1, point }) : point);
    return EXIT.done;
  }
  const found = await followed(client, point, terminal);
  if (found === undefined) return EXIT.interrupted;
  if (options.json === true) terminal.out(JSON.stringify(found, null, 2));
  else if (found.state === 'valid') {
    terminal.out(found.point);
    terminal.err(`${formatBytes(found.bytes)}, ${formatBytes(found.storedBytes)} new in the store.`);
  } else terminal.err(`${found.point} is ${found.state}: ${found.failure ?? ''}`);
  return found.state === 'valid' ? EXIT.done : EXIT.error;
}

function takeBody(policy: string | undefined, options: TakeOptions): object {
  const { target, name, description, session, metadata = [], ttl, recover } = options;
  const ttlMs = ttl === undefined ? undefined : parseDuration(ttl);
  if (ttl !== undefined && ttlMs === undefined)
    throw new CliError(`--ttl takes a duration such as 7d, not ${ttl}`, EXIT.usage);
  const pairs = metadata.map((text) => {
    const at = text.indexOf('=');
    if (at <= 0) throw new CliError(`--metadata takes KEY=VALUE, not ${text}`, EXIT.usage);
    return [text.slice(0, at), text.slice(at + 1)] as const;
  });
  return {
    ...(policy === undefined ? {} : { policy }),
    ...(target === undefined ? {} : { targets: target }),
    ...(name === undefined ? {} : { name }),
    ...(description === undefined ? {} : { description }),
    ...(session === undefined ? {} : { session }),
    ...(pairs.length === 0 ? {} : { metadata: Object.fromEntries(pairs) }),
    ...(ttlMs === undefined ? {} : { ttlMs }),
    ...(recover === true ? { recover } : {}),
  };
}

/** The point once nothing happens to it any more; undefined if it was interrupted, and given up. */
async function followed(client: Client, id: string, terminal: Terminal): Promise<PointDetail | undefined> {
  const line = new ProgressLine(terminal);
  const stop = new AbortController();
  const interrupt = (): void => stop.abort();
  process.once('SIGINT', interrupt);
  try {
    for (;;) {
      const point = await client.get<PointDetail>(`points/${encodeURIComponent(id)}`);
      if (!['creating', 'capturing', 'stored', 'validating'].includes(point.state)) return point;
      line.show(point.state, point.progress);
      if (stop.signal.aborted) return await givenUp(client, point, terminal);
      await delay(POLL_MS, undefined, { signal: stop.signal }).catch(() => undefined);
    }
  } finally {
    line.clear();
    process.off('SIGINT', interrupt);
  }
}

/** What is stored already stays: there is nothing half about it. */
async function givenUp(
  client: Client,
  { point, state }: PointDetail,
  terminal: Terminal,
): Promise<PointDetail | undefined> {
  if (state === 'creating' || state === 'capturing') {
    await client.post(`points/${encodeURIComponent(point)}/cancel`, {});
    terminal.err(`${point} is given up; what was captured of it is deleted.`);
  } else terminal.err(`${point} is stored; it is read again by the daemon.`);
  return undefined;
}

export type ReasonOptions = GlobalOptions & { readonly reason?: string };

export async function pointsPin(id: string, options: ReasonOptions, terminal: Terminal): Promise<ExitCode> {
  const body = options.reason === undefined ? {} : { reason: options.reason };
  return await command(
    `points/${encodeURIComponent(id)}/pin`,
    body,
    `${id} is kept until it is unpinned.`,
    options,
    terminal,
  );
}

export async function pointsUnpin(id: string, options: GlobalOptions, terminal: Terminal): Promise<ExitCode> {
  const said = `${id} lives by its policy again.`;
  return await command(`points/${encodeURIComponent(id)}/unpin`, {}, said, options, terminal);
}

export async function pointsUndelete(id: string, options: GlobalOptions, terminal: Terminal): Promise<ExitCode> {
  const said = `${id} is back, and pinned; \`revertd points unpin ${id}\` lets it live by its policy again.`;
  return await command(`points/${encodeURIComponent(id)}/undelete`, {}, said, options, terminal);
}

export async function pointsCancel(id: string, options: GlobalOptions, terminal: Terminal): Promise<ExitCode> {
  const said = `${id} is given up; what was captured of it is deleted.`;
  return await command(`points/${encodeURIComponent(id)}/cancel`, {}, said, options, terminal);
}

export type VerifyOptions = GlobalOptions & { readonly restoreTest?: boolean };

export async function pointsVerify(
  id: string | undefined,
  options: VerifyOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const client = await daemonOf(configOf(options, terminal, process.env));
  const body = { restoreTest: options.restoreTest === true };
  if (id === undefined) {
    const answer = await client.post<{ points: number }>('points/verify', body);
    if (options.json === true) terminal.out(JSON.stringify(answer, null, 2));
    else terminal.err(`${answer.points} point(s) are read again; \`revertd points list\` shows what is found.`);
    return EXIT.done;
  }
  await client.post(`points/${encodeURIComponent(id)}/verify`, body);
  const found = await verified(client, id, terminal);
  if (options.json === true) terminal.out(JSON.stringify(found, null, 2));
  else if (found.state === 'valid') terminal.err(`${id} is as it was stored.`);
  else terminal.err(`${id} is ${found.state}: ${found.failure ?? ''}`);
  return found.state === 'valid' ? EXIT.done : EXIT.error;
}

async function verified(client: Client, id: string, terminal: Terminal): Promise<PointDetail> {
  const line = new ProgressLine(terminal);
  try {
    for (;;) {
      const point = await client.get<PointDetail>(`points/${encodeURIComponent(id)}`);
      if (!point.verifying) return point;
      line.show('reading', point.progress);
      await delay(POLL_MS);
    }
  } finally {
    line.clear();
  }
}

export type PruneOptions = GlobalOptions & {
  readonly policy?: string;
  readonly dryRun?: boolean;
  readonly confirm?: boolean;
  readonly olderThan?: string;
  readonly now?: boolean;
};

export async function pointsPrune(
  id: string | undefined,
  options: PruneOptions,
  terminal: Terminal,
  version: string,
): Promise<ExitCode> {
  if (options.dryRun === true) return await prunePreview(options, terminal, version);
  if (id !== undefined) {
    const said = `${id} is pruned; \`revertd points undelete ${id}\` brings it back for a while.`;
    return await command(`points/${encodeURIComponent(id)}/prune`, {}, said, options, terminal);
  }
  const client = await daemonOf(configOf(options, terminal, process.env));
  const body = {
    confirm: options.confirm === true,
    immediately: options.now === true,
    ...(options.policy === undefined ? {} : { policy: options.policy }),
    ...olderThan(options),
  };
  const answer = await client.post<{ pruned: string[] }>('points/prune', body);
  if (options.json === true) terminal.out(JSON.stringify(answer, null, 2));
  else if (answer.pruned.length === 0) terminal.err('Every point is kept.');
  else {
    for (const point of answer.pruned) terminal.out(point);
    const back =
      options.now === true
        ? 'their content is deleted now'
        : '`revertd points undelete POINT` brings one back for a while';
    terminal.err(`${answer.pruned.length} point(s) pruned; ${back}.`);
  }
  return EXIT.done;
}

function olderThan({ olderThan: text }: PruneOptions): { readonly olderThanMs?: number } {
  if (text === undefined) return {};
  const olderThanMs = parseDuration(text);
  if (olderThanMs !== undefined && olderThanMs > 0) return { olderThanMs };
  throw new CliError(`--older-than takes a duration such as 7d, not ${text}`, EXIT.usage);
}

async function prunePreview(options: PruneOptions, terminal: Terminal, version: string): Promise<ExitCode> {
  const query = new URLSearchParams({
    ...(options.policy === undefined ? {} : { policy: options.policy }),
    ...Object.fromEntries(Object.entries(olderThan(options)).map(([key, value]) => [key, String(value)])),
  });
  const found = await read<{ runs: PruneRun[]; kept: { point: string; reasons: string[] }[] }>(
    configOf(options, terminal, process.env),
    `points/prune?${query.toString()}`,
    version,
  );
  if (options.json === true) terminal.out(JSON.stringify(found, null, 2));
  else terminal.out(previewText(found, terminal));
  return EXIT.done;
}

function previewText(
  {
    runs,
    kept,
  }: { readonly runs: readonly PruneRun[]; readonly kept: readonly { point: string; reasons: string[] }[] },
  terminal: Terminal,
): string {
  const going = runs.flatMap(({ points }) => points.map(({ id, reason }) => ['-', id, reason]));
  const staying = kept.map(({ point, reasons }) => ['.', point, reasons.join('; ')]);
  const rows = [...going, ...staying].sort((a, b) => ((a[1] ?? '') < (b[1] ?? '') ? 1 : -1));
  const held = runs
    .filter(({ isTooMuch }) => isTooMuch)
    .map(
      ({ policy, valid, of, maxFraction }) =>
        `PointPolicy ${policy}: ${valid.length} of ${of} is more than ${maxFraction} at once, so none goes without --confirm.`,
    );
  const lines = table(rows, (cell, column) =>
    column === 0 && cell.trim() === '-' ? paint(terminal, 'red', cell) : cell,
  );
  return [
    ...(rows.length === 0 ? ['There is no rollback point yet.'] : [lines]),
    ...held,
    `Prune: ${going.length} to prune, ${staying.length} kept.`,
  ].join('\n');
}

async function command(
  path: string,
  body: object,
  said: string,
  options: GlobalOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const client = await daemonOf(configOf(options, terminal, process.env));
  const answer = await client.post(path, body);
  if (options.json === true) terminal.out(JSON.stringify(answer, null, 2));
  else terminal.err(said);
  return EXIT.done;
}

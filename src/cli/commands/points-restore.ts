import { setTimeout as delay } from 'node:timers/promises';
import { formatInstant, type Millis, parseDuration } from '../../core/units.ts';
import type { PointDiff } from '../../daemon/diff-points.ts';
import type { PointStatus, RestoreStatus } from '../../server/point-status.ts';
import type { Client } from '../client.ts';
import { CliError, EXIT, type ExitCode } from '../exit-code.ts';
import { daemonOf, read } from '../host-access.ts';
import { ProgressLine } from '../progress-line.ts';
import { configOf, type GlobalOptions } from '../setup.ts';
import type { Terminal } from '../terminal.ts';
import { targetsText } from './points-diff.ts';
import { readDecisions, writeDecisions } from './points-resolve.ts';
import { restoreChanges } from './restore-changes.ts';

const POLL_MS = 250;

export type RestoreOptions = GlobalOptions & {
  readonly target?: string;
  /** The newest intact point of the target that was complete by then. */
  readonly at?: string;
  readonly path?: readonly string[];
  readonly table?: readonly string[];
  readonly key?: readonly string[];
  readonly reason?: string;
  readonly dryRun?: boolean;
  /** `replace`, or `merge`. */
  readonly mode?: string;
  /** What a merge does about conflicts. */
  readonly conflicts?: string;
  /** The newest point from before things went wrong. */
  readonly ancestor?: string;
  /** Where conflicts are written to that a person is to decide. */
  readonly decisions?: string;
};

/** Puts targets back from a point. An interruption ends only the watching. */
export async function pointsRestore(
  named: string | undefined,
  options: RestoreOptions,
  terminal: Terminal,
  version: string,
): Promise<ExitCode> {
  if (options.key !== undefined && options.table?.length !== 1) {
    throw new CliError('keys are of one table; name it: --table NAME', EXIT.usage);
  }
  refuseHalfMerge(options);
  if (options.dryRun !== true && options.reason === undefined) throw new CliError('say why: --reason TEXT', EXIT.usage);
  const id = await pointMeant(named, options, terminal, version);
  if (options.dryRun === true) return await preview(id, options, terminal, version);
  const client = await daemonOf(configOf(options, terminal, process.env));
  const body = {
    reason: options.reason,
    ...(options.target === undefined ? {} : { target: options.target }),
    ...(options.path === undefined ? {} : { paths: options.path }),
    ...(options.table === undefined ? {} : { tables: options.table }),
    ...(options.key === undefined ? {} : { keys: options.key }),
    ...(options.mode === 'merge' ? { merge: { ancestor: options.ancestor, conflicts: options.conflicts } } : {}),
  };
  const found = await restored(client, id, body, options, terminal);
  if (options.decisions !== undefined) writeDecisions(options.decisions, found, options.ancestor ?? '');
  return exitOf(found);
}

/** Puts back what was asked of people, as they decided. Refused by the daemon where it is not what it was any more. */
export async function pointsResolve(
  restore: string,
  path: string,
  options: GlobalOptions & { readonly reason?: string },
  terminal: Terminal,
): Promise<ExitCode> {
  const { point, ancestor, target, decisions } = readDecisions(path, restore);
  const client = await daemonOf(configOf(options, terminal, process.env));
  const reason = options.reason ?? `what was decided of ${restore}`;
  const body = { reason, target, merge: { ancestor, conflicts: 'manual', decisions } };
  return exitOf(await restored(client, point, body, options, terminal));
}

function refuseHalfMerge({ mode = 'replace', conflicts, ancestor, decisions }: RestoreOptions): void {
  if (mode !== 'replace' && mode !== 'merge') {
    throw new CliError(`--mode is replace or merge; not ${mode}`, EXIT.usage);
  }
  if (mode === 'replace' && [conflicts, ancestor, decisions].some((one) => one !== undefined)) {
    throw new CliError('--conflicts, --ancestor and --decisions are of --mode merge', EXIT.usage);
  }
  if (mode === 'merge' && ancestor === undefined) {
    throw new CliError('a merge needs to know how it was before things went wrong: --ancestor POINT', EXIT.usage);
  }
}

async function restored(
  client: Client,
  point: string,
  body: object,
  options: GlobalOptions,
  terminal: Terminal,
): Promise<RestoreStatus> {
  const { restore } = await client.post<{ restore: string }>(`points/${encodeURIComponent(point)}/restore`, body);
  const found = await ended(client, restore, terminal);
  if (options.json === true) terminal.out(JSON.stringify(found, null, 2));
  else {
    terminal.err(`${restore} ${found.state}: ${found.detail}`);
    if (found.state === 'done') terminal.err(`\`revertd points restore ${found.safety}\` undoes it.`);
    for (const { items } of Object.values(found.merges ?? {})) {
      for (const item of items) terminal.out(`${item.class.padEnd(10)} ${item.item}`);
    }
  }
  return found;
}

/** Conflicts that were left, or that hindered it, are neither a success nor a fault. */
function exitOf({ state, merges = {} }: RestoreStatus): ExitCode {
  if (Object.values(merges).some(({ end }) => end !== 'completed')) return EXIT.partial;
  return state === 'done' ? EXIT.done : EXIT.error;
}

async function ended(client: Client, id: string, terminal: Terminal): Promise<RestoreStatus> {
  const line = new ProgressLine(terminal);
  try {
    for (;;) {
      const found = await client.get<RestoreStatus>(`restores/${encodeURIComponent(id)}`);
      if (found.state !== 'running') return found;
      line.show(`restoring ${found.targets.map((name) => shownTarget(name, found)).join(', ')}`, null);
      await delay(POLL_MS);
    }
  } finally {
    line.clear();
  }
}

function shownTarget(name: string, { phases = {} }: RestoreStatus): string {
  const phase = phases[name];
  return phase === undefined ? name : `${name} (${phase})`;
}

/** What it would do to what is live; nothing is changed. */
async function preview(id: string, options: RestoreOptions, terminal: Terminal, version: string): Promise<ExitCode> {
  const query = new URLSearchParams(options.target === undefined ? {} : { target: options.target });
  for (const table of options.table ?? []) query.append('table', table);
  for (const key of options.key ?? []) query.append('key', key);
  const path = `points/${encodeURIComponent(id)}/diff${query.size === 0 ? '' : `?${query.toString()}`}`;
  const found = await read<PointDiff>(configOf(options, terminal, process.env), path, version);
  const changes = restoreChanges(found, options.path ?? []);
  if (options.json === true) terminal.out(JSON.stringify(changes, null, 2));
  else {
    terminal.err(`A restore from ${id} would change this live; what it overwrites is kept first:`);
    terminal.out(targetsText(changes, terminal));
  }
  return changes.targets.some(({ fault }) => fault !== undefined) ? EXIT.partial : EXIT.done;
}

/** The point that is named, or else the newest intact one of the target that was complete by then. */
async function pointMeant(id: string | undefined, options: RestoreOptions, terminal: Terminal, version: string) {
  const { at, target } = options;
  if ((id === undefined) === (at === undefined)) throw new CliError('name a point, or a time with --at', EXIT.usage);
  if (id !== undefined) return id;
  if (target === undefined) throw new CliError('--at needs a target: --target NAME', EXIT.usage);
  const query = new URLSearchParams({ target, at: String(instantOf(at ?? '')) });
  const config = configOf(options, terminal, process.env);
  const found = await read<PointStatus>(config, `points/at?${query.toString()}`, version);
  terminal.err(`${found.point}, complete at ${formatInstant(found.completedAt ?? found.createdAt)}`);
  return found.point;
}

/** @throws CliError for what is no time, or one that could be meant in two ways */
function instantOf(text: string): Millis {
  const ago = parseDuration(text);
  if (ago !== undefined) return Date.now() - ago;
  const at = Date.parse(text);
  if (Number.isNaN(at) || !/\d{4}-\d\d-\d\dT.*(?:Z|[+-]\d\d:?\d\d)$/.test(text)) {
    const form = 'a time with its zone, such as 2026-11-21T02:00:00Z, or how long ago: 90m';
    throw new CliError(`--at takes ${form}; not ${text}`, EXIT.usage);
  }
  return at;
}

import { setTimeout as delay } from 'node:timers/promises';
import type { PointDiff } from '../../daemon/diff-points.ts';
import type { RestoreStatus } from '../../server/point-status.ts';
import type { Client } from '../client.ts';
import { CliError, EXIT, type ExitCode } from '../exit-code.ts';
import { daemonOf, read } from '../host-access.ts';
import { ProgressLine } from '../progress-line.ts';
import { configOf, type GlobalOptions } from '../setup.ts';
import type { Terminal } from '../terminal.ts';
import { diffText } from './points-diff.ts';

const POLL_MS = 250;

export type RestoreOptions = GlobalOptions & {
  readonly target?: string;
  readonly path?: readonly string[];
  readonly table?: readonly string[];
  readonly key?: readonly string[];
  readonly reason?: string;
  readonly dryRun?: boolean;
};

/** Puts targets back from a point. An interruption ends only the watching. */
export async function pointsRestore(
  id: string,
  options: RestoreOptions,
  terminal: Terminal,
  version: string,
): Promise<ExitCode> {
  if (options.key !== undefined && options.table?.length !== 1) {
    throw new CliError('keys are of one table; name it: --table NAME', EXIT.usage);
  }
  if (options.dryRun === true) return await preview(id, options, terminal, version);
  if (options.reason === undefined) throw new CliError('say why: --reason TEXT', EXIT.usage);
  const client = await daemonOf(configOf(options, terminal, process.env));
  const body = {
    reason: options.reason,
    ...(options.target === undefined ? {} : { target: options.target }),
    ...(options.path === undefined ? {} : { paths: options.path }),
    ...(options.table === undefined ? {} : { tables: options.table }),
    ...(options.key === undefined ? {} : { keys: options.key }),
  };
  const { restore } = await client.post<{ restore: string }>(`points/${encodeURIComponent(id)}/restore`, body);
  const found = await ended(client, restore, terminal);
  if (options.json === true) terminal.out(JSON.stringify(found, null, 2));
  else {
    terminal.err(`${restore} ${found.state}: ${found.detail}`);
    if (found.state === 'done') terminal.err(`\`revertd points restore ${found.safety}\` undoes it.`);
  }
  return found.state === 'done' ? EXIT.done : EXIT.error;
}

async function ended(client: Client, id: string, terminal: Terminal): Promise<RestoreStatus> {
  const line = new ProgressLine(terminal);
  try {
    for (;;) {
      const found = await client.get<RestoreStatus>(`restores/${encodeURIComponent(id)}`);
      if (found.state !== 'running') return found;
      line.show(`restoring ${found.targets.join(', ')}`, null);
      await delay(POLL_MS);
    }
  } finally {
    line.clear();
  }
}

/** What is different live is what would be undone. */
async function preview(id: string, options: RestoreOptions, terminal: Terminal, version: string): Promise<ExitCode> {
  const query = new URLSearchParams(options.target === undefined ? {} : { target: options.target });
  for (const table of options.table ?? []) query.append('table', table);
  for (const key of options.key ?? []) query.append('key', key);
  const path = `points/${encodeURIComponent(id)}/diff${query.size === 0 ? '' : `?${query.toString()}`}`;
  const found = await read<PointDiff>(configOf(options, terminal, process.env), path, version);
  const shown = options.path === undefined ? found : onlyPaths(found, options.path);
  if (options.json === true) terminal.out(JSON.stringify(shown, null, 2));
  else {
    terminal.err('Live differs from the point by this, which a restore would undo:');
    terminal.out(diffText(shown, terminal));
  }
  return shown.targets.some(({ fault }) => fault !== undefined) ? EXIT.partial : EXIT.done;
}

function onlyPaths(diff: PointDiff, paths: readonly string[]): PointDiff {
  const isMeant = (what: string): boolean =>
    paths.some((path) => what === path || what.startsWith(`${path.replace(/\/$/, '')}/`));
  const targets = diff.targets.map((one) => {
    if (one.diff === undefined) return one;
    const groups = one.diff.groups.map((group) => {
      const items = group.items.filter(({ what }) => isMeant(what));
      const count = (kind: string): number => items.filter((item) => item.kind === kind).length;
      return { ...group, items, added: count('added'), removed: count('removed'), changed: count('changed') };
    });
    return { ...one, diff: { groups } };
  });
  return { ...diff, targets };
}

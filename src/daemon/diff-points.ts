import type { Memory } from '../core/memory.ts';
import type { Desired } from '../core/model/desired.ts';
import { isCaptured, type Point, snapshotOf } from '../core/model/point.ts';
import { databaseOf, type RowSelection } from '../core/model/target.ts';
import { CommandError } from '../core/operator-commands.ts';
import { flagState } from '../core/points/flag-state.ts';
import { pointCalled } from '../core/points/point-called.ts';
import type { Millis } from '../core/units.ts';
import { faultText, type TargetDiff } from '../drivers/targets/captured-target.ts';
import type { TargetDrivers } from '../drivers/targets/registry.ts';
import type { ContentStore } from '../store/content/content-store.ts';

const DEADLINE_MS: Millis = 600_000;

/** `with`: the id of another point, or `live`. Without a target all that the point holds are compared. */
export type DiffRequest = {
  readonly point: string;
  readonly with: string;
  readonly target?: string;
  /** Of databases, and then of nothing else: only these rows. */
  readonly rows?: RowSelection;
};

export type PointDiff = {
  readonly point: string;
  readonly with: string;
  readonly targets: readonly TargetDifference[];
};

/** `fault`: why it could not be compared. */
export type TargetDifference = { readonly target: string } & (
  | { readonly diff: TargetDiff; readonly fault?: never }
  | { readonly fault: string; readonly diff?: never }
);

export type DiffMeans = {
  readonly desired: Desired | null;
  readonly memory: Memory;
  readonly targets: TargetDrivers;
  readonly content: () => Promise<ContentStore>;
};

/** What is different in the other one. @throws CommandError */
export async function diffPoint(request: DiffRequest, means: DiffMeans): Promise<PointDiff> {
  const point = readable(means.memory, request.point);
  const other = request.with === 'live' ? 'live' : readable(means.memory, request.with);
  const names = request.target === undefined ? point.targets : [request.target];
  const targets: TargetDifference[] = [];
  for (const target of names)
    targets.push({ target, ...(await differenceOf(target, point, other, means, request.rows)) });
  return { point: point.id, with: request.with, targets };
}

function readable(memory: Memory, id: string): Point {
  const point = pointCalled(memory, id);
  if (isCaptured(point) || point.state === 'pruned') return point;
  throw new CommandError('refused', `${id} is ${point.state}: there is nothing to compare`);
}

async function differenceOf(
  name: string,
  point: Point,
  other: Point | 'live',
  { desired, memory, targets, content }: DiffMeans,
  rows: RowSelection | undefined,
): Promise<{ readonly diff: TargetDiff } | { readonly fault: string }> {
  const from = snapshotOf(point, name);
  const to = other === 'live' ? other : snapshotOf(other, name);
  const target = desired?.targets[name];
  if (from === undefined) return { fault: `${point.id} holds nothing of ${name}` };
  if (to === undefined) return { fault: 'the other point holds nothing of it' };
  if (target === undefined) return { fault: `git no longer has target ${name}` };
  if (rows !== undefined && databaseOf(target.type) === undefined) return { fault: `${name} has no tables` };
  const { points } = targets[target.type.kind];
  try {
    const signal = AbortSignal.timeout(DEADLINE_MS);
    const means = { signal, store: await content(), progress: () => undefined };
    const context = {
      ...means,
      ...(rows === undefined ? {} : { rows }),
      ...(target.type.kind === 'flags' && desired !== null ? { flags: flagState(desired, memory, target.type) } : {}),
    };
    return { diff: await points.diff(target, from, to, context) };
  } catch (error) {
    return { fault: faultText(error) };
  }
}

import { isUnderWay, isValid, type Point, type PointId, type PointState, snapshotOf } from '../core/model/point.ts';
import { isCodeTarget, type Target } from '../core/model/target.ts';
import { judgedPoints } from '../core/points/judged-points.ts';
import { pointsInOrder } from '../core/points/points-by-state.ts';
import { newestValidPoints, storedBytesOf } from '../core/points/verdicts.ts';
import type { Millis } from '../core/units.ts';
import type { HostView } from './host-view.ts';
import { type PointStatus, shownState } from './point-status.ts';

/** How rollback points stand, for who looks at the whole host. */
export type PointsSummary = {
  /** How many there are in each state; a state without any is left out. */
  readonly states: Readonly<Partial<Record<PointState, number>>>;
  /** Plain content of all that can be restored or brought back. */
  readonly bytes: number;
  /** What they added to the store, as stored. */
  readonly storedBytes: number;
  /** What the store takes on the disk; null while that was not measured. */
  readonly storeBytes: number | null;
  readonly targets: readonly TargetPoint[];
  readonly underWay: readonly PointUnderWay[];
  readonly restores: readonly RestoreUnderWay[];
  /** Content that no point needs is to be deleted. */
  readonly collecting: boolean;
};

/** What a captured target could go back to. */
export type TargetPoint = {
  readonly target: string;
  /** Its newest valid point; null: it has none. */
  readonly point: PointId | null;
  /** When its capture of this target ended. */
  readonly at: Millis | null;
  readonly ageMs: Millis | null;
};

export type PointUnderWay = Pick<PointStatus, 'point' | 'policy' | 'targets' | 'progress'> & {
  readonly doing: 'waits to be captured' | 'is captured' | 'waits to be read again' | 'is read again';
  readonly since: Millis;
};

export type RestoreUnderWay = {
  readonly restore: string;
  readonly point: PointId;
  readonly targets: readonly string[];
  readonly done: number;
  readonly since: Millis;
};

export function pointsSummary(view: HostView): PointsSummary {
  const memory = view.memory();
  const points = pointsInOrder(memory);
  const { verdicts } = judgedPoints(view.desired() ?? {}, memory, view.now());
  const byState = Map.groupBy(points, (point) => shownState(point, verdicts.get(point.id)));
  return {
    states: Object.fromEntries([...byState].map(([state, found]) => [state, found.length])),
    bytes: points.reduce((sum, { snapshots }) => sum + snapshots.reduce((own, { bytes }) => own + bytes, 0), 0),
    storedBytes: points.reduce((sum, point) => sum + storedBytesOf(point), 0),
    storeBytes: view.storeBytes(),
    targets: targetPoints(view),
    underWay: points.flatMap((point) => underWay(view, point)),
    restores: Object.values(memory.restores).map(({ id, point, targets, outcomes, startedAt }) => ({
      restore: id,
      point,
      targets,
      done: Object.keys(outcomes).length,
      since: startedAt,
    })),
    collecting: memory.collection !== null,
  };
}

/** Of every captured target in git, in the order of their names. */
export function targetPoints(view: HostView): TargetPoint[] {
  const now = view.now();
  const newest = newestValidPoints(pointsInOrder(view.memory()), now);
  return Object.values(view.desired()?.targets ?? {})
    .filter((target) => !isCodeTarget(target) || isInPolicy(view, target))
    .map(({ name }) => {
      const point = newest.get(name);
      const at = point === undefined ? null : (snapshotOf(point, name)?.to ?? point.createdAt);
      return { target: name, point: point?.id ?? null, at, ageMs: at === null ? null : Math.max(0, now - at) };
    })
    .sort((a, b) => (a.target < b.target ? -1 : 1));
}

function underWay(view: HostView, point: Point): PointUnderWay[] {
  if (!isUnderWay(point) && !(isValid(point) && point.verify !== null)) return [];
  const { id, policy, targets, createdAt, completedAt, state } = point;
  const doing = doingOf(state);
  const isCapture = state === 'creating' || state === 'capturing';
  const progress = view.pointProgress(id) ?? null;
  return [{ point: id, policy, targets, progress, doing, since: isCapture ? createdAt : (completedAt ?? createdAt) }];
}

function doingOf(state: PointState): PointUnderWay['doing'] {
  if (state === 'creating') return 'waits to be captured';
  if (state === 'capturing') return 'is captured';
  return state === 'validating' ? 'is read again' : 'waits to be read again';
}

/** A checkout has its revisions; points of it matter where a policy takes them. */
function isInPolicy(view: HostView, { name }: Target): boolean {
  return Object.values(view.desired()?.pointPolicies ?? {}).some(({ targets }) => targets.includes(name));
}

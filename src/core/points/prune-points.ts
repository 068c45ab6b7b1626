import type { Desired } from '../model/desired.ts';
import { isRecovered, isValid, type Point, type PointId } from '../model/point.ts';
import type { Turn } from '../turn.ts';
import { formatDuration, type Millis } from '../units.ts';
import { judgedPoints } from './judged-points.ts';
import type { PrunedPoint } from './point-event.ts';
import { pointsIn } from './points-by-state.ts';
import { protectionsOf } from './protections.ts';

/** For how long a pruned point of no policy can be brought back. */
export const DEFAULT_GRACE_MS: Millis = 86_400_000;

/** What a run over the points of one policy, or of none, would prune. */
export type PruneRun = {
  readonly policy: string | null;
  readonly points: readonly PrunedPoint[];
  /** Those of them that are intact, and of how many. */
  readonly valid: readonly PointId[];
  readonly of: number;
  readonly maxFraction: number;
  /** More than the policy allows at once. */
  readonly isTooMuch: boolean;
};

/** What else is to go, although rules keep it. */
export type PruneWish = {
  /** Points that are at least so old go, unless they are protected. */
  readonly olderThanMs?: Millis;
  /** Their content is deleted at once: nothing of it can be brought back. */
  readonly immediately?: boolean;
};

/** The runs that verdicts of `at` ask for, by policy. Points that failed are no loss, and count for no fraction. */
export function pruneRuns(
  { desired, memory, now }: Pick<Turn, 'desired' | 'memory' | 'now'>,
  at = now,
  { olderThanMs = Infinity, immediately = false }: PruneWish = {},
): PruneRun[] {
  const judged = judgedPoints(desired, memory, at);
  const aged = [...judged.verdicts].flatMap(([id, verdict]) => {
    const isOld = now - (memory.points[id]?.createdAt ?? now) >= olderThanMs;
    if (!isOld || verdict.kind === 'prune' || verdict.guarded) return [];
    return [[id, `a person prunes what is older than ${formatDuration(olderThanMs)}`] as const];
  });
  const doomed = [...judged.doomed, ...aged].flatMap(([id, reason]) => {
    const point = memory.points[id];
    return point === undefined ? [] : [{ point, reason }];
  });
  if (doomed.length === 0) return [];
  const live = Map.groupBy(Object.values(memory.points).filter(isValid), ({ policy }) => policy);
  return [...Map.groupBy(doomed, ({ point }) => point.policy)].map(([policy, found]) => {
    const graceMs = immediately ? 0 : graceOf(desired, policy);
    const valid = found.filter(({ point }) => isValid(point)).map(({ point }) => point.id);
    const of = live.get(policy)?.length ?? 0;
    const maxFraction = policy === null ? 1 : (desired.pointPolicies?.[policy]?.prune.maxFraction ?? 1);
    return {
      policy,
      points: found.map(({ point, reason }) => ({ id: point.id, reason, deleteAt: now + graceMs })),
      valid,
      of,
      maxFraction,
      isTooMuch: valid.length > maxFraction * of,
    };
  });
}

export function graceOf({ pointPolicies }: Pick<Desired, 'pointPolicies'>, policy: string | null): Millis {
  return (policy === null ? undefined : pointPolicies?.[policy]?.prune.graceMs) ?? DEFAULT_GRACE_MS;
}

/** Prunes what no verdict keeps; a run that is too much is refused whole, and said once for the same points. */
export function prunePoints(turn: Turn): void {
  if (turn.desired.points?.prunesItself === false) return;
  const runs = pruneRuns(turn, sweepAt(turn));
  for (const run of runs) {
    if (run.isTooMuch && run.policy !== null) refuse(turn, run, run.policy);
    else turn.emit({ type: 'points.pruned', points: run.points });
  }
  for (const policy of Object.keys(turn.memory.pruneRefusals)) {
    const isStill = runs.some((run) => run.policy === policy && run.isTooMuch);
    if (!isStill) turn.emit({ type: 'points.pruneSettled', policy });
  }
}

/** Whose time ended since is pruned with the next sweep. An earlier instant never prunes more. */
function sweepAt({ desired, now }: Pick<Turn, 'desired' | 'now'>): Millis {
  const everyMs = desired.points?.pruneEveryMs ?? 0;
  return everyMs === 0 ? now : Math.floor(now / everyMs) * everyMs;
}

function nextSweep(until: Millis, { desired }: Pick<Turn, 'desired'>): Millis {
  const everyMs = desired.points?.pruneEveryMs ?? 0;
  return everyMs === 0 ? until : Math.ceil(until / everyMs) * everyMs;
}

/** While it waits for a person more may expire; that is the same refusal. */
function refuse(turn: Turn, { valid, of, maxFraction }: PruneRun, policy: string): void {
  if (Object.hasOwn(turn.memory.pruneRefusals, policy)) return;
  turn.emit({ type: 'points.pruneRefused', policy, points: valid, of, maxFraction });
}

/**
 * What was pruned so long ago that it is not brought back any more. Where all newer points of a target have been found
 * damaged meanwhile, the last one that was intact stays, as does what an incident names.
 */
export function deletePoints(turn: Turn): void {
  const due = pointsIn(turn.memory, 'pruned').filter(({ pruned }) => pruned !== null && turn.now >= pruned.deleteAt);
  if (due.length === 0) return;
  const covered = new Set(
    Object.values(turn.memory.points).flatMap((point) =>
      isValid(point) && !isRecovered(point) ? point.snapshots.map(({ target }) => target) : [],
    ),
  );
  const protections = protectionsOf(turn.memory);
  const isLast = ({ pruned, snapshots }: Point): boolean =>
    pruned?.was === 'valid' && snapshots.some(({ target }) => !covered.has(target));
  const points = due
    .filter((point) => !protections.has(point.id) && !isLast(point))
    .map(({ id }) => id)
    .sort();
  if (points.length > 0) turn.emit({ type: 'points.deleted', points });
}

/** When time alone changes what is kept. */
export function pruneInstants(turn: Pick<Turn, 'desired' | 'memory' | 'now'>): Millis[] {
  const { desired, memory } = turn;
  const { until } = judgedPoints(desired, memory, sweepAt(turn));
  const isNone = until === null || desired.points?.prunesItself === false;
  const deletions = pointsIn(memory, 'pruned').flatMap(({ pruned }: Point) =>
    pruned === null ? [] : [pruned.deleteAt],
  );
  return [...(isNone ? [] : [nextSweep(until, turn)]), ...deletions];
}

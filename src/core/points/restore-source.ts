import type { Memory } from '../memory.ts';
import type { Incident, IncidentId } from '../model/incident.ts';
import { isCaptured, isValid, type Point, type Snapshot, snapshotOf, wholeSnapshotOf } from '../model/point.ts';
import type { RollbackPolicy } from '../model/policy.ts';
import { type RestorePoint, revisionOfPrint } from '../model/target.ts';
import { quarantineOf } from '../targets/code-revisions.ts';
import { formatDuration, formatInstant, type Millis } from '../units.ts';
import { newestFirst } from './verdicts.ts';

/** A captured target bakes so long where it does not say: design of `lastGood`. */
const BAKE_MS: Millis = 3_600_000;

type PointsAndHolds = Pick<Memory, 'points' | 'holds'>;

export type RestoreSource =
  | { readonly kind: 'point'; readonly point: Point }
  | { readonly kind: 'none'; readonly reason: string };

/** When things went wrong, as far as it decides how far back a restore goes. */
type Onset = {
  /** Null: nothing went wrong yet. */
  readonly incident: IncidentId | null;
  readonly openedAt: Millis;
  readonly firstBreachAt: Millis;
  readonly policy: RollbackPolicy;
};

type SoughtRestore<To extends RestorePoint> = { readonly target: string; readonly to: To };

/** The point that a restore of a captured target goes back to, for an incident; why there is none. */
export function restoreSource(
  memory: PointsAndHolds,
  incident: Incident,
  { target, to }: SoughtRestore<RestorePoint>,
): RestoreSource {
  if (to.kind === 'safetyPoint') return safetySource(memory, incident, target);
  const { id, openedAt, policy } = incident;
  return sourceSince(memory, { incident: id, openedAt, firstBreachAt: firstBreach(incident), policy }, { target, to });
}

/** The same for an incident of the policy that opened at `now`, all having been well until then. */
export function restoreSourceAt(
  memory: PointsAndHolds,
  { policy, now }: { readonly policy: RollbackPolicy; readonly now: Millis },
  sought: SoughtRestore<Exclude<RestorePoint, { readonly kind: 'safetyPoint' }>>,
): RestoreSource {
  return sourceSince(memory, { incident: null, openedAt: now, firstBreachAt: now, policy }, sought);
}

function sourceSince(
  memory: PointsAndHolds,
  onset: Onset,
  { target, to }: SoughtRestore<Exclude<RestorePoint, { readonly kind: 'safetyPoint' }>>,
): RestoreSource {
  switch (to.kind) {
    case 'revision':
      return none(`${target} has points, and no revision ${to.revision}`);
    case 'point':
      return named(memory, target, to.point);
    case 'latestValid':
      return newest(memory, target, onset, ({ createdAt }) => createdAt < onset.openedAt, {
        reason: onset.incident === null ? 'yet' : 'from before the incident',
      });
    case 'at':
      return newest(memory, target, onset, completedBy(to.at), { reason: `by ${formatInstant(to.at)}` });
    case 'before': {
      const reason = `${formatDuration(to.byMs)} before the first breach`;
      return newest(memory, target, onset, completedBy(onset.firstBreachAt - to.byMs), { reason });
    }
    case 'lastGood': {
      const spanMs = longestFor(onset) + BAKE_MS;
      const reason = `${formatDuration(spanMs)} before the first breach`;
      return newest(memory, target, onset, completedBy(onset.firstBreachAt - spanMs), { reason });
    }
  }
}

/** The newest intact point of a target that was complete by a time, whatever took it. */
export function newestComplete(memory: PointsAndHolds, target: string, at: Millis): RestoreSource {
  const reason = `by ${formatInstant(at)}`;
  return newest(memory, target, { incident: null }, completedBy(at), { reason });
}

/** What people are told of a point before they agree to go back to it. */
export function describeSource(point: Point, target: string, now: Millis): string {
  const snapshot = snapshotOf(point, target);
  const age = snapshot === undefined ? '' : `, captured ${formatDuration(Math.max(0, now - point.createdAt))} ago`;
  return `${point.id}${age}`;
}

/** When it began to be breached; a person begins a ladder at once. */
function firstBreach({ openedBy, openedAt }: Incident): Millis {
  return Math.min(openedAt, ...openedBy.map(({ breachedSince }) => breachedSince));
}

/** For so long a trigger may have been on its way without showing it. */
function longestFor({ policy }: Pick<Onset, 'policy'>): Millis {
  return Math.max(0, ...policy.triggers.map(({ forMs }) => forMs));
}

function completedBy(at: Millis): (point: Point) => boolean {
  return ({ completedAt }) => completedAt !== null && completedAt <= at;
}

/**
 * Of an incident's own points none is meant: they show what is to be left. Nor is what was only recovered of a damaged
 * database: that is gone back to by its id, or as the safety point that it is.
 */
function newest(
  { points, holds }: PointsAndHolds,
  target: string,
  { incident }: Pick<Onset, 'incident'>,
  isMeant: (point: Point) => boolean,
  { reason }: { readonly reason: string },
): RestoreSource {
  const [point] = Object.values(points)
    .filter((one) => isValid(one) && wholeSnapshotOf(one, target) !== undefined && isMeant(one))
    .filter(({ cause }) => cause.kind !== 'rollback' || cause.incident !== incident)
    .filter((one) => !isQuarantined(holds, snapshotOf(one, target)))
    .sort(newestFirst);
  return point === undefined ? none(`there is no valid point of ${target} ${reason}`) : { kind: 'point', point };
}

/** Code that a rollback left is no way back, whatever else the point holds. */
function isQuarantined(holds: Memory['holds'], snapshot: Snapshot | undefined): boolean {
  if (snapshot === undefined || snapshot.type !== 'git') return false;
  return quarantineOf(holds, snapshot.target, revisionOfPrint(snapshot.fingerprint).tree) !== undefined;
}

function named({ points }: Pick<Memory, 'points'>, target: string, id: string): RestoreSource {
  const point = points[id];
  if (point === undefined) return none(`there is no point ${id}`);
  if (point.state === 'pruned') {
    return none(`point ${id} is pruned; \`revertd points undelete ${id}\` brings it back`);
  }
  if (!isCaptured(point)) return none(`point ${id} is ${point.state}`);
  if (snapshotOf(point, target) === undefined) return none(`point ${id} holds nothing of ${target}`);
  return { kind: 'point', point };
}

/** What a restore of the incident kept; else what the rung's own steps took first, before they changed anything. */
function safetySource({ points }: Pick<Memory, 'points'>, incident: Incident, target: string): RestoreSource {
  const captured = Object.values(points).filter(isCaptured).sort(newestFirst);
  const point =
    captured.find((one) => isSafetyOf(one, incident, target)) ??
    captured.findLast((one) => isTakenByStep(one, incident, target));
  return point === undefined ? none(`nothing of ${target} was kept before it was touched`) : { kind: 'point', point };
}

/** Whether a `createPoint` step took it, in the rung that is being walked. */
function isTakenByStep({ cause, targets }: Point, { id, phase, policy }: Incident, target: string): boolean {
  if (cause.kind !== 'rollback' || cause.incident !== id || !targets.includes(target)) return false;
  return phase.kind === 'executing' && cause.rung === policy.ladder[phase.rung]?.name;
}

/** Whether it keeps what a restore of the target in this incident overwrites. */
export function isSafetyOf({ cause, targets }: Point, { id }: Pick<Incident, 'id'>, target: string): boolean {
  return cause.kind === 'rollback' && cause.safety === true && cause.incident === id && targets.includes(target);
}

function none(reason: string): RestoreSource {
  return { kind: 'none', reason };
}

import type { Memory } from '../../../src/core/memory.ts';
import { type Incident, isOpen } from '../../../src/core/model/incident.ts';
import type { CopyState, Point } from '../../../src/core/model/point.ts';
import { takeKey } from '../../../src/core/model/point-policy.ts';
import { pointsInOrder } from '../../../src/core/points/points-by-state.ts';
import { captureRetry } from '../../../src/core/points/retry-captures.ts';
import type { Millis } from '../../../src/core/units.ts';
import type { PointWitness, SeenPoint } from '../model/point-witness.ts';
import { desiredAt } from '../model/world-facts.ts';
import { age, elapsed, left, nameOf, pointName, type Scope } from './scope.ts';

/** The first wait after a capture that a schedule asked for and that failed; each further one is twice as long. */
const FIRST_RETRY_MS: Millis = 300_000;

/**
 * The newest first, which is the order in which everything about them is decided. For how long one that failed is shown is
 * left out, and so is a time to live of days: no path is that long.
 */
export function pointsForm(scope: Scope, points: Memory['points']): string {
  return pointsInOrder({ points })
    .map((point) => `[${pointForm(scope, point)}]`)
    .join('');
}

function pointForm(scope: Scope, point: Point): string {
  const { policy, targets, state, pinned, failure, cancelledBy, verifiedAt, snapshots } = point;
  const flags = [
    pinned === null ? '' : 'p',
    cancelledBy === undefined ? '' : 'x',
    verifiedAt === null ? '' : 'v',
    state === 'capturing' && failure !== null ? 's' : '',
  ].join('');
  const kind = `${state}${policy}${causeForm(scope, point)}${targets.join()}${snapshots.length}${flags}`;
  return `${kind}${bornForm(scope, point)}${endForm(scope, point)}${verifyForm(scope, point)}${copiesForm(scope, point)}`;
}

function causeForm(scope: Scope, { cause }: Point): string {
  if (cause.kind !== 'rollback') return cause.kind;
  return `${nameOf(scope, cause.incident)}/${cause.rung}${cause.safety === true ? 's' : ''}`;
}

/** When it was begun, as far as anything still asks for that. */
function bornForm(scope: Scope, point: Point): string {
  const { now, state } = scope;
  const { createdAt, cause } = point;
  // An incident that opens at the same instant does not find it from before.
  const form = createdAt === now ? 'n' : createdAt > now ? `+${createdAt - now}` : '';
  const before = Object.values(state.memory.incidents)
    .filter(isOpen)
    .map((incident) => `${createdAt < incident.openedAt ? 'b' : ''}${failedForm(scope, point, incident)}`);
  const tried = cause.kind === 'schedule' ? tryForm(scope, point) : '';
  return `${form}${before.join()}${tried}`;
}

/** A failure from before the step's turn, or of what was begun before this life, is no answer to it. */
function failedForm({ state }: Scope, point: Point, { phase }: Incident): string {
  const mayFail = point.state === 'failed' || point.state === 'creating' || point.state === 'capturing';
  if (!mayFail || point.cause.kind !== 'rollback') return '';
  const isOld = phase.kind === 'executing' && point.createdAt < phase.since;
  return `${isOld ? 'o' : ''}${point.createdAt <= (state.memory.startedAt ?? Number.NEGATIVE_INFINITY) ? 'l' : ''}`;
}

/** A try for the instant that the schedule was served for last; if it fails, the next one waits as of its beginning. */
function tryForm(scope: Scope, { state, policy, createdAt }: Point): string {
  const { schedules, points } = scope.state.memory;
  const servedAt = policy === null ? undefined : schedules[takeKey(policy)]?.at;
  if (servedAt === undefined || createdAt < servedAt) return '';
  if (state !== 'creating' && state !== 'capturing') return 't';
  const failed = pointsInOrder({ points }).filter(
    (one) => one.policy === policy && one.state === 'failed' && one.createdAt >= servedAt,
  );
  return `t${age(scope, createdAt, FIRST_RETRY_MS * 2 ** failed.length)}`;
}

/** When its time to live is over, or its content is deleted. Nobody brings a pruned one back. */
function endForm(scope: Scope, { state, completedAt, ttlMs, pruned }: Point): string {
  if (pruned !== null) return `-${pruned.was}${left(scope, pruned.deleteAt)}`;
  if (completedAt === null || state === 'failed') return '';
  const own = ttlMs === null || ttlMs > NEVER_MS ? 0 : ttlMs;
  return `@${age(scope, completedAt, Math.max(own, longestTtl(scope)))}`;
}

/** Further than any path goes. */
const NEVER_MS: Millis = 86_400_000;

function longestTtl({ world }: Scope): Millis {
  const policies = world.revisions.flatMap((_, index) => Object.values(desiredAt(world, index).pointPolicies ?? {}));
  return Math.max(0, ...policies.map(({ ttlMs }) => (ttlMs === null || ttlMs > NEVER_MS ? 0 : ttlMs)));
}

function verifyForm(scope: Scope, { verify }: Point): string {
  return verify === null ? '' : `y${verify.rehearse ? 'r' : ''}${verify.attempts},${left(scope, verify.retryAt)}`;
}

function copiesForm(scope: Scope, { copies = {} }: Point): string {
  return Object.keys(copies)
    .sort()
    .map((name) => `>${name}${copyForm(scope, copies[name])}`)
    .join('');
}

function copyForm(scope: Scope, copy: CopyState | undefined): string {
  return copy?.kind === 'failing' ? `${copy.attempts},${left(scope, copy.retryAt)}` : '!';
}

/** Whether each is due, and when a capture that failed is tried again. */
export function schedulesForm(scope: Scope, schedules: Memory['schedules']): string {
  const { world, state, now } = scope;
  const { pointPolicies = {} } = desiredAt(world, state.host.revision);
  const retries = Object.values(pointPolicies).map((policy) => {
    const retry = captureRetry(state.memory, policy, now);
    return retry === null ? '' : `r${retry.number},${left(scope, retry.at)}`;
  });
  return `${Object.keys(schedules)
    .sort()
    .map(
      (key) =>
        `${key}${schedules[key]?.expression}${(state.host.due[key] ?? 0) > (schedules[key]?.at ?? 0) ? '!' : ''}`,
    )
    .join()}${retries.join()}`;
}

/** By their order: what happened to each target, and what it rests on. */
export function restoresForm(scope: Scope, restores: Memory['restores']): string {
  return Object.values(restores)
    .map(({ point, safety, targets, outcomes }) => {
      const ended = Object.entries(outcomes).map(([target, { outcome }]) => `${target}${outcome}`);
      return `[${pointName(scope, point)}${pointName(scope, safety)}${targets.join()}${ended.join()}]`;
    })
    .join('');
}

/** A refusal stands until its run is not too much any more, whatever was refused. */
export function refusalsForm(_: Scope, refusals: Memory['pruneRefusals']): string {
  return Object.keys(refusals).sort().join();
}

export function collectionForm(scope: Scope, collection: Memory['collection']): string {
  return collection === null ? '' : `c${collection.attempts},${left(scope, collection.retryAt)}`;
}

export function stockForm(scope: Scope, { points, work, destinations, restores, tries }: PointWitness): string {
  const known = Object.keys(points);
  if (known.length === 0) return '';
  const others = known.filter((id) => !scope.points.includes(id)).length;
  const seen = scope.points.map((id) => seenForm(scope, points[id])).join('');
  const spoilt = Object.values(work).map(({ hasBegun, isSpoilt }) => `${hasBegun ? 'b' : ''}${isSpoilt ? 's' : ''}`);
  const goals = Object.entries(destinations).map(([id, point]) => `${nameOf(scope, id)}>${pointName(scope, point)}`);
  const byHand = Object.values(restores).map((one) => `${pointName(scope, one.point)}${pointName(scope, one.safety)}`);
  const tried = Object.entries(tries).map(([policy, { count, lastMs, dueAt }]) => {
    const isLast = dueAt === scope.state.host.due[takeKey(policy)];
    return `${count},${elapsed(scope, lastMs, FIRST_RETRY_MS * 2 ** (count - 1))}${isLast ? '=' : ''}`;
  });
  return [others, seen, spoilt.join(), goals.join(), byHand.join(), tried.join()].join(';');
}

/** When it was begun orders it, as in memory. When it was pruned matters until it may be deleted. */
function seenForm(scope: Scope, seen: SeenPoint | undefined): string {
  if (seen === undefined) return '[?]';
  const { isCaptured, content, isPinned, prunedMs } = seen;
  const pruned = prunedMs === null ? '' : `-${elapsed(scope, prunedMs, longestGrace(scope))}`;
  return `[${isCaptured ? 'c' : ''}${content[0]}${isPinned ? 'p' : ''}${pruned}]`;
}

function longestGrace({ world }: Scope): Millis {
  const policies = world.revisions.flatMap((_, index) => Object.values(desiredAt(world, index).pointPolicies ?? {}));
  return Math.max(0, ...policies.map(({ prune }) => prune.graceMs));
}

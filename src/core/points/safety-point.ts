import type { ExecutingPhase, Incident } from '../model/incident.ts';
import { isCaptured, type Point } from '../model/point.ts';
import type { Rung } from '../model/policy.ts';
import type { RestoreStep } from '../model/step.ts';
import { isRevision, type Target } from '../model/target.ts';
import type { Turn } from '../turn.ts';
import { beginPoint } from './begin-point.ts';
import { policiesOf } from './capturable.ts';
import { isSafetyOf } from './restore-source.ts';
import { newestFirst } from './verdicts.ts';

export type Safety =
  | { readonly kind: 'there' | 'waiting' | 'begun' }
  | { readonly kind: 'failed'; readonly reason: string };

/**
 * Sees to it that what a restore overwrites is kept first. One point keeps all that the rung restores, in the state before
 * its first restore; what is only put back to that needs none. What the end of a daemon interrupted is captured again.
 */
export function safetyFor(turn: Turn, incident: Incident, phase: ExecutingPhase, step: RestoreStep): Safety {
  const target = turn.desired.targets[step.target];
  const rung = incident.policy.ladder[phase.rung];
  if (target === undefined || rung === undefined || !isKeptFirst(target, step, rung)) return { kind: 'there' };
  const [point] = Object.values(turn.memory.points)
    .filter(
      (one) => isSafetyOf(one, incident, step.target) && causedBy(one, rung.name) && !isFromBefore(turn, one, phase),
    )
    .sort(newestFirst);
  if (point === undefined) {
    beginSafetyPoint(turn, incident, rung, step.target);
    return { kind: 'begun' };
  }
  if (isCaptured(point)) return { kind: 'there' };
  if (point.state === 'creating' || point.state === 'capturing') return { kind: 'waiting' };
  // The point that failed stays and says so.
  if (step.safety === 'attempt') return { kind: 'there' };
  const reason = `what it overwrites could not be kept first (${point.id}): ${point.failure ?? `it is ${point.state}`}`;
  return { kind: 'failed', reason };
}

/**
 * What is only put back to its safety point needs none. A checkout that goes to a revision overwrites nothing that git has
 * not; it is kept only if the rung may want to go back there by its safety point.
 */
function isKeptFirst({ type }: Target, { target, to }: RestoreStep, { onFailure }: Rung): boolean {
  if (to.kind === 'safetyPoint') return false;
  if (type.kind !== 'git' || !isRevision(to)) return true;
  return onFailure.some((step) => step.kind === 'restore' && step.target === target && step.to.kind === 'safetyPoint');
}

function causedBy({ cause }: Point, rung: string): boolean {
  return cause.kind === 'rollback' && cause.rung === rung;
}

/** A failure from before the step's turn, or one that the end of a daemon brought about, is no answer to it. */
function isFromBefore({ memory }: Turn, { state, createdAt }: Point, { since }: ExecutingPhase): boolean {
  return state === 'failed' && (createdAt < since || createdAt <= (memory.startedAt ?? Number.NEGATIVE_INFINITY));
}

/** It lives by the PointPolicy that wants points before rollbacks of the target, if there is one. */
function beginSafetyPoint(turn: Turn, incident: Incident, rung: Rung, restored: string): void {
  const others = rung.do.flatMap((step) => {
    const target = step.kind === 'restore' ? turn.desired.targets[step.target] : undefined;
    if (step.kind !== 'restore' || target === undefined || target.suspend) return [];
    return isKeptFirst(target, step, rung) ? [step.target] : [];
  });
  const targets = [...new Set([restored, ...others])];
  const policy = policiesOf(turn).find(
    ({ take, targets: covered }) => take.before.includes('rollback') && covered.includes(restored),
  );
  beginPoint(turn, {
    label: policy?.name ?? restored,
    policy: policy?.name ?? null,
    targets,
    cause: { kind: 'rollback', incident: incident.id, rung: rung.name, safety: true },
    recover: true,
    ...(policy === undefined ? { ttlMs: UNRULED_TTL_MS } : {}),
  });
}

/** How long a point lives that no policy speaks for. */
const UNRULED_TTL_MS = 30 * 86_400_000;

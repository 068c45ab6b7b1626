import type { ExecutingPhase, Incident } from '../model/incident.ts';
import { isCaptured, type Point } from '../model/point.ts';
import type { RestoreStep } from '../model/step.ts';
import { isCapturedTarget } from '../model/target.ts';
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
  if (target === undefined || !isCapturedTarget(target) || step.to.kind === 'safetyPoint') return { kind: 'there' };
  const rung = incident.policy.ladder[phase.rung];
  if (rung === undefined) return { kind: 'there' };
  const [point] = Object.values(turn.memory.points)
    .filter(
      (one) => isSafetyOf(one, incident, step.target) && causedBy(one, rung.name) && !isFromBefore(turn, one, phase),
    )
    .sort(newestFirst);
  if (point === undefined) {
    beginSafetyPoint(turn, incident, rung.name, step.target);
    return { kind: 'begun' };
  }
  if (isCaptured(point)) return { kind: 'there' };
  if (point.state === 'creating' || point.state === 'capturing') return { kind: 'waiting' };
  // The point that failed stays and says so.
  if (step.safety === 'attempt') return { kind: 'there' };
  const reason = `what it overwrites could not be kept first (${point.id}): ${point.failure ?? `it is ${point.state}`}`;
  return { kind: 'failed', reason };
}

function causedBy({ cause }: Point, rung: string): boolean {
  return cause.kind === 'rollback' && cause.rung === rung;
}

/** A failure from before the step's turn, or one that the end of a daemon brought about, is no answer to it. */
function isFromBefore({ memory }: Turn, { state, createdAt }: Point, { since }: ExecutingPhase): boolean {
  return state === 'failed' && (createdAt < since || createdAt <= (memory.startedAt ?? Number.NEGATIVE_INFINITY));
}

/** It lives by the PointPolicy that wants points before rollbacks of the target, if there is one. */
function beginSafetyPoint(turn: Turn, incident: Incident, rung: string, restored: string): void {
  const steps = incident.policy.ladder.find(({ name }) => name === rung)?.do ?? [];
  const names = new Set([
    restored,
    ...steps.flatMap((step) => (step.kind === 'restore' && step.to.kind !== 'safetyPoint' ? [step.target] : [])),
  ]);
  const targets = [...names].filter((name) => {
    const target = turn.desired.targets[name];
    return target !== undefined && isCapturedTarget(target) && !target.suspend;
  });
  const policy = policiesOf(turn).find(
    ({ take, targets: covered }) => take.before.includes('rollback') && covered.includes(restored),
  );
  beginPoint(turn, {
    label: policy?.name ?? restored,
    policy: policy?.name ?? null,
    targets,
    cause: { kind: 'rollback', incident: incident.id, rung, safety: true },
    ...(policy === undefined ? { ttlMs: UNRULED_TTL_MS } : {}),
  });
}

/** How long a point lives that no policy speaks for. */
const UNRULED_TTL_MS = 30 * 86_400_000;

import type { ExecutingPhase, Incident } from '../model/incident.ts';
import { isCaptured, isValid, type Point } from '../model/point.ts';
import type { CreatePointStep, Step } from '../model/step.ts';
import type { Turn } from '../turn.ts';
import { formatDuration } from '../units.ts';
import { beginPoint } from './begin-point.ts';
import { obstacleOf } from './capturable.ts';
import { isCopied } from './copy-points.ts';
import { newestFirst } from './verdicts.ts';

export type Creation = { readonly kind: 'waiting' } | { readonly kind: 'done' | 'failed'; readonly detail: string };

/** Begins the point of a step; answers why it cannot, or null. */
export function createPoint(
  turn: Turn,
  incident: Incident,
  phase: ExecutingPhase,
  step: CreatePointStep,
): string | null {
  const policy = turn.desired.pointPolicies?.[step.policy];
  if (policy === undefined) return `git no longer has PointPolicy ${step.policy}`;
  if (policy.suspend) return `PointPolicy ${step.policy} is suspended`;
  const obstacle = obstacleOf(turn, policy.targets);
  if (obstacle !== null) return obstacle;
  const rung = incident.policy.ladder[phase.rung]?.name ?? '';
  const cause = { kind: 'rollback', incident: incident.id, rung } as const;
  beginPoint(turn, { label: policy.name, policy: policy.name, targets: policy.targets, cause });
  return null;
}

/** What became of it. Where the step does not wait for it, reading it again goes on beside. */
export function watchCreation(
  turn: Turn,
  incident: Incident,
  step: CreatePointStep & Step,
  startedAt: number,
): Creation {
  const [point] = Object.values(turn.memory.points)
    .filter((one) => isOf(one, incident, step.policy) && one.createdAt >= startedAt)
    .sort(newestFirst);
  if (point === undefined) return { kind: 'failed', detail: `no point of ${step.policy} was begun` };
  switch (point.state) {
    case 'failed':
    case 'invalid':
      return { kind: 'failed', detail: `${point.id}: ${point.failure ?? point.state}` };
    default:
      if (hasCome(turn, point, step.until)) return { kind: 'done', detail: `${point.id} is ${step.until}` };
  }
  if (turn.now - startedAt < step.timeoutMs) return { kind: 'waiting' };
  return { kind: 'failed', detail: `${point.id} was not ${step.until} within ${formatDuration(step.timeoutMs)}` };
}

function hasCome({ desired }: Turn, point: Point, until: CreatePointStep['until']): boolean {
  switch (until) {
    case 'stored':
      return isCaptured(point);
    case 'valid':
      return isValid(point);
    case 'copied':
      return isCopied(desired.pointPolicies, point);
  }
}

function isOf({ cause, policy }: Point, { id }: Incident, wanted: string): boolean {
  return policy === wanted && cause.kind === 'rollback' && cause.incident === id && cause.safety !== true;
}

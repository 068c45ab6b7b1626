import type { Incident } from '../model/incident.ts';
import { snapshotOf } from '../model/point.ts';
import type { RestoreStep, SetFlagStep, Step } from '../model/step.ts';
import { describeFlags, type FlagChange, type FlagPlan, planFlags } from '../points/restored-flags.ts';
import type { Turn } from '../turn.ts';
import { formatDuration, type Millis } from '../units.ts';
import { isDelivered, latchFor } from './set-flag.ts';

export type FlagRestore = { readonly kind: 'waiting' } | { readonly kind: 'done' | 'failed'; readonly detail: string };

/**
 * Latches each flag that the point holds otherwise, as `setFlag` would, all in one decision. Answers why it cannot be; then
 * none is touched.
 */
export function latchRestored(turn: Turn, incident: Incident, step: RestoreStep & Step, point: string): string | null {
  const plan = planFor(turn, step, point);
  if (plan.kind === 'obstacle') return plan.reason;
  for (const change of plan.changes) {
    const hold = latchFor(turn, incident, asSetFlag(step, change), change.flag);
    turn.emit({ type: 'hold.placed', hold });
  }
  return null;
}

/** How far it is: done when every place of the flags that it set shows them. */
export function watchRestored(
  turn: Turn,
  incident: Incident,
  step: RestoreStep & Step,
  { point, startedAt }: { readonly point: string; readonly startedAt: Millis },
): FlagRestore {
  const plan = planFor(turn, step, point);
  if (plan.kind === 'obstacle') return { kind: 'failed', detail: plan.reason };
  const [lost] = plan.changes;
  if (lost !== undefined) {
    const detail = `flag ${lost.flag.name} is not "${lost.variant}" any more: somebody lifted its latch, or set it meanwhile`;
    return { kind: 'failed', detail };
  }
  const set = plan.wanted.filter((change) => isLatched(turn, incident, step, change));
  const waiting = set.filter(({ flag }) => !isDelivered(turn, flag, startedAt));
  if (waiting.length === 0) return { kind: 'done', detail: describeFlags(set, plan.skipped) };
  if (turn.now - startedAt < step.timeoutMs) return { kind: 'waiting' };
  const names = waiting.map(({ flag }) => flag.name).join(', ');
  return { kind: 'failed', detail: `not every place of ${names} showed it within ${formatDuration(step.timeoutMs)}` };
}

function planFor(turn: Turn, step: RestoreStep, id: string): FlagPlan {
  const point = turn.memory.points[id];
  const snapshot = point === undefined ? undefined : snapshotOf(point, step.target);
  if (snapshot === undefined) return { kind: 'obstacle', reason: `${id} holds nothing of ${step.target}` };
  return planFlags(turn, snapshot, { covered: step.flags ?? [], only: step.paths });
}

function isLatched(turn: Turn, incident: Incident, step: RestoreStep & Step, change: FlagChange): boolean {
  const { id } = latchFor(turn, incident, asSetFlag(step, change), change.flag);
  const hold = turn.memory.holds[id];
  return hold?.kind === 'latch' && hold.variant === change.variant;
}

/** The step that a flag's part of the restore stands for. */
function asSetFlag({ origin, timeoutMs }: Step, { flag, variant }: FlagChange): Step & SetFlagStep {
  return { kind: 'setFlag', origin, timeoutMs, flag: flag.name, to: { kind: 'variant', variant } };
}

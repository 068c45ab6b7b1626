import { effectiveFlag } from '../holds/effective.ts';
import type { ExecutingPhase, Incident } from '../model/incident.ts';
import type { Rung } from '../model/policy.ts';
import { describeStep, type RestoreStep, type Step } from '../model/step.ts';
import type { NotifyStep } from '../model/talk-steps.ts';
import { describeQueued, messageOf } from '../notifications/message-of-step.ts';
import { createPoint, watchCreation } from '../points/create-point.ts';
import { safetyFor } from '../points/safety-point.ts';
import { isMoving } from '../targets/code-revisions.ts';
import { activationState, destinationOf, quarantineFor } from '../targets/restore-step.ts';
import type { Turn } from '../turn.ts';
import { formatDuration } from '../units.ts';
import { countObstacle } from './counted-rows.ts';
import { intactChecks, judgeRestored } from './intact.ts';
import { isOver } from './is-over.ts';
import { latchRestored, watchRestored } from './restore-flags.ts';
import { isDelivered, isSetTo, latchFor, latchObstacle, setFlagObstacle, wantedVariant } from './set-flag.ts';
import { judgeWhen } from './when.ts';

/** Begins the step whose turn it is, or notes how it ended; after the last one the rung is judged. */
export function executeRung(turn: Turn, incident: Incident, phase: ExecutingPhase): boolean {
  const rung = incident.policy.ladder[phase.rung];
  if (rung === undefined) return false;
  const step = rung[phase.part][phase.step];
  if (step === undefined) return finishPart(turn, incident, rung, phase);
  if (phase.startedAt === null) return beginStep(turn, incident, step, phase);
  if (phase.outcome !== null) {
    if (step.kind === 'restore' && phase.outcome.outcome === 'done') {
      return watchActivation(turn, incident, step, phase, phase.startedAt);
    }
    finishStep(turn, incident, step, phase, phase.outcome.outcome, phase.outcome.detail);
    return true;
  }
  if (step.kind === 'restore' && step.flags !== undefined) {
    return watchFlags(turn, incident, step, phase, phase.startedAt);
  }
  if (step.kind === 'createPoint') return watchPoint(turn, incident, step, phase, phase.startedAt);
  return step.kind === 'setFlag' && watchSetFlag(turn, incident, step, phase, phase.startedAt);
}

function finishPart(turn: Turn, incident: Incident, rung: Rung, phase: ExecutingPhase): boolean {
  // What was done before the step that failed may have been enough, or somebody mended it: that is verified first.
  const mayBeOver = phase.afterStep === true && incident.byHand === undefined;
  const isClear = mayBeOver && isOver(turn, incident) === 'yes';
  if (phase.part === 'onFailure' && !isClear) {
    const reason = phase.afterStep === true ? 'a step failed' : 'its verification failed';
    turn.emit({ type: 'rung.failed', incident: incident.id, rung: phase.rung, name: rung.name, reason });
  } else {
    turn.emit({
      type: 'verification.started',
      incident: incident.id,
      rung: phase.rung,
      settleAt: turn.now + rung.verify.settleMs,
      deadlineAt: turn.now + rung.verify.withinMs,
      ...(isClear ? { afterStep: true } : {}),
    });
  }
  return true;
}

function beginStep(turn: Turn, incident: Incident, step: Step, phase: ExecutingPhase): boolean {
  const when = judgeWhen(step.when, turn.observed.checks, { since: phase.since, now: turn.now });
  switch (when.kind) {
    case 'wait':
      return false;
    case 'skip': {
      const summary = describeStep(step);
      turn.emit({ type: 'step.skipped', incident: incident.id, step: phase.step, summary, reason: when.reason });
      return true;
    }
    case 'go':
      return startStep(turn, incident, step, phase);
  }
}

function startStep(turn: Turn, incident: Incident, step: Step, phase: ExecutingPhase): boolean {
  if (step.kind === 'restore') return startRestore(turn, incident, step, phase);
  turn.emit({ type: 'step.started', incident: incident.id, step: phase.step, summary: describeStep(step) });
  if (step.kind === 'notify') {
    tell(turn, incident, step, phase);
    return true;
  }
  if (step.kind === 'createPoint') {
    const obstacle = createPoint(turn, incident, phase, step);
    if (obstacle !== null) finishStep(turn, incident, step, phase, 'failed', obstacle);
    return true;
  }
  const uncounted = countObstacle(step, incident);
  if (uncounted !== null) {
    finishStep(turn, incident, step, phase, 'failed', uncounted);
    return true;
  }
  if (step.kind !== 'setFlag') return true;
  const flag = turn.desired.flags[step.flag];
  const obstacle = setFlagObstacle(flag, step);
  if (obstacle !== null || flag === undefined) {
    finishStep(turn, incident, step, phase, 'failed', obstacle ?? '');
    return true;
  }
  latchNeighbours(turn, incident, phase);
  return true;
}

function startRestore(turn: Turn, incident: Incident, step: RestoreStep & Step, phase: ExecutingPhase): boolean {
  const destination = destinationOf(turn, incident, step, phase.destination);
  if (destination.kind === 'unseen') return false;
  const begun = { type: 'step.started', incident: incident.id, step: phase.step, summary: describeStep(step) } as const;
  if (destination.kind === 'to') {
    // Of two that would write the same only one does.
    if (isMoving(turn.memory, step.target)) return false;
    const safety = safetyFor(turn, incident, phase, step);
    if (safety.kind === 'waiting') return false;
    if (safety.kind === 'begun') return true;
    if (safety.kind === 'failed') {
      turn.emit(begun);
      finishStep(turn, incident, step, phase, 'failed', safety.reason);
      return true;
    }
    turn.emit({ ...begun, destination: destination.to });
    // Of a step that is done again the hold was placed when it began first; what is shown now may be where it goes.
    const hold = phase.destination === undefined ? quarantineFor(turn, incident, step, destination.to) : null;
    if (hold !== null) turn.emit({ type: 'hold.placed', hold });
    const obstacle = step.flags === undefined ? null : latchRestored(turn, incident, step, destination.to);
    if (obstacle !== null) finishStep(turn, incident, step, phase, 'failed', obstacle);
    return true;
  }
  turn.emit(begun);
  const outcome = destination.kind === 'there' ? 'done' : 'failed';
  finishStep(turn, incident, step, phase, outcome, destination.reason);
  return true;
}

function watchPoint(
  turn: Turn,
  incident: Incident,
  step: Extract<Step, { kind: 'createPoint' }>,
  phase: ExecutingPhase,
  startedAt: number,
): boolean {
  const creation = watchCreation(turn, incident, step, startedAt);
  if (creation.kind === 'waiting') return false;
  finishStep(turn, incident, step, phase, creation.kind, creation.detail);
  return true;
}

/** A restore is done when what it owes is, and its target is intact: services run again, what it put in place is active. */
function watchActivation(
  turn: Turn,
  incident: Incident,
  step: RestoreStep & Step,
  phase: ExecutingPhase,
  startedAt: number,
): boolean {
  const state = activationState(turn, step, startedAt);
  switch (state.kind) {
    case 'waiting':
      return false;
    case 'effective':
      return watchIntact(turn, incident, step, phase, phase.outcome?.detail ?? '');
    case 'late':
      finishStep(turn, incident, step, phase, 'failed', state.detail);
      return true;
  }
}

function watchFlags(
  turn: Turn,
  incident: Incident,
  step: RestoreStep & Step,
  phase: ExecutingPhase,
  startedAt: number,
): boolean {
  const state = watchRestored(turn, incident, step, { point: phase.destination ?? '', startedAt });
  switch (state.kind) {
    case 'waiting':
      return false;
    case 'done':
      return watchIntact(turn, incident, step, phase, state.detail);
    case 'failed':
      finishStep(turn, incident, step, phase, 'failed', state.detail);
      return true;
  }
}

function watchIntact(
  turn: Turn,
  incident: Incident,
  step: RestoreStep & Step,
  phase: ExecutingPhase,
  detail: string,
): boolean {
  if (phase.checkingSince === undefined && intactChecks(turn, step).length > 0) {
    turn.emit({ type: 'restore.checking', incident: incident.id, step: phase.step, target: step.target });
    return true;
  }
  const state = judgeRestored(turn, step, phase, phase.checkingSince ?? turn.now);
  switch (state.kind) {
    case 'waiting':
      return false;
    case 'intact':
      finishStep(turn, incident, step, phase, 'done', detail);
      return true;
    case 'late':
      finishStep(turn, incident, step, phase, state.outcome, state.detail);
      return true;
  }
}

/** Queueing is all that is waited for: a receiver that is down must not hold up a rollback. */
function tell(turn: Turn, incident: Incident, step: Step & NotifyStep, phase: ExecutingPhase): void {
  const message = messageOf(turn, incident, step, phase);
  if (message.notifiers.length > 0) turn.emit({ type: 'notification.queued', ...message });
  finishStep(turn, incident, step, phase, 'done', describeQueued(step, message.notifiers));
}

/**
 * Neighbouring `setFlag` steps are one decision: a document is written, and taken up, once for all of them. A second
 * step for the same flag waits for the first one; its latch replaces that one's.
 */
function latchNeighbours(turn: Turn, incident: Incident, phase: ExecutingPhase): void {
  const steps = incident.policy.ladder[phase.rung]?.[phase.part] ?? [];
  const latched = new Set<string>();
  for (const [index, step] of steps.slice(phase.step).entries()) {
    // What has a condition of its own waits for its turn.
    const isConditional = index > 0 && step.when !== undefined;
    if (step.kind !== 'setFlag' || latched.has(step.flag) || isConditional) return;
    latched.add(step.flag);
    const flag = turn.desired.flags[step.flag];
    if (flag === undefined || setFlagObstacle(flag, step) !== null) continue;
    const latch = latchFor(turn, incident, step, flag);
    const before = turn.memory.holds[latch.id];
    if (before?.kind !== 'latch' || before.variant !== latch.variant) turn.emit({ type: 'hold.placed', hold: latch });
  }
}

function watchSetFlag(
  turn: Turn,
  incident: Incident,
  step: Extract<Step, { kind: 'setFlag' }>,
  phase: ExecutingPhase,
  startedAt: number,
): boolean {
  const flag = turn.desired.flags[step.flag];
  const obstacle = setFlagObstacle(flag, step) ?? latchObstacle(turn, incident, step);
  if (flag === undefined || obstacle !== null) {
    finishStep(turn, incident, step, phase, 'failed', obstacle ?? '');
    return true;
  }
  if (!isSetTo(effectiveFlag(flag, turn.memory.holds), wantedVariant(flag, step))) {
    latchNeighbours(turn, incident, phase);
    return false;
  }
  if (isDelivered(turn, flag, startedAt)) {
    const places = flag.deliver.length;
    finishStep(turn, incident, step, phase, 'done', places === 0 ? 'it has no places' : `seen in ${places} place(s)`);
    return true;
  }
  if (turn.now - startedAt < step.timeoutMs) return false;
  const detail = `not every place showed it within ${formatDuration(step.timeoutMs)}`;
  finishStep(turn, incident, step, phase, 'failed', detail);
  return true;
}

function finishStep(
  turn: Turn,
  incident: Incident,
  step: Step,
  phase: ExecutingPhase,
  outcome: 'done' | 'failed' | 'unknown',
  detail: string,
): void {
  const summary = describeStep(step);
  turn.emit({
    type: 'step.finished',
    incident: incident.id,
    step: phase.step,
    summary,
    result: { outcome, detail },
  });
  const question = questionAbout(phase.part, outcome, summary, detail);
  if (question !== null) turn.emit({ type: 'incident.asked', incident: incident.id, reason: question });
}

function questionAbout(part: 'do' | 'onFailure', outcome: string, summary: string, detail: string): string | null {
  if (outcome === 'unknown') return `whether "${summary}" was done is unknown: ${detail}`;
  return part === 'onFailure' && outcome === 'failed'
    ? `"${summary}", meant to undo a failed rung, failed: ${detail}`
    : null;
}

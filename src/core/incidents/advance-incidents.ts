import { effectiveFlag } from '../holds/effective.ts';
import { type ExecutingPhase, type Incident, isOpen, type VerifyingPhase } from '../model/incident.ts';
import type { Rung } from '../model/policy.ts';
import { describeStep, type RestoreStep, type Step } from '../model/step.ts';
import type { NotifyStep } from '../model/talk-steps.ts';
import { describeQueued, messageOf } from '../notifications/message-of-step.ts';
import { activationState, destinationOf, quarantineFor } from '../targets/restore-step.ts';
import type { Turn } from '../turn.ts';
import { formatDuration } from '../units.ts';
import { isOver } from './is-over.ts';
import { firstRung } from './open-incidents.ts';
import { isAlreadySet, isDelivered, latchFor, latchObstacle, setFlagObstacle, wantedVariant } from './set-flag.ts';
import { judgeVerification, type Verification } from './verify.ts';

/** More moves than any ladder can make in one turn; a fault that moved in circles would end here. */
const MOVES_PER_TURN = 1_000;

/** Moves every open incident as far as it can go now. */
export function advanceIncidents(turn: Turn): void {
  for (const id of Object.keys(turn.memory.incidents)) {
    for (let moves = 0; moves < MOVES_PER_TURN; moves += 1) {
      const incident = turn.memory.incidents[id];
      if (incident === undefined || !isOpen(incident) || isPaused(turn, incident) || !move(turn, incident)) break;
    }
  }
}

/** `suspend` is read from git before each step, although the rest of the policy is as it was. */
export function isPaused(turn: Pick<Turn, 'desired'>, incident: Incident): boolean {
  return turn.desired.policies[incident.policy.name]?.suspend === true;
}

/** One move; false when the incident has to wait. */
function move(turn: Turn, incident: Incident): boolean {
  const { phase } = incident;
  switch (phase.kind) {
    case 'entering':
      return enter(turn, incident, phase.rung);
    case 'executing':
      return execute(turn, incident, phase);
    case 'verifying':
      return verify(turn, incident, phase);
    case 'asking':
      return phase.about.kind === 'verifying' && resolveByItself(turn, incident, phase.about);
    case 'closed':
      return false;
  }
}

function enter(turn: Turn, incident: Incident, index: number): boolean {
  const rung = incident.policy.ladder[index];
  if (rung === undefined) {
    close(turn, incident, 'exhausted', 'no rung is left, and the system has not recovered');
    return true;
  }
  if (wasHeldUp(turn, incident, index)) {
    const over = isOver(turn, incident);
    if (over === 'yes') close(turn, incident, 'resolved', 'it was over before anything could be done');
    if (over !== 'no') return over === 'yes';
  }
  const base = { incident: incident.id, rung: index, name: rung.name };
  const nothingToDo = rung.do.every((step) => isAlreadyDone(turn, step));
  if (nothingToDo) turn.emit({ type: 'rung.skipped', ...base, reason: 'its effect is already there' });
  else turn.emit({ type: 'rung.entered', ...base });
  return true;
}

function isAlreadyDone(turn: Turn, step: Step): boolean {
  if (step.kind === 'setFlag') return isAlreadySet(turn, step);
  return step.kind === 'restore' && destinationOf(turn, step).kind === 'there';
}

/** Opened in an earlier turn, and nothing was done since: everything was halted, or the policy suspended. */
function wasHeldUp(turn: Turn, incident: Incident, rung: number): boolean {
  return incident.openedAt !== turn.now && rung === firstRung(incident);
}

function execute(turn: Turn, incident: Incident, phase: ExecutingPhase): boolean {
  const rung = incident.policy.ladder[phase.rung];
  if (rung === undefined) return false;
  const step = rung[phase.part][phase.step];
  if (step === undefined) return finishPart(turn, incident, rung, phase);
  if (phase.startedAt === null) return startStep(turn, incident, step, phase);
  if (phase.outcome !== null) {
    if (step.kind === 'restore' && phase.outcome.outcome === 'done') {
      return watchActivation(turn, incident, step, phase, phase.startedAt);
    }
    finishStep(turn, incident, step, phase, phase.outcome.outcome, phase.outcome.detail);
    return true;
  }
  return step.kind === 'setFlag' && watchSetFlag(turn, incident, step, phase, phase.startedAt);
}

function finishPart(turn: Turn, incident: Incident, rung: Rung, phase: ExecutingPhase): boolean {
  if (phase.part === 'onFailure') {
    const reason = 'a step or the verification failed';
    turn.emit({ type: 'rung.failed', incident: incident.id, rung: phase.rung, name: rung.name, reason });
  } else {
    turn.emit({
      type: 'verification.started',
      incident: incident.id,
      rung: phase.rung,
      settleAt: turn.now + rung.verify.settleMs,
      deadlineAt: turn.now + rung.verify.withinMs,
    });
  }
  return true;
}

function startStep(turn: Turn, incident: Incident, step: Step, phase: ExecutingPhase): boolean {
  if (step.kind === 'restore') return startRestore(turn, incident, step, phase);
  turn.emit({ type: 'step.started', incident: incident.id, step: phase.step, summary: describeStep(step) });
  if (step.kind === 'notify') {
    tell(turn, incident, step, phase);
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
  const destination = destinationOf(turn, step);
  if (destination.kind === 'unseen') return false;
  const begun = { type: 'step.started', incident: incident.id, step: phase.step, summary: describeStep(step) } as const;
  if (destination.kind === 'to') {
    turn.emit({ ...begun, destination: destination.to });
    const hold = quarantineFor(turn, incident, step);
    if (hold !== null) turn.emit({ type: 'hold.placed', hold });
    return true;
  }
  turn.emit(begun);
  const outcome = destination.kind === 'there' ? 'done' : 'failed';
  finishStep(turn, incident, step, phase, outcome, destination.reason);
  return true;
}

/** A restore is done when what it owes is: services run again, and what it put in place is active. */
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
      finishStep(turn, incident, step, phase, 'done', phase.outcome?.detail ?? '');
      return true;
    case 'late':
      finishStep(turn, incident, step, phase, 'failed', state.detail);
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
  for (const step of steps.slice(phase.step)) {
    if (step.kind !== 'setFlag' || latched.has(step.flag)) return;
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
  if (effectiveFlag(flag, turn.memory.holds).variant !== wantedVariant(flag, step)) {
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

function verify(turn: Turn, incident: Incident, phase: VerifyingPhase): boolean {
  const rung = incident.policy.ladder[phase.rung];
  if (rung === undefined) return false;
  const verification = judgeVerification(turn, incident, rung, phase);
  const { outcome, reasons } = verification;
  if (outcome === 'waiting') return noteTurn(turn, incident, phase, verification);
  turn.emit({ type: 'verification.ended', incident: incident.id, rung: phase.rung, outcome, reasons });
  switch (outcome) {
    case 'successful':
      close(turn, incident, 'resolved', `rung "${rung.name}" was verified`);
      return true;
    case 'failed':
      return true;
    case 'inconclusive':
      settleInconclusive(turn, incident, phase.rung, rung, reasons);
      return true;
  }
}

function noteTurn(turn: Turn, incident: Incident, phase: VerifyingPhase, { good, reasons }: Verification): boolean {
  if (good === (phase.goodSince !== null)) return false;
  turn.emit({ type: 'verification.turned', incident: incident.id, good, reasons });
  return false;
}

function settleInconclusive(
  turn: Turn,
  incident: Incident,
  index: number,
  rung: Rung,
  reasons: readonly string[],
): void {
  const why = `the verification of rung "${rung.name}" was inconclusive: ${reasons.join('; ')}`;
  switch (rung.verify.onInconclusive) {
    case 'ask':
      turn.emit({ type: 'incident.asked', incident: incident.id, reason: why });
      return;
    case 'next':
      failRung(turn, incident, index, rung.name, reasons);
      return;
    case 'done':
      close(turn, incident, 'resolved', `${why}; the policy counts that as done`);
  }
}

function failRung(turn: Turn, incident: Incident, rung: number, name: string, reasons: readonly string[]): void {
  turn.emit({ type: 'rung.failed', incident: incident.id, rung, name, reason: reasons.join('; ') });
}

/** While a person is asked about an inconclusive verification, good data answers the question; bad data does not. */
function resolveByItself(turn: Turn, incident: Incident, phase: VerifyingPhase): boolean {
  const rung = incident.policy.ladder[phase.rung];
  if (rung === undefined) return false;
  const verification = judgeVerification(turn, incident, rung, phase);
  const { outcome, reasons } = verification;
  if (outcome !== 'successful') return noteTurn(turn, incident, phase, verification);
  turn.emit({ type: 'verification.ended', incident: incident.id, rung: phase.rung, outcome, reasons });
  close(turn, incident, 'resolved', `rung "${rung.name}" was verified while a person was asked`);
  return true;
}

function close(turn: Turn, incident: Incident, outcome: 'resolved' | 'exhausted', reason: string): void {
  turn.emit({ type: 'incident.closed', incident: incident.id, outcome, reason });
}

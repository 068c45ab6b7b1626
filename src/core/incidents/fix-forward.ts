import type { FixingForwardPhase, Incident } from '../model/incident.ts';
import { triggerKey } from '../model/trigger.ts';
import type { Turn } from '../turn.ts';
import { formatDuration } from '../units.ts';
import { firstRung } from './first-rung.ts';
import { isOver } from './is-over.ts';
import { causeOf, isHeldBack, workingOn } from './open-incidents.ts';
import { verdictOf } from './verdict.ts';

/**
 * People mend, and nothing is touched. It ends resolved when it is over, and leads to the ladder when the time is up or
 * a trigger fires that leaves less of it. While nobody knows whether it is over, nothing is done.
 */
export function fixForward(turn: Turn, incident: Incident, phase: FixingForwardPhase): boolean {
  if (worsen(turn, incident, phase)) return true;
  const over = isOver(turn, incident);
  if (over === 'yes') {
    const left = formatDuration(Math.max(0, phase.deadlineAt - turn.now));
    const reason = `it was mended ${left} before the time for it was up; nothing was rolled back`;
    turn.emit({ type: 'incident.closed', incident: incident.id, outcome: 'resolved', reason });
    return true;
  }
  if (over === 'unknown' || turn.now < phase.deadlineAt) return false;
  if (workingOn(turn.memory.incidents, incident.conflictSet) !== undefined) return false;
  if (isHeldBack(turn, incident.policy, incident.conflictSet)) return false;
  endFixForward(turn, incident, 'the time for mending it is up');
  return true;
}

export function endFixForward(turn: Pick<Turn, 'emit'>, incident: Incident, reason: string): void {
  turn.emit({ type: 'fixForward.ended', incident: incident.id, rung: firstRung(incident), reason });
}

/** Takes in what fires besides, and the shorter time that it may leave. */
function worsen(turn: Turn, incident: Incident, phase: FixingForwardPhase): boolean {
  const { policy } = incident;
  const verdict = verdictOf(turn, policy);
  if (verdict === null) return false;
  const known = new Set(incident.openedBy.map(({ trigger }) => trigger));
  const newcomers = verdict.triggers.filter(({ name }) => !known.has(triggerKey(policy.name, name)));
  const deadlineAt = Math.min(phase.deadlineAt, turn.now + verdict.delayMs);
  if (newcomers.length === 0 && deadlineAt === phase.deadlineAt) return false;
  const openedBy = [...incident.openedBy, ...newcomers.map((trigger) => causeOf(turn, policy, trigger))];
  turn.emit({ type: 'fixForward.worsened', incident: incident.id, openedBy, deadlineAt });
  return true;
}

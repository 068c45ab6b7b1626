import type { EnteringPhase, Incident } from '../model/incident.ts';
import type { Rung } from '../model/policy.ts';
import type { Step } from '../model/step.ts';
import { destinationOf } from '../targets/restore-step.ts';
import type { Turn } from '../turn.ts';
import { isOver } from './is-over.ts';
import { isAlreadySet } from './set-flag.ts';
import { presentFaults } from './verify.ts';
import { judgeWhen } from './when.ts';

/** Enters the rung, skips it, or finds out first whether it is to be; without a rung the ladder is exhausted. */
export function enterRung(turn: Turn, incident: Incident, phase: EnteringPhase): boolean {
  const rung = incident.policy.ladder[phase.rung];
  if (rung === undefined) {
    const faults = incident.against ?? presentFaults(turn, incident);
    const reason = ['no rung is left, and the system has not recovered', ...faults].join('; ');
    turn.emit({ type: 'incident.closed', incident: incident.id, outcome: 'exhausted', reason });
    return true;
  }
  // A person who begins a ladder knows why, whatever the triggers say.
  const over = incident.held && incident.byHand === undefined ? isOver(turn, incident) : 'no';
  if (over === 'yes') {
    const reason =
      incident.rungEnteredAt === null
        ? 'it was over before anything could be done'
        : 'it was over before the next rung';
    turn.emit({ type: 'incident.closed', incident: incident.id, outcome: 'resolved', reason });
  }
  return over === 'no' ? judgeRung(turn, incident, rung, phase) : over === 'yes';
}

function judgeRung(turn: Turn, incident: Incident, rung: Rung, phase: EnteringPhase): boolean {
  const base = { incident: incident.id, rung: phase.rung, name: rung.name };
  // What a person begins is verified where it stands, before anything graver is done.
  if (incident.byHand === undefined && rung.do.every((step) => isAlreadyDone(turn, incident, step))) {
    turn.emit({ type: 'rung.skipped', ...base, reason: 'its effect is already there' });
    return true;
  }
  const when = judgeWhen(rung.when, turn.observed.checks, { since: phase.since, now: turn.now });
  switch (when.kind) {
    case 'wait':
      return false;
    case 'skip':
      turn.emit({ type: 'rung.skipped', ...base, reason: when.reason, ...(when.unsure ? { unsure: true } : {}) });
      return true;
    case 'go':
      begin(turn, incident, rung, phase);
      return true;
  }
}

function isAlreadyDone(turn: Turn, incident: Incident, step: Step): boolean {
  if (step.kind === 'setFlag') return isAlreadySet(turn, step);
  return step.kind === 'restore' && destinationOf(turn, incident, step).kind === 'there';
}

function begin(turn: Turn, incident: Incident, rung: Rung, phase: EnteringPhase): void {
  const base = { incident: incident.id, rung: phase.rung, name: rung.name };
  if (rung.dataLoss !== undefined && phase.unsure) {
    const reason = `rung "${rung.name}" loses data, and it is not known whether what was done before has helped; \`retry\` enters it`;
    turn.emit({ type: 'incident.asked', incident: incident.id, reason });
  } else if (rung.approval === undefined) turn.emit({ type: 'rung.entered', ...base });
  else turn.emit({ type: 'approval.awaited', ...base, deadlineAt: turn.now + rung.approval.withinMs });
}

import type { Action } from '../../../src/core/model/action.ts';
import type { ApprovalRule } from '../../../src/core/model/approval.ts';
import type { IncidentId } from '../../../src/core/model/incident.ts';
import type { Rung } from '../../../src/core/model/policy.ts';
import type { Transition } from '../model/state.ts';
import type { SeenApproval, Witness } from '../model/witness.ts';
import type { Invariant } from './invariant.ts';
import { decided } from './story.ts';

export const CONSENT_TO_DATA_LOSS: Invariant = {
  name: 'consent-to-data-loss',
  statement: 'No rung that loses data without its approval.',
  per: 'transition',
  violation: (transition) => enteredUnasked(transition) ?? losingUnasked(transition),
};

/** When the rung begins, everybody who is to agree has agreed, to no less than would be lost now. */
function enteredUnasked(transition: Transition): string | null {
  for (const { event, known } of decided(transition, 'rung.entered')) {
    const rung = rungOf(known, event.incident, event.name);
    if (rung?.dataLoss === undefined) continue;
    const asked = known.approvals[event.incident];
    if (!isAgreed(rung, asked)) return `rung "${event.name}" loses data, and begins without approval`;
    const beyond = rung.dataLoss.counts.find(({ label, measure }) => {
      const value = transition.observed.measures?.[measure.key]?.value ?? 0;
      return value > (asked?.request.covers[label] ?? Number.POSITIVE_INFINITY);
    });
    if (beyond !== undefined) return `rung "${event.name}" loses more ${beyond.label} than was agreed to`;
  }
  return null;
}

function losingUnasked({ plan, known }: Transition): string | null {
  for (const action of plan.actions) {
    const step = action.losesData ? stepOf(action) : null;
    if (step === null) continue;
    const rung = rungOf(known, step.incident, step.rung);
    const isConsented = rung?.dataLoss !== undefined && isAgreed(rung, known.approvals[step.incident]);
    if (!isConsented) return `${action.key} loses data, and nobody approved it`;
  }
  return null;
}

function stepOf(action: Action): { readonly incident: IncidentId; readonly rung: string } | null {
  if (action.kind === 'step') return action;
  return action.kind === 'restore' && action.why.kind === 'rung' ? action.why : null;
}

function rungOf({ rollbacks }: Witness, id: IncidentId, name: string): Rung | undefined {
  const policy = rollbacks.find(({ incident }) => incident === id)?.policy;
  return policy?.ladder.find((rung) => rung.name === name);
}

/** As many different people as there are slots, and enough of each role. */
function isAgreed({ name, approval }: Rung, asked: SeenApproval | undefined): boolean {
  if (approval === undefined || asked === undefined || asked.request.rung !== name) return false;
  const people = new Set(asked.given.map(({ subject }) => subject));
  return (
    people.size >= slots(approval) && Object.entries(approval.roles).every(([role, count]) => has(asked, role, count))
  );
}

function slots({ roles }: ApprovalRule): number {
  return Object.values(roles).reduce((sum, count) => sum + count, 0);
}

function has({ given }: SeenApproval, role: string, count: number): boolean {
  return new Set(given.filter(({ roles }) => roles.includes(role)).map(({ subject }) => subject)).size >= count;
}

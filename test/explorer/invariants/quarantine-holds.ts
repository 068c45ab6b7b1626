import type { Invariant } from './invariant.ts';

export const QUARANTINE_HOLDS: Invariant = {
  name: 'quarantine-holds',
  statement:
    'What a rollback put away is not deployed again before a person lifts it; a ladder’s target is left to it.',
  per: 'transition',
  violation: ({ plan, known, after }) => {
    for (const { action } of plan.operations) {
      if (action.kind !== 'restore') continue;
      const { name } = action.target;
      const quarantined = Object.values(plan.memory.holds).find(
        (hold) => hold.kind === 'quarantine' && hold.target === name && hold.tree === action.to,
      );
      if (quarantined !== undefined) return `${name} is moved to ${action.to}, which ${quarantined.id} holds`;
      if (action.why.kind === 'rung') continue;
      if (`adoption:target:${name}` in plan.memory.holds) return `${name} is moved, although it was not handed over`;
      const open = [...known.rollbacks, ...after.witness.rollbacks].find(
        ({ incident, endedMs, conflictSet }) =>
          endedMs === null && conflictSet.includes(`target:${name}`) && incident in plan.memory.incidents,
      );
      if (open !== undefined && !isClosed(plan.memory.incidents[open.incident]?.phase.kind)) {
        return `${name} is moved by ${action.why.kind} while ${open.incident} is open`;
      }
    }
    return null;
  },
};

function isClosed(phase: string | undefined): boolean {
  return phase === undefined || phase === 'closed';
}

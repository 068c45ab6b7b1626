import type { Invariant } from './invariant.ts';

export const QUARANTINE_HOLDS: Invariant = {
  name: 'quarantine-holds',
  statement:
    'What a rollback put away is not deployed again before a person lifts it; a ladder’s target is left to it.',
  per: 'transition',
  violation: ({ plan, after }) => {
    for (const { action } of plan.operations) {
      if (action.kind !== 'restore') continue;
      const { name } = action.target;
      const isPutAway = Object.values(after.witness.holds).some(
        ({ quarantine }) => quarantine?.target === name && quarantine.tree === action.to,
      );
      if (isPutAway) return `${name} is moved to ${action.to}, which a rollback put away`;
      if (action.why.kind === 'rung') continue;
      if (`adoption:target:${name}` in plan.memory.holds) return `${name} is moved, although it was not handed over`;
      const open = after.witness.rollbacks.find(
        ({ endedMs, conflictSet }) => endedMs === null && conflictSet.includes(`target:${name}`),
      );
      if (open !== undefined) return `${name} is moved by a ${action.why.kind} while ${open.incident} is open`;
    }
    return null;
  },
};

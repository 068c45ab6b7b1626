import { overlaps } from '../../../src/core/incidents/conflict-set.ts';
import type { Invariant } from './invariant.ts';
import { decided } from './story.ts';

export const COOLDOWN_AND_LIMIT: Invariant = {
  name: 'cooldown-and-limit',
  statement: 'Cooldown and limit hold, by the time that really passed.',
  per: 'transition',
  violation: (transition) => {
    const { elapsedMs } = transition.after.host;
    for (const { event, known } of decided(transition, 'incident.opened')) {
      const { policy, conflictSet, id } = event.incident;
      const related = known.rollbacks.filter(
        (one) => one.policy.name === policy.name || overlaps(one.conflictSet, conflictSet),
      );
      const early = related.find((one) => one.endedMs === null || elapsedMs - one.endedMs < one.policy.cooldownMs);
      if (early !== undefined) return `${id} opens within the cooldown after ${early.incident}`;
      if (policy.limit === undefined) continue;
      const { rollbacks, perMs } = policy.limit;
      const recent = related.filter(({ openedMs }) => elapsedMs - openedMs < perMs);
      if (recent.length >= rollbacks) return `${id} opens beyond the limit of ${rollbacks}`;
    }
    return null;
  },
};

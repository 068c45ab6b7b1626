import { isProven } from '../model/point-witness.ts';
import type { Invariant } from './invariant.ts';
import { decided } from './story.ts';

export const PRUNED_IN_MEASURE: Invariant = {
  name: 'pruned-in-measure',
  statement: 'Refused: a run that deletes more than `maxFraction`; what is pruned can be brought back for `grace`.',
  per: 'transition',
  violation: (transition) => {
    const { pointPolicies = {} } = transition.desired;
    for (const { event, known } of decided(transition, 'points.pruned')) {
      for (const { name, prune } of Object.values(pointPolicies)) {
        const own = Object.entries(known.stock.points).filter(([, one]) => one.policy === name && isProven(one));
        const gone = own.filter(([id]) => event.points.some((point) => point.id === id));
        if (gone.length > prune.maxFraction * own.length) {
          return `${gone.length} of ${own.length} points of ${name} are pruned at once`;
        }
      }
    }
    for (const { event, known } of decided(transition, 'points.deleted')) {
      for (const id of event.points) {
        const { policy = null, prunedMs = null } = known.stock.points[id] ?? {};
        const graceMs = policy === null ? 0 : (pointPolicies[policy]?.prune.graceMs ?? 0);
        if (prunedMs === null) return `${id} is deleted, and was not pruned before`;
        if (transition.after.host.elapsedMs - prunedMs < graceMs) return `${id} is deleted within its grace`;
      }
    }
    return null;
  },
};

import { isSound } from '../model/point-witness.ts';
import type { Invariant } from './invariant.ts';

export const SOUND_SOURCE: Invariant = {
  name: 'sound-source',
  statement: 'Nothing is restored from a point that was not captured whole, is known to be damaged, or is pruned.',
  per: 'transition',
  violation: ({ plan, known }) => {
    for (const { action } of plan.operations) {
      if (action.kind !== 'restore' || action.snapshot === undefined) continue;
      const seen = known.stock.points[action.to];
      if (seen === undefined) return `${action.target.name} is restored from ${action.to}, which is gone`;
      if (!isSound(seen)) return `${action.target.name} is restored from ${action.to}, which is not sound`;
    }
    return null;
  },
};

import type { PointId } from '../../../src/core/model/point.ts';
import { isProven, type PointWitness } from '../model/point-witness.ts';
import type { Invariant } from './invariant.ts';
import { decided } from './story.ts';

export const NEWEST_POINT_STAYS: Invariant = {
  name: 'newest-point-stays',
  statement: 'Always kept: the newest valid point of each target.',
  per: 'transition',
  violation: (transition) => {
    for (const { event, known } of decided(transition, 'points.pruned')) {
      for (const target of targetsOf(known.stock)) {
        const newest = newestOf(known.stock, target);
        const isGone = event.points.some(({ id }) => id === newest);
        if (isGone) return `${newest} is pruned, the newest point of ${target} that is known to be intact`;
      }
    }
    for (const { event, known } of decided(transition, 'points.deleted')) {
      for (const target of targetsOf(known.stock)) {
        if (newestOf(known.stock, target) !== undefined) continue;
        const last = event.points.find((id) => wasProven(known.stock, id, target));
        if (last !== undefined) return `${last} is deleted, and no intact point of ${target} is left`;
      }
    }
    return null;
  },
};

function targetsOf({ points }: PointWitness): string[] {
  return [...new Set(Object.values(points).flatMap(({ targets }) => targets))];
}

function newestOf({ points }: PointWitness, target: string): PointId | undefined {
  const proven = Object.entries(points).filter(([, one]) => isProven(one) && one.targets.includes(target));
  const bornMs = Math.max(...proven.map(([, one]) => one.bornMs));
  // Of two that were begun at the same instant the one that came later is the newer one.
  return proven.findLast(([, one]) => one.bornMs === bornMs)?.[0];
}

function wasProven({ points }: PointWitness, id: PointId, target: string): boolean {
  const seen = points[id];
  return seen !== undefined && isProven({ ...seen, prunedMs: null }) && seen.targets.includes(target);
}

import type { PointId } from '../../../src/core/model/point.ts';
import type { PointWitness, SeenWork } from '../model/point-witness.ts';
import type { Witness } from '../model/witness.ts';
import type { Invariant } from './invariant.ts';
import { decided } from './story.ts';

export const PROTECTED_POINTS_SURVIVE: Invariant = {
  name: 'protected-points-survive',
  statement: 'Protected points survive: pinned ones, and those that an open incident or an operation names.',
  per: 'transition',
  violation: (transition) => {
    for (const { event, known } of decided(transition, 'points.pruned')) {
      const words = wrongWith(
        known,
        event.points.map(({ id }) => id),
      );
      if (words !== null) return `${words}, and is pruned`;
    }
    for (const { event, known } of decided(transition, 'points.deleted')) {
      const words = wrongWith(known, event.points);
      if (words !== null) return `${words}, and is deleted`;
    }
    return null;
  },
};

function wrongWith(known: Witness, points: readonly PointId[]): string | null {
  for (const id of points) {
    const reason = protectionOf(known, id);
    if (reason !== null) return `${id} ${reason}`;
  }
  return null;
}

function protectionOf({ stock, rollbacks }: Witness, id: PointId): string | null {
  const seen = stock.points[id];
  if (seen === undefined) return 'is unknown';
  if (seen.isPinned) return 'is pinned';
  const { cause } = seen;
  const isTaken = rollbacks.some(
    ({ incident, endedMs }) => endedMs === null && cause.kind === 'rollback' && cause.incident === incident,
  );
  if (isTaken) return 'was taken by an open incident';
  if (Object.values(stock.destinations).includes(id)) return 'is where an open incident goes back to';
  return isWorkedOn(stock, id) ? 'is named by what is under way' : null;
}

function isWorkedOn({ work, restores }: PointWitness, id: PointId): boolean {
  return (
    Object.values(work).some(({ action }) => pointOf(action) === id) ||
    Object.values(restores).some(({ point, safety }) => point === id || safety === id)
  );
}

function pointOf(action: SeenWork['action']): PointId {
  return action.kind === 'restore' ? action.to : action.point;
}

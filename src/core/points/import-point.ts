import type { EventSpec } from '../event.ts';
import type { Point } from '../model/point.ts';
import { CommandError, type Situation } from '../operator-commands.ts';

/** @throws CommandError if the host has such a point already. */
export function refuseKnown({ memory }: Pick<Situation, 'memory'>, { id }: Pick<Point, 'id'>): void {
  const known = memory.points[id];
  if (known === undefined) return;
  const how = known.state === 'pruned' ? `; \`revertd points undelete ${id}\` brings it back` : '';
  throw new CommandError('refused', `the host has a point ${id} already, which is ${known.state}${how}`);
}

/**
 * A point whose content was brought from elsewhere. It is read again like any other; it is pinned, since its policy, or
 * its age, may ask for it to be pruned at once. @throws CommandError
 */
export function importPoint(
  situation: Situation,
  point: Pick<Point, 'id'> &
    Omit<Point, 'state' | 'pinned' | 'failure' | 'verifiedAt' | 'verify' | 'pruned' | 'copies'>,
  from: string,
): EventSpec[] {
  refuseKnown(situation, point);
  const { actor: by, now: at } = situation;
  const imported: Point = {
    ...point,
    state: 'stored',
    pinned: { by, at, reason: `imported from ${from}` },
    failure: null,
    verifiedAt: null,
    verify: { by, rehearse: false, retryAt: at, attempts: 0 },
    pruned: null,
  };
  return [{ type: 'point.imported', point: imported }];
}

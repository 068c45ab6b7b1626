import type { EventSpec } from '../../../src/core/event.ts';
import { isCaptured, isValid } from '../../../src/core/model/point.ts';
import { beginRestore } from '../../../src/core/points/manual-restores.ts';
import { pinPoint, prunePointsNow, verifyPoints } from '../../../src/core/points/point-commands.ts';
import { pointsInOrder } from '../../../src/core/points/points-by-state.ts';
import type { Move } from './move.ts';
import type { SmallWorld } from './small-world.ts';
import type { State } from './state.ts';
import { desiredAt } from './world-facts.ts';

type PointCommand = Extract<Move, { kind: 'verify' | 'pin' | 'putBack' | 'prune' }>['kind'];

/** What a person commands about points, by the functions that the API calls. @throws CommandError */
export function pointCommand(world: SmallWorld, { host, memory }: State, command: PointCommand): readonly EventSpec[] {
  const situation = { desired: desiredAt(world, host.revision), memory, now: host.now, actor: 'ann' };
  const points = pointsInOrder(memory);
  switch (command) {
    case 'verify':
      return verifyPoints(situation, { points: [], rehearse: false });
    case 'pin': {
      const oldest = points.findLast((point) => isValid(point) && point.pinned === null);
      return oldest === undefined ? [] : pinPoint(situation, oldest.id, undefined);
    }
    case 'putBack': {
      const newest = points.find(isCaptured);
      return newest === undefined ? [] : beginRestore(situation, { point: newest.id, paths: [], reason: 'to see' });
    }
    case 'prune':
      return prunePointsNow(situation, { confirm: true });
  }
}

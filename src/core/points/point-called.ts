import type { Memory } from '../memory.ts';
import type { Point, PointId } from '../model/point.ts';
import { notFound } from '../operator-commands.ts';

/** @throws CommandError */
export function pointCalled({ points }: Pick<Memory, 'points'>, id: PointId): Point {
  const point = points[id];
  if (point === undefined) throw notFound('point', id, Object.keys(points).sort().reverse(), 'revertd points list');
  return point;
}

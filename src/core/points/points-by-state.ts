import type { Memory } from '../memory.ts';
import { isUnderWay, type Point, type PointState } from '../model/point.ts';
import { newestFirst } from './verdicts.ts';

/** What decisions look for among points, most of which are valid and want nothing. */
export type PointOverview = {
  readonly byState: Readonly<Partial<Record<PointState, readonly Point[]>>>;
  /** Those whose content is to be read again. */
  readonly verifying: readonly Point[];
  /** By policy, the newest point of which it is known what became of it; pruned ones are out of use. */
  readonly newestOf: ReadonlyMap<string, Point>;
};

const known = new WeakMap<Memory['points'], PointOverview>();

/** Nothing in memory is changed in place, so what was found once holds for as long as the record is the same. */
export function overviewOf(points: Memory['points']): PointOverview {
  const before = known.get(points);
  if (before !== undefined) return before;
  const overview = lookOver(Object.values(points));
  known.set(points, overview);
  return overview;
}

function lookOver(points: readonly Point[]): PointOverview {
  const newestOf = new Map<string, Point>();
  for (const point of points) {
    if (point.policy === null || isUnderWay(point) || point.state === 'pruned') continue;
    const newest = newestOf.get(point.policy);
    if (newest === undefined || newestFirst(point, newest) < 0) newestOf.set(point.policy, point);
  }
  return {
    byState: Object.fromEntries(Map.groupBy(points, ({ state }) => state)),
    verifying: points.filter(({ verify }) => verify !== null),
    newestOf,
  };
}

const inOrder = new WeakMap<Memory['points'], readonly Point[]>();

/** All points, the newest first. */
export function pointsInOrder({ points }: Pick<Memory, 'points'>): readonly Point[] {
  const before = inOrder.get(points);
  if (before !== undefined) return before;
  const sorted = Object.values(points).sort(newestFirst);
  inOrder.set(points, sorted);
  return sorted;
}

/** The points in these states, in no order that means anything. */
export function pointsIn({ points }: Pick<Memory, 'points'>, ...states: readonly PointState[]): Point[] {
  const { byState } = overviewOf(points);
  return states.flatMap((state) => byState[state] ?? []);
}

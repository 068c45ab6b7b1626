import type { DrillRun } from '../model/drill.ts';
import { isUnderWay, isValid, type PointId } from '../model/point.ts';
import type { Turn } from '../turn.ts';

/**
 * Points that a rehearsal could not restore: whether their content is still as it was stored is to be found out. A rung
 * of which a step failed casts doubt on all points that it goes back to.
 */
export function doubtRehearsed(turn: Turn, drill: string, { rungs, items }: DrillRun): void {
  const suspects = rungs
    .filter(({ rung }) => items[rung]?.some(({ what, outcome }) => what === 'step' && outcome === 'failed') === true)
    .flatMap(({ steps }) => steps.flatMap(({ move }) => (move?.snapshot === undefined ? [] : [move.to])));
  const points = [...new Set(suspects)].filter((id) => isToBeRead(turn, id)).sort();
  if (points.length > 0) turn.emit({ type: 'points.verifyAsked', points, by: `Drill/${drill}`, rehearse: false });
}

/** What is being read anyway is not asked for twice. */
function isToBeRead({ memory }: Turn, id: PointId): boolean {
  const point = memory.points[id];
  return point !== undefined && isValid(point) && !isUnderWay(point) && point.verify === null;
}

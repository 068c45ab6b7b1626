import type { Memory } from '../memory.ts';
import type { Desired } from '../model/desired.ts';
import type { Millis } from '../units.ts';
import { protectionsOf } from './protections.ts';
import { type Judged, judgePoints } from './verdicts.ts';

type Inputs = Pick<Memory, 'incidents' | 'operations' | 'targets' | 'restores'> & {
  readonly policies: Desired['pointPolicies'];
  readonly mostOfNoPolicy: number | undefined;
};
type Ground = Pick<Desired, 'pointPolicies' | 'points'>;
type Known = Inputs & { readonly at: Millis; readonly judged: Judged };

const known = new WeakMap<Memory['points'], Known>();

/**
 * The verdicts over all points. Nothing in memory is changed in place, so as long as all that they rest on is the same and
 * no boundary in time was passed, they are those from before.
 */
export function judgedPoints(desired: Ground, memory: Memory, now: Millis): Judged {
  const before = known.get(memory.points);
  if (before !== undefined && isSameGround(before, desired, memory) && holdsAt(before, now)) return before.judged;
  const { incidents, operations, targets, restores, points } = memory;
  const policies = desired.pointPolicies;
  const mostOfNoPolicy = desired.points?.maxPoints;
  const judged = judgePoints(Object.values(points), policies ?? {}, protectionsOf(memory), now, mostOfNoPolicy);
  known.set(points, { incidents, operations, targets, restores, policies, mostOfNoPolicy, at: now, judged });
  return judged;
}

function isSameGround(before: Known, { pointPolicies, points }: Ground, memory: Memory): boolean {
  return (
    before.policies === pointPolicies &&
    before.mostOfNoPolicy === points?.maxPoints &&
    before.incidents === memory.incidents &&
    before.operations === memory.operations &&
    before.targets === memory.targets &&
    before.restores === memory.restores
  );
}

function holdsAt({ at, judged: { until } }: Known, now: Millis): boolean {
  return now >= at && (until === null || now < until);
}

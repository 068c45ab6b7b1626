import type { Memory } from '../memory.ts';
import type { Desired } from '../model/desired.ts';
import type { Millis } from '../units.ts';
import { protectionsOf } from './protections.ts';
import { type Judged, judgePoints } from './verdicts.ts';

type Inputs = Pick<Memory, 'incidents' | 'operations' | 'targets' | 'restores'> & {
  readonly policies: Desired['pointPolicies'];
};
type Known = Inputs & { readonly at: Millis; readonly judged: Judged };

const known = new WeakMap<Memory['points'], Known>();

/**
 * The verdicts over all points. Nothing in memory is changed in place, so as long as all that they rest on is the same and
 * no boundary in time was passed, they are those from before.
 */
export function judgedPoints(desired: Pick<Desired, 'pointPolicies'>, memory: Memory, now: Millis): Judged {
  const before = known.get(memory.points);
  if (before !== undefined && isSameGround(before, desired, memory) && holdsAt(before, now)) return before.judged;
  const { incidents, operations, targets, restores, points } = memory;
  const policies = desired.pointPolicies;
  const judged = judgePoints(Object.values(points), policies ?? {}, protectionsOf(memory), now);
  known.set(points, { incidents, operations, targets, restores, policies, at: now, judged });
  return judged;
}

function isSameGround(before: Known, { pointPolicies }: Pick<Desired, 'pointPolicies'>, memory: Memory): boolean {
  return (
    before.policies === pointPolicies &&
    before.incidents === memory.incidents &&
    before.operations === memory.operations &&
    before.targets === memory.targets &&
    before.restores === memory.restores
  );
}

function holdsAt({ at, judged: { until } }: Known, now: Millis): boolean {
  return now >= at && (until === null || now < until);
}

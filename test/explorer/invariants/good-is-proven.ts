import { effectivePolicies } from '../../../src/core/effective-policies.ts';
import { bakeOf } from '../../../src/core/model/target.ts';
import { namesTarget } from '../../../src/core/targets/settle-targets.ts';
import type { Invariant } from './invariant.ts';
import { decided, isAllClear } from './story.ts';

export const GOOD_IS_PROVEN: Invariant = {
  name: 'good-is-proven',
  statement:
    'A revision is good once it was effective for `bake` while all that names the target was inactive with data.',
  per: 'transition',
  violation: (transition) => {
    const { desired, memory, after } = transition;
    for (const { event, known } of decided(transition, 'target.good')) {
      const seen = known.targets[event.target];
      const bakeMs = bakeOf(desired.targets[event.target]);
      const { elapsedMs, startedMs } = after.host;
      if (seen === undefined || seen.tree !== event.revision.tree)
        return `${event.revision.tree} is good, and not there`;
      if (elapsedMs - Math.max(seen.sinceMs, startedMs) < bakeMs) return `${seen.tree} is good before it has baked`;
      const unproven = Object.values(effectivePolicies(desired, memory)).find(
        (policy) => !policy.suspend && namesTarget(policy, event.target) && !isAllClear(transition, policy, known),
      );
      if (unproven !== undefined) return `${seen.tree} is good, although ${unproven.name} is not inactive with data`;
    }
    return null;
  },
};

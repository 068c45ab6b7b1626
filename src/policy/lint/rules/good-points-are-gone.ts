import type { PointPolicy } from '../../../core/model/point-policy.ts';
import { formatDuration, type Millis } from '../../../core/units.ts';
import type { LintRule } from '../lint-rule.ts';
import { cadenceOf, reachOf } from '../point-reach.ts';

const SOME_DAY = Date.UTC(2026, 0, 1);
/** So long before the first breach a point must have been complete to count as good. */
const BAKE_MS: Millis = 3_600_000;

export const goodPointsAreGone: LintRule = {
  id: 'good-points-are-gone',
  severity: 'warning',
  title: 'no point is kept until it counts as good',
  why: '`lastGood` goes back to a point that was complete an hour and the longest `for` before the first breach. Where points are gone by then, the rung finds none and fails.',
  mend: 'keep points for longer, or restore to `latestValid`',
  find: ({ pointPolicies, policies }) =>
    policies.flatMap(({ document, value: { ladder, triggers, suspend } }) => {
      if (suspend) return [];
      const neededMs = BAKE_MS + Math.max(0, ...triggers.map(({ forMs }) => forMs));
      return ladder.flatMap((rung, index) =>
        rung.do.flatMap((step, place) => {
          if (step.kind !== 'restore' || step.to.kind !== 'lastGood') return [];
          const reaches = pointPolicies.flatMap(({ value }) => reachFor(value, step.target));
          const reachMs = Math.max(...reaches);
          if (reaches.length === 0 || reachMs > neededMs) return [];
          const message = `points of "${step.target}" are kept for ${formatDuration(reachMs)}, and count as good after ${formatDuration(neededMs)}`;
          return [{ document, path: ['spec', 'ladder', index, 'do', place, 'restore', 'to'], message }];
        }),
      );
    }),
};

function reachFor(policy: PointPolicy, target: string): Millis[] {
  const cadenceMs = cadenceOf(policy, SOME_DAY);
  return policy.targets.includes(target) && cadenceMs !== null && !policy.suspend ? [reachOf(policy, cadenceMs)] : [];
}

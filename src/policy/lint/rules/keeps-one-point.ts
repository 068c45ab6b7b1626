import { formatDuration } from '../../../core/units.ts';
import type { LintRule } from '../lint-rule.ts';
import { cadenceOf, reachOf } from '../point-reach.ts';

/** Any instant: schedules are the same in every year. */
const SOME_DAY = Date.UTC(2026, 0, 1);

export const keepsOnePoint: LintRule = {
  id: 'keeps-one-point',
  severity: 'warning',
  title: 'points are gone before the next one is taken',
  why: 'Then there is only ever the newest point of a target, which is kept in any case. What went wrong before it was taken is in it, and there is nothing older to go back to.',
  mend: 'keep more than one: a longer `ttl` or `within`, or `retain: { last: 3, daily: 30 }`',
  find: ({ pointPolicies }) =>
    pointPolicies.flatMap(({ document, value: policy }) => {
      const cadenceMs = cadenceOf(policy, SOME_DAY);
      if (cadenceMs === null || policy.suspend || reachOf(policy, cadenceMs) > cadenceMs) return [];
      const every = formatDuration(cadenceMs);
      const message = `"${policy.name}" takes a point every ${every} and keeps none for longer than ${formatDuration(reachOf(policy, cadenceMs))}`;
      return [{ document, path: ['spec', policy.ttlMs === null ? 'retain' : 'ttl'], message }];
    }),
};

import type { LintRule } from '../lint-rule.ts';

export const oneSampleDecides: LintRule = {
  id: 'one-sample-decides',
  severity: 'warning',
  title: 'one sample is enough to roll back',
  why: 'A critical trigger without `for`, on a query without a range, acts upon a single scrape: one slow answer or one dropped packet starts a rollback.',
  mend: 'add `for: 30s`, or look over a range: `avg_over_time(x[1m])`',
  find: (world) =>
    world.queries.flatMap(({ document, path, policy, trigger }) => {
      if (trigger === undefined || trigger.severity !== 'critical' || trigger.forMs > 0) return [];
      if (trigger.windowMs > 0 || policy.match.kind !== 'any') return [];
      const message = `the trigger "${trigger.name}" rolls back upon a single sample`;
      return [{ document, path: [...path.slice(0, -1), 'name'], message }];
    }),
};

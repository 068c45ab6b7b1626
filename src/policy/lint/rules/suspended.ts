import type { LintRule } from '../lint-rule.ts';

export const suspended: LintRule = {
  id: 'suspended',
  severity: 'advice',
  title: 'something is kept and does nothing',
  why: '`suspend: true` is written in a hurry and forgotten. The policy looks as if it protected something.',
  mend: 'take it out when its reason is over; until then silence this with the reason',
  find: ({ sources, targets, flags, policies, notifiers, drills, pointPolicies }) =>
    [...sources, ...targets, ...flags, ...policies, ...notifiers, ...drills, ...pointPolicies].flatMap(
      ({ document, value }) => {
        if (!value.suspend) return [];
        return [{ document, path: ['spec', 'suspend'], message: `"${value.name}" is suspended` }];
      },
    ),
};

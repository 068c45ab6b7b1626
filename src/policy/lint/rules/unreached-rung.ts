import type { RollbackPolicy } from '../../../core/model/policy.ts';
import type { LintRule } from '../lint-rule.ts';

export const unreachedRung: LintRule = {
  id: 'unreached-rung',
  severity: 'warning',
  title: 'no incident begins early enough for a rung',
  why: 'Every critical trigger names a later rung to start at. What stands before it is never tried, though it is milder.',
  mend: 'leave `startAt` out of a trigger that the first rung helps against, or remove the rung',
  find: ({ policies }) =>
    policies.flatMap(({ document, value }) =>
      value.ladder.slice(0, firstReached(value)).map(({ name }, index) => {
        const message = `the rung "${name}" is never reached: every critical trigger starts later`;
        return { document, path: ['spec', 'ladder', index, 'rung'], message };
      }),
    ),
};

function firstReached({ triggers, ladder }: RollbackPolicy): number {
  const starts = triggers
    .filter(({ severity }) => severity === 'critical')
    .map(({ startAt }) => (startAt === undefined ? 0 : ladder.findIndex(({ name }) => name === startAt)));
  return starts.length === 0 ? 0 : Math.max(0, Math.min(...starts));
}

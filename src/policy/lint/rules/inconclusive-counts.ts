import type { LintRule } from '../lint-rule.ts';

export const inconclusiveCounts: LintRule = {
  id: 'inconclusive-counts',
  severity: 'warning',
  title: 'a rung is content with knowing nothing',
  why: '`onInconclusive: done` closes the incident as resolved when the metrics say nothing: a service that no longer answers its scrape counts as healed.',
  mend: 'leave it out: then a person is asked; or walk on: `onInconclusive: next`',
  find: ({ policies }) =>
    policies.flatMap(({ document, value }) =>
      value.ladder.flatMap(({ name, verify }, index) => {
        if (verify.onInconclusive !== 'done') return [];
        const path = ['spec', 'ladder', index, 'verify', 'onInconclusive'];
        return [{ document, path, message: `the rung "${name}" counts as a success when nothing is known` }];
      }),
    ),
};

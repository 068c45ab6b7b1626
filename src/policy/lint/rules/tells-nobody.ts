import type { LintRule } from '../lint-rule.ts';

export const tellsNobody: LintRule = {
  id: 'tells-nobody',
  severity: 'warning',
  title: 'a policy tells nobody',
  why: 'It rolls back, asks a person or gives up, and nobody hears of it until users complain.',
  mend: 'name a Notifier: `notify: [oncall]`',
  find: ({ policies }) =>
    policies.flatMap(({ document, value }) => {
      if (value.notify.length > 0 || value.suspend) return [];
      return [{ document, path: ['spec', 'notify'], message: `the policy "${value.name}" has no \`notify\`` }];
    }),
};

import type { LintRule } from '../lint-rule.ts';

export const unusedNotifier: LintRule = {
  id: 'unused-notifier',
  severity: 'warning',
  title: 'a notifier is named by no policy',
  why: 'Whoever set it up believes to be told. It hears of refused revisions and of drift, and of no rollback.',
  mend: 'name it in the `notify` of a policy, or remove it; for those two topics alone write `on: [refused, drift]`',
  find: ({ notifiers, policies }) => {
    const named = new Set(policies.flatMap(({ value }) => value.notify));
    return notifiers.flatMap(({ document, value }) => {
      const isForAll = value.on.every((topic) => topic === 'refused' || topic === 'drift');
      if (named.has(value.name) || isForAll || value.suspend) return [];
      return [{ document, path: ['metadata', 'name'], message: `no policy notifies "${value.name}"` }];
    });
  },
};

import type { RollbackPolicy } from '../../../core/model/policy.ts';
import type { LintRule } from '../lint-rule.ts';

export const unusedNotifier: LintRule = {
  id: 'unused-notifier',
  severity: 'warning',
  title: 'a notifier is named by no policy and no drill',
  why: 'Whoever set it up believes to be told. It hears of refused revisions and of drift, and of no rollback.',
  mend: 'name it in the `notify` of a policy, a rung, a level or a drill, or remove it; for those two topics alone write `on: [refused, drift]`',
  find: ({ notifiers, policies, drills }) => {
    const rehearsed = drills.flatMap(({ value }) => value.notify);
    const named = new Set([...policies.flatMap(({ value }) => namedBy(value)), ...rehearsed]);
    return notifiers.flatMap(({ document, value }) => {
      const isForAll = value.on.every((topic) => topic === 'refused' || topic === 'drift' || topic === 'points');
      if (named.has(value.name) || isForAll || value.suspend) return [];
      return [{ document, path: ['metadata', 'name'], message: `no policy or drill notifies "${value.name}"` }];
    });
  },
};

function namedBy({ notify, ladder, escalate = [] }: RollbackPolicy): readonly string[] {
  return [...notify, ...ladder.flatMap((rung) => rung.notify ?? []), ...escalate.flatMap((level) => level.notify)];
}

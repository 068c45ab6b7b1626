import { isCodeTarget } from '../../../core/model/target.ts';
import type { LintRule } from '../lint-rule.ts';

export const capturedWithoutChecks: LintRule = {
  id: 'captured-without-checks',
  severity: 'advice',
  title: 'nothing says when a restored target is intact',
  why: 'A restore is judged by the checks of its target. Without one it is done when the bytes are there, also where they were broken already when they were captured.',
  mend: 'write `check` to the target: for a database `[{ sqlite: { path: FILE, is: intact } }]`, for files a check of what must be there',
  find: ({ targets, policies }) => {
    const restored = new Set(
      policies.flatMap(({ value: { ladder, suspend } }) =>
        suspend
          ? []
          : ladder.flatMap((rung) => rung.do.flatMap((step) => (step.kind === 'restore' ? [step.target] : []))),
      ),
    );
    return targets.flatMap(({ document, value: target }) => {
      const { name, checks, suspend } = target;
      if (isCodeTarget(target) || checks.length > 0 || suspend || !restored.has(name)) return [];
      const message = `a rung restores "${name}", and no check says whether it is intact then`;
      return [{ document, path: ['metadata', 'name'], message }];
    });
  },
};

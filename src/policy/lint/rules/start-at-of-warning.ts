import type { LintRule } from '../lint-rule.ts';

export const startAtOfWarning: LintRule = {
  id: 'start-at-of-warning',
  severity: 'warning',
  title: 'a warning names a rung to start at',
  why: 'A warning opens no incident and starts at no rung. Whoever wrote `startAt` expects a rollback that does not come.',
  mend: 'make the trigger critical, or leave `startAt` out',
  find: ({ policies }) =>
    policies.flatMap(({ document, value }) =>
      value.triggers.flatMap(({ name, severity, startAt }, index) => {
        if (severity !== 'warning' || startAt === undefined) return [];
        const message = `the trigger "${name}" is a warning, so that \`startAt\` has no effect`;
        return [{ document, path: ['spec', 'triggers', index, 'startAt'], message }];
      }),
    ),
};

import type { LintRule } from '../lint-rule.ts';

export const nothingVerified: LintRule = {
  id: 'nothing-verified',
  severity: 'warning',
  title: 'nothing tells whether a rung helped',
  why: 'A rung succeeds when the critical triggers are clear and every check is true. Without either it succeeds whatever happened, and the next rung is never walked.',
  mend: 'add a check of what users see: `verify: { checks: [{ http: { url: ..., status: 200 } }] }`',
  find: ({ policies }) =>
    policies.flatMap(({ document, value }) => {
      if (value.triggers.some(({ severity }) => severity === 'critical')) return [];
      return value.ladder.flatMap(({ name, verify }, index) => {
        // Without `triggersClear` the loader warns.
        if (verify.checks.length > 0 || !verify.triggersClear) return [];
        const message = `nothing verifies the rung "${name}": the policy has no critical trigger, and it has no checks`;
        return [{ document, path: ['spec', 'ladder', index, 'rung'], message }];
      });
    }),
};

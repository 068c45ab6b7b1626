import type { LintRule } from '../lint-rule.ts';
import { acts } from '../policy-facts.ts';

export const noLimit: LintRule = {
  id: 'no-limit',
  severity: 'advice',
  title: 'a policy may roll back for ever',
  why: 'A ladder that helps for a while is walked again after each cooldown, all night, and nobody looks for the cause.',
  mend: 'add `limit: { rollbacks: 2, per: 24h }`: beyond it the policy is braked, which is told',
  find: ({ policies }) =>
    policies.flatMap(({ document, value }) => {
      if (!acts(value) || value.limit !== undefined) return [];
      return [{ document, path: ['spec', 'limit'], message: `the policy "${value.name}" has no \`limit\`` }];
    }),
};

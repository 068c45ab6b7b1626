import type { LintRule } from '../lint-rule.ts';

export const quiescedWithoutSteps: LintRule = {
  id: 'quiesced-without-steps',
  severity: 'warning',
  title: 'nothing stands still while a quiesced point is taken',
  why: '`consistency: quiesced` stops what the `quiesce` of the targets names. Where none names anything the targets change while they are captured, and do not fit each other afterwards.',
  mend: 'write `quiesce: [{ service: { unit: UNIT, do: stop } }]` to the targets, or `consistency: live`',
  find: ({ pointPolicies, targets }) =>
    pointPolicies.flatMap(({ document, value: { name, consistency, targets: names } }) => {
      const isStopped = targets.some(({ value }) => names.includes(value.name) && value.quiesce.length > 0);
      if (consistency !== 'quiesced' || isStopped) return [];
      const message = `"${name}" is quiesced, and no target of it has \`quiesce\``;
      return [{ document, path: ['spec', 'consistency'], message }];
    }),
};

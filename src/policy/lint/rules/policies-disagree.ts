import { formatOrigin } from '../../../core/model/origin.ts';
import type { RollbackPolicy } from '../../../core/model/policy.ts';
import type { Path } from '../../path.ts';
import type { LintRule } from '../lint-rule.ts';

export const policiesDisagree: LintRule = {
  id: 'policies-disagree',
  severity: 'warning',
  title: 'two policies set one flag to different variants',
  why: 'The newest latch wins. Which of the two variants is in effect then depends on which policy fired last.',
  mend: 'set the flag to the same variant in both, `to: safe` as a rule',
  find: ({ policies }) => {
    const firsts = new Map<string, { readonly to: string; readonly policy: RollbackPolicy }>();
    return policies.flatMap(({ document, value: policy }) =>
      flagsSet(policy).flatMap(({ flag, to, path }) => {
        const first = firsts.get(flag);
        if (first === undefined) firsts.set(flag, { to, policy });
        if (first === undefined || first.to === to || first.policy === policy) return [];
        const other = `"${first.policy.name}" (${formatOrigin(first.policy.origin)})`;
        const message = `the flag "${flag}" is set to ${to} here, and to ${first.to} by the policy ${other}`;
        return [{ document, path, message }];
      }),
    );
  },
};

function flagsSet({
  ladder,
}: RollbackPolicy): readonly { readonly flag: string; readonly to: string; readonly path: Path }[] {
  return ladder.flatMap(({ do: steps }, rung) =>
    steps.flatMap((step, index) => {
      if (step.kind !== 'setFlag') return [];
      const to = step.to.kind === 'safe' ? 'safe' : `"${step.to.variant}"`;
      return [{ flag: step.flag, to, path: ['spec', 'ladder', rung, 'do', index, 'setFlag', 'to'] }];
    }),
  );
}

import { isCodeTarget } from '../../../core/model/target.ts';
import type { LintRule } from '../lint-rule.ts';

export const nothingToGoBackTo: LintRule = {
  id: 'nothing-to-go-back-to',
  severity: 'warning',
  title: 'a rung restores what nobody captures',
  why: 'The rung looks for a point, finds none, and fails. `before: [rollback]` does not help: that is the state that the rollback is to leave.',
  mend: 'take points by `take: { schedule: "0 2 * * *" }`, or before and after each revision',
  find: ({ targets, pointPolicies, policies }) => {
    const captured = new Set(
      pointPolicies.flatMap(({ value: { take, targets: names, suspend } }) =>
        suspend || (take.schedule === null && !take.before.includes('revision') && take.after.length === 0)
          ? []
          : names,
      ),
    );
    const isBare = (name: string): boolean =>
      !captured.has(name) && targets.some(({ value }) => value.name === name && !isCodeTarget(value));
    return policies.flatMap(({ document, value: { ladder, suspend } }) =>
      ladder.flatMap((rung, index) =>
        rung.do.flatMap((step, place) => {
          if (suspend || step.kind !== 'restore' || !isBare(step.target)) return [];
          if (step.to.kind === 'safetyPoint' || step.to.kind === 'point') return [];
          const message = `no PointPolicy takes points of "${step.target}" before something goes wrong`;
          return [{ document, path: ['spec', 'ladder', index, 'do', place, 'restore', 'target'], message }];
        }),
      ),
    );
  },
};

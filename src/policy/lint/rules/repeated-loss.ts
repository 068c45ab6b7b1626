import type { Step } from '../../../core/model/step.ts';
import type { LintRule } from '../lint-rule.ts';
import { losesData } from '../loses-data.ts';

export const repeatedLoss: LintRule = {
  id: 'repeated-loss',
  severity: 'warning',
  title: 'what loses data is done again after a crash',
  why: '`repeatable: true` lets revertd do a step once more when a crash hid whether it was done. A restore that is done twice also undoes what was written in between.',
  mend: 'name a check that tells whether it is done: `unless: [...]`; without either, a person is asked',
  find: ({ policies }) =>
    policies.flatMap(({ document, value }) =>
      value.ladder.flatMap((rung, at) =>
        (['do', 'onFailure'] as const).flatMap((list) =>
          rung[list].flatMap((step, index) => {
            if (!isRepeatable(step) || losesData(step) === undefined) return [];
            const path = ['spec', 'ladder', at, list, index, step.kind, 'repeatable'];
            return [{ document, path, message: `a step that loses data is repeatable: ${losesData(step)}` }];
          }),
        ),
      ),
    ),
};

function isRepeatable(step: Step): boolean {
  return (step.kind === 'run' || step.kind === 'http') && step.repeatable;
}

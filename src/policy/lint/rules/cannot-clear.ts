import type { Trigger } from '../../../core/model/trigger.ts';
import type { LintRule } from '../lint-rule.ts';
import { type ValueRange, valueRange } from '../value-range.ts';

export const cannotClear: LintRule = {
  id: 'cannot-clear',
  severity: 'warning',
  title: 'a trigger has fired for good',
  why: 'Where the value that clears a trigger cannot be reached, it fires until the policy changes: every rung fails its verification, and no latch is lifted.',
  mend: 'choose a `clear` that a healthy system reaches; limits themselves do not count, so that `below: 0` is never true of a rate',
  find: (world) =>
    world.queries.flatMap(({ document, path, expr, trigger }) => {
      const side = trigger?.clear?.threshold.kind;
      if (trigger === undefined || side === undefined || !isOutOfReach(trigger, valueRange(expr))) return [];
      const message = `the trigger "${trigger.name}" never clears: the query does not get ${side} that value`;
      return [{ document, path: [...path.slice(0, -1), 'clear', side], message }];
    }),
};

function isOutOfReach({ clear }: Trigger, { low, high }: ValueRange): boolean {
  if (clear?.threshold.kind === 'below') return low >= clear.threshold.value;
  return clear?.threshold.kind === 'above' && high <= clear.threshold.value;
}

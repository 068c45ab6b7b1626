import type { CheckThreshold } from '../../../core/model/check.ts';
import { formatCheckThreshold } from '../../../core/model/describe-check.ts';
import type { Expr } from '../../../promql/ast.ts';
import type { LintRule } from '../lint-rule.ts';
import { everyExpr } from '../queries.ts';
import { type ValueRange, valueRange } from '../value-range.ts';

export const thresholdOutOfRange: LintRule = {
  id: 'threshold-out-of-range',
  severity: 'warning',
  title: 'a threshold lies where the query never is, or always',
  why: 'A threshold that cannot be crossed protects nothing, and one that is always crossed rolls back for ever. Often a share is held against a percentage.',
  mend: 'put the threshold between what the query gives when all is well and when it is not; a share is between 0 and 1',
  find: (world) =>
    world.queries.flatMap(({ document, thresholdPath, expr, threshold, trigger }) => {
      if (threshold.kind === 'baseline') return [];
      const range = valueRange(expr);
      const verdict = judge(threshold, range);
      if (verdict === undefined || (verdict === 'always' && answersByAbsence(expr))) return [];
      const meaning = trigger === undefined ? CHECK_MEANING[verdict] : TRIGGER_MEANING[verdict];
      const message = `the query is always ${rangeText(range)}, so \`${formatCheckThreshold(threshold)}\` is ${verdict} true: ${meaning}`;
      return [{ document, path: thresholdPath, message }];
    }),
};

/** Queries that have data only when something is wrong; what they have then says nothing. */
function answersByAbsence(expr: Expr): boolean {
  return [...everyExpr(expr)].some(
    (part) =>
      (part.kind === 'call' && /^(absent|present)/.test(part.name)) ||
      (part.kind === 'aggregate' && ['count', 'group', 'count_values'].includes(part.op)) ||
      (part.kind === 'binary' && (part.op === 'and' || part.op === 'unless' || (/[=<>]/.test(part.op) && !part.bool))),
  );
}

type Verdict = 'never' | 'always';

const TRIGGER_MEANING: Readonly<Record<Verdict, string>> = {
  never: 'the trigger cannot fire',
  always: 'the trigger always breaches',
};
const CHECK_MEANING: Readonly<Record<Verdict, string>> = {
  never: 'the check cannot succeed',
  always: 'the check cannot fail',
};

/** Thresholds themselves are not crossed: `above: 1` is never true of something that is at most 1. */
function judge(threshold: CheckThreshold, { low, high }: ValueRange): Verdict | undefined {
  switch (threshold.kind) {
    case 'equals':
      if (threshold.value < low || threshold.value > high) return 'never';
      return low === high ? 'always' : undefined;
    case 'above':
      if (high <= threshold.value) return 'never';
      return low > threshold.value ? 'always' : undefined;
    case 'below':
      if (low >= threshold.value) return 'never';
      return high < threshold.value ? 'always' : undefined;
    case 'outside':
      if (low >= threshold.low && high <= threshold.high) return 'never';
      return low > threshold.high || high < threshold.low ? 'always' : undefined;
    default:
      return threshold satisfies never;
  }
}

function rangeText({ low, high }: ValueRange): string {
  if (low === high) return String(low);
  if (high === Infinity) return low === 0 ? '0 or more' : `${low} or more`;
  return low === -Infinity ? `${high} or less` : `from ${low} to ${high}`;
}

import { type Expr, unwrapParens } from '../../../promql/ast.ts';
import { isShareOf, plainCounter } from '../counters.ts';
import type { LintRule } from '../lint-rule.ts';
import type { JudgedQuery } from '../queries.ts';

const PART = /(error|fail|timeout|reject|drop|miss|hit|success|abort|retr|exception|invalid|denied)/;

export const percentMixUp: LintRule = {
  id: 'percent-mix-up',
  severity: 'warning',
  title: 'a share is held against a percentage, or the other way round',
  why: 'Five percent is 0.05 of a share and 5 of a percentage. Mixed up, the trigger never fires, or always.',
  mend: 'write the threshold in the unit of the query: `above: 0.05` for `a / b`, `above: 5` for `100 * a / b`',
  find: (world) =>
    world.queries.flatMap(({ document, thresholdPath, expr, threshold }) => {
      const value = valueOf(threshold);
      if (value === undefined) return [];
      if (isPercentage(expr) && value > 0 && value < 1) {
        return [
          {
            document,
            path: thresholdPath,
            message: `the query gives a percentage; ${value} of it is less than one percent`,
          },
        ];
      }
      if (isLikelyShare(expr) && value > 1 && value <= 100) {
        const message = `the query gives a share, which is hardly ever beyond 1; ${value} looks like a percentage`;
        return [
          { document, path: thresholdPath, message, mend: `write ${value / 100}, or let the query give percent` },
        ];
      }
      return [];
    }),
};

function valueOf(threshold: JudgedQuery['threshold']): number | undefined {
  return threshold.kind === 'above' || threshold.kind === 'below' ? threshold.value : undefined;
}

function isPercentage(expr: Expr): boolean {
  const top = unwrapParens(expr);
  if (top.kind === 'selector') return /_percent(age)?$/.test(top.name ?? '');
  if (top.kind !== 'binary') return false;
  if (top.op === '*') return [top.left, top.right].some((side) => isNumber(side, 100));
  return top.op === '/' && [top.left].some((side) => isPercentage(side));
}

function isNumber(expr: Expr, value: number): boolean {
  const inner = unwrapParens(expr);
  return inner.kind === 'number' && inner.value === value;
}

/** What is certainly a share is found out of range; here are those that are so by their names. */
function isLikelyShare(expr: Expr): boolean {
  const top = unwrapParens(expr);
  if (top.kind === 'selector') return top.name?.endsWith('_ratio') === true;
  if (top.kind !== 'binary' || top.op !== '/' || isShareOf(top.left, top.right)) return false;
  const [part, whole] = [plainCounter(top.left), plainCounter(top.right)];
  return PART.test(part?.name ?? '') && whole !== undefined && !PART.test(whole.name ?? '');
}

import { type Binary, type Expr, unwrapParens } from '../../../promql/ast.ts';
import { countersIn, hasStandIn, withoutStandIn } from '../counters.ts';
import type { LintRule } from '../lint-rule.ts';
import { everyExpr, exprText } from '../queries.ts';

export const emptyRatio: LintRule = {
  id: 'empty-ratio',
  severity: 'warning',
  title: 'a ratio is empty while one of its counters has no series yet',
  why: 'A counter has no series before its first event. Then the ratio has no data: with `noData: hold` the trigger stays unknown, a share of nothing is never seen, and a verification on it asks a person.',
  mend: 'let the missing side be zero wherever the other one is there: `(sum(rate(a[5m])) or 0 * sum(rate(b[5m]))) / sum(rate(b[5m]))`; or write what no data means: `noData: clear` or `fire`',
  find: (world) =>
    world.queries
      .filter(({ trigger }) => (trigger?.noData ?? 'hold') === 'hold')
      .flatMap(({ document, path, expr }) => {
        const side = [...everyExpr(expr)].map(missingSide).find((found) => found !== undefined);
        if (side === undefined) return [];
        return [{ document, path, message: `the ratio has no data while ${exprText(side)} has no series` }];
      }),
};

/** The side of a quotient that can be missing while the other one is there. */
function missingSide(expr: Expr): Expr | undefined {
  if (expr.kind !== 'binary' || expr.op !== '/') return undefined;
  return [expr.left, expr.right].find((side) => canBeMissing(side, expr));
}

function canBeMissing(side: Expr, { left, right }: Binary): boolean {
  if (hasStandIn(side)) return false;
  const own = countersIn(unwrapParens(side));
  const others = countersIn(withoutStandIn(side === left ? right : left));
  if (own.length === 0 || others.length === 0) return false;
  return own.some((selector) => others.every((other) => isApart(selector, other, side === left)));
}

type Selector = ReturnType<typeof countersIn>[number];

/** Not born together: another counter above the line, or the same one narrowed by a label that the other side lacks. */
function isApart(selector: Selector, other: Selector, isAbove: boolean): boolean {
  if (familyOf(selector.name) !== familyOf(other.name)) return isAbove;
  return selector.matchers.some(
    ({ name, op, value }) =>
      !['job', 'instance', '__name__'].includes(name) &&
      !other.matchers.some((known) => known.name === name && known.op === op && known.value === value),
  );
}

/** The parts of one histogram or summary have their series at the same time. */
function familyOf(name: string | undefined): string {
  return (name ?? '').replace(/_(sum|count|bucket)$/, '');
}

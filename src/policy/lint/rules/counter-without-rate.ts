import { childrenOf, type Expr, unwrapParens, type VectorSelector } from '../../../promql/ast.ts';
import { isCounterFunction, isCounterName } from '../counters.ts';
import type { LintRule } from '../lint-rule.ts';
import { isZeroGuard } from '../queries.ts';

/** What asks whether a counter is there, or when it was seen, and not how far it has counted. */
const HARMLESS = [
  'absent',
  'absent_over_time',
  'present_over_time',
  'count_over_time',
  'timestamp',
  'delta',
  'idelta',
  'deriv',
];

export const counterWithoutRate: LintRule = {
  id: 'counter-without-rate',
  severity: 'warning',
  title: 'a counter is compared as it stands',
  why: 'A counter only grows until its process restarts. A threshold on it is crossed once and stays crossed: the trigger fires for ever, and no rollback clears it.',
  mend: 'compare how fast it grows: `rate(x[5m])` for events a second, `increase(x[5m])` for events in that time',
  find: (world) =>
    world.queries.flatMap(({ document, path, expr }) => {
      const [counter] = bareCounters(expr);
      if (counter === undefined) return [];
      const message = `the counter \`${counter.name}\` is compared as it stands, without rate or increase`;
      return [{ document, path, message }];
    }),
};

function bareCounters(expr: Expr): readonly VectorSelector[] {
  if (isZeroGuard(expr)) return [];
  if (expr.kind === 'call' && (isCounterFunction(expr.name) || HARMLESS.includes(expr.name))) return [];
  if (expr.kind === 'aggregate' && ['count', 'group'].includes(expr.op)) return [];
  if (expr.kind === 'binary' && expr.op === '-' && isDifference(expr.left, expr.right)) return [];
  if (expr.kind === 'selector') return isCounterName(expr.name) ? [expr] : [];
  return childrenOf(expr).flatMap(bareCounters);
}

/** `x - x offset 5m` is an increase, if not a good one. */
function isDifference(left: Expr, right: Expr): boolean {
  const [now, then] = [unwrapParens(left), unwrapParens(right)];
  return now.kind === 'selector' && then.kind === 'selector' && now.name === then.name;
}

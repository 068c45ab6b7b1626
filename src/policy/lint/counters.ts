import type { Expr, VectorSelector } from '../../promql/ast.ts';
import { unwrapParens } from '../../promql/ast.ts';
import { everyExpr } from './queries.ts';

/** Functions that read a counter as it grows, and know that it starts anew at a restart. */
const COUNTER_FUNCTIONS = ['rate', 'increase', 'irate', 'resets', 'changes'];

export function isCounterFunction(name: string): boolean {
  return COUNTER_FUNCTIONS.includes(name);
}

/** By the convention of Prometheus and OpenMetrics: only counters, and the parts of histograms, are called so. */
export function isCounterName(name: string | undefined): boolean {
  return name !== undefined && /_(total|bucket|count)$/.test(name);
}

/** Names that are given to what goes up and down. */
export function isGaugeName(name: string | undefined): boolean {
  return (
    name !== undefined &&
    /_(bytes|ratio|percent|celsius|info|active|open|current|usage|size|in_use|in_progress)$/.test(name)
  );
}

/** The selectors of counters, each read through one of their functions. */
export function countersIn(expr: Expr): readonly VectorSelector[] {
  return [...everyExpr(expr)].flatMap((part) => {
    if (part.kind !== 'call' || !isCounterFunction(part.name)) return [];
    const [range] = part.args.map(unwrapParens);
    return range?.kind === 'range' ? [range.selector] : [];
  });
}

/** Whether a side has an answer where its own series is missing: `x or vector(0)`, `x or 0 * y`. */
export function hasStandIn(expr: Expr): boolean {
  const top = unwrapParens(expr);
  if (top.kind === 'binary' && top.op === 'or') return true;
  if (top.kind === 'binary' && ['+', '-', '*', '/'].includes(top.op)) {
    return [top.left, top.right].every((side) => unwrapParens(side).kind === 'number' || hasStandIn(side));
  }
  return (top.kind === 'aggregate' || top.kind === 'unary') && hasStandIn(top.expr);
}

/** The operand of `or` that says what is meant, without the stand-ins behind it. */
export function withoutStandIn(expr: Expr): Expr {
  const top = unwrapParens(expr);
  return top.kind === 'binary' && top.op === 'or' ? withoutStandIn(top.left) : top;
}

/** Whether an expression is one counter read by a function, added up or not, and neither scaled nor shifted. */
function isPlainCount(expr: Expr): boolean {
  const top = unwrapParens(expr);
  return top.kind === 'aggregate' ? isPlainCount(top.expr) : top.kind === 'call' && isCounterFunction(top.name);
}

/** The counter of a side of a quotient; undefined if it is scaled, or there are several. */
export function plainCounter(side: Expr): VectorSelector | undefined {
  const meant = withoutStandIn(side);
  const [counter, ...more] = countersIn(meant);
  return more.length === 0 && isPlainCount(meant) ? counter : undefined;
}

/** Whether `part` counts some of what `whole` counts: the same series, narrowed by more labels. */
export function isShareOf(part: Expr, whole: Expr): boolean {
  const [left, right] = [plainCounter(part), plainCounter(whole)];
  if (left?.name === undefined || left.name !== right?.name) return false;
  return right.matchers.every((wanted) =>
    left.matchers.some(({ name, op, value }) => name === wanted.name && op === wanted.op && value === wanted.value),
  );
}

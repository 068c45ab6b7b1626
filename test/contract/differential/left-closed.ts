import type { Expr, VectorSelector } from '../../../src/promql/ast.ts';

/** Less than the resolution of timestamps, more than that of the floating-point numbers which hold them. */
export const EDGE_MS = 0.0005;

/**
 * The same expression with ranges that are closed on the left, as Prometheus 2 has them: every range begins half a
 * microsecond earlier. That takes in a sample which lies exactly on the edge and no other, as timestamps are whole
 * milliseconds; a rate changes by the 10^-6th part or less.
 */
export function leftClosed(expr: Expr): Expr {
  switch (expr.kind) {
    case 'number':
    case 'string':
    case 'selector':
      return expr;
    case 'range':
      return { ...expr, selector: expr.selector satisfies VectorSelector, rangeMs: expr.rangeMs + EDGE_MS };
    case 'subquery':
      return { ...expr, expr: leftClosed(expr.expr), rangeMs: expr.rangeMs + EDGE_MS };
    case 'paren':
    case 'unary':
      return { ...expr, expr: leftClosed(expr.expr) };
    case 'binary':
      return { ...expr, left: leftClosed(expr.left), right: leftClosed(expr.right) };
    case 'aggregate': {
      const inner = { ...expr, expr: leftClosed(expr.expr) };
      return expr.param === undefined ? inner : { ...inner, param: leftClosed(expr.param) };
    }
    case 'call':
      return { ...expr, args: expr.args.map(leftClosed) };
    default:
      return expr satisfies never;
  }
}

import type { Millis } from '../core/units.ts';
import { childrenOf, type Expr, type TimeShift } from './ast.ts';
import type { Matcher } from './series.ts';

export type SelectorUse = { readonly name?: string; readonly matchers: readonly Matcher[] };

/** Every selector of the expression, in the order of the text. */
export function selectorsOf(expr: Expr): SelectorUse[] {
  if (expr.kind !== 'selector') return childrenOf(expr).flatMap(selectorsOf);
  return [{ ...(expr.name === undefined ? {} : { name: expr.name }), matchers: expr.matchers }];
}

/**
 * How far back the samples reach that the expression needs for one instant: ranges, subqueries and offsets, nested ones
 * added up. An instant selector counts as `lookbackMs`: with 0 this is what the query is about, with the lookback all that has
 * to be kept. A fixed `@` time has no distance to the instant and counts as if it were the instant.
 */
export function windowOf(expr: Expr, lookbackMs: Millis = 0): Millis {
  switch (expr.kind) {
    case 'selector':
      return reach(expr, lookbackMs);
    case 'range':
      return reach(expr.selector, expr.rangeMs);
    case 'subquery':
      return reach(expr, expr.rangeMs + windowOf(expr.expr, lookbackMs));
    default:
      return Math.max(0, ...childrenOf(expr).map((child) => windowOf(child, lookbackMs)));
  }
}

function reach(shift: TimeShift, spanMs: Millis): Millis {
  return Math.max(0, spanMs + shift.offsetMs);
}

/** Whether the expression asks for series that are missing, so that having no data is an answer. */
export function usesAbsence(expr: Expr): boolean {
  if (expr.kind === 'call' && (expr.name === 'absent' || expr.name === 'absent_over_time')) return true;
  return childrenOf(expr).some(usesAbsence);
}

import { childrenOf, type Expr } from '../../src/promql/ast.ts';

/** Functions whose result depends on the instant of evaluation even if their arguments do not. */
const TIME_DEPENDENT: ReadonlySet<string> = new Set(
  (
    'day_of_month day_of_week day_of_year days_in_month end hour minute month predict_linear ' +
    'range start step time timestamp year'
  ).split(' '),
);

/**
 * The query with every selector and outermost subquery pinned to `at` by the `@` modifier, and other instants at which it must give the
 * same answer. None for queries that depend on the instant in another way.
 */
export function pinnedVariants(expr: Expr, at: number): { readonly expr: Expr; readonly at: number }[] {
  if (dependsOnInstant(expr)) return [];
  const pinned = pin(expr, at);
  const instants = at === 0 ? [-1000, 0, 1000] : [-10 * at, 0, Math.trunc(at / 5), at, 10 * at];
  return instants.map((instant) => ({ expr: pinned, at: instant }));
}

function dependsOnInstant(expr: Expr): boolean {
  if (expr.kind === 'call' && TIME_DEPENDENT.has(expr.name)) return true;
  const shift = expr.kind === 'selector' || expr.kind === 'subquery' ? expr.at?.kind : undefined;
  return shift === 'start' || shift === 'end' || childrenOf(expr).some(dependsOnInstant);
}

function pin(expr: Expr, at: number): Expr {
  const time = { kind: 'time', at } as const;
  switch (expr.kind) {
    case 'number':
    case 'string':
      return expr;
    case 'selector':
      return { ...expr, at: expr.at ?? time };
    case 'range':
      return { ...expr, selector: { ...expr.selector, at: expr.selector.at ?? time } };
    case 'subquery':
      return { ...expr, at: expr.at ?? time };
    case 'paren':
    case 'unary':
      return { ...expr, expr: pin(expr.expr, at) };
    case 'binary':
      return { ...expr, left: pin(expr.left, at), right: pin(expr.right, at) };
    case 'aggregate':
      return { ...expr, expr: pin(expr.expr, at), ...(expr.param === undefined ? {} : { param: pin(expr.param, at) }) };
    case 'call':
      return { ...expr, args: expr.args.map((arg) => pin(arg, at)) };
    default:
      return expr satisfies never;
  }
}

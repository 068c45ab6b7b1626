import { type Expr, unwrapParens } from '../../../promql/ast.ts';
import type { LintRule } from '../lint-rule.ts';
import { everyExpr, exprText } from '../queries.ts';

const SMOOTH =
  /^(rate|increase|irate|delta|deriv|avg_over_time|quantile_over_time|histogram_quantile|predict_linear|stddev_over_time)$/;

export const floatEquality: LintRule = {
  id: 'float-equality',
  severity: 'warning',
  title: 'measured numbers are compared for equality',
  why: 'Rates, averages and quotients are rounded. They are hardly ever exactly a number, so that `==` is hardly ever true and `!=` hardly ever false.',
  mend: 'compare with `>` or `<`, or round first: `round(x, 0.01) == 0.5`',
  find: (world) =>
    world.queries.flatMap(({ document, path, expr }) =>
      [...everyExpr(expr)].flatMap((part) => {
        if (part.kind !== 'binary' || !['==', '!='].includes(part.op)) return [];
        const measured = [part.left, part.right].find(isMeasured);
        return measured === undefined
          ? []
          : [{ document, path, message: `\`${part.op}\` compares ${exprText(measured)}, which is not a whole number` }];
      }),
    ),
};

function isMeasured(expr: Expr): boolean {
  const inner = unwrapParens(expr);
  if (inner.kind === 'number') return !Number.isInteger(inner.value);
  if (inner.kind === 'call' && ['round', 'floor', 'ceil'].includes(inner.name)) return false;
  return [...everyExpr(inner)].some(
    (part) =>
      (part.kind === 'call' && SMOOTH.test(part.name)) ||
      (part.kind === 'aggregate' && ['avg', 'quantile', 'stddev', 'stdvar'].includes(part.op)) ||
      (part.kind === 'binary' && part.op === '/'),
  );
}

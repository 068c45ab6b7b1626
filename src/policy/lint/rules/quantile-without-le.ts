import { type Expr, unwrapParens } from '../../../promql/ast.ts';
import type { LintRule } from '../lint-rule.ts';
import { judgedExpr } from '../queries.ts';

export const quantileWithoutLe: LintRule = {
  id: 'quantile-without-le',
  severity: 'warning',
  title: 'a quantile is taken of buckets that were added up',
  why: '`histogram_quantile` tells buckets apart by the label `le`. Without it, or with a quantile that is not between 0 and 1, it never has a number, and the trigger never fires.',
  mend: 'keep `le` in the aggregation: `histogram_quantile(0.95, sum by (le) (rate(x_bucket[5m])))`',
  find: (world) =>
    world.queries.flatMap(({ document, path, expr }) =>
      [...judgedExpr(expr)].flatMap((part) => {
        const message = part.kind === 'call' && part.name === 'histogram_quantile' ? fault(part.args) : undefined;
        return message === undefined ? [] : [{ document, path, message }];
      }),
    ),
};

function fault([quantile, buckets]: readonly Expr[]): string | undefined {
  const level = quantile === undefined ? undefined : unwrapParens(quantile);
  if (level?.kind === 'number' && (level.value < 0 || level.value > 1)) {
    return `the quantile ${level.value} is not between 0 and 1`;
  }
  const inner = buckets === undefined ? undefined : unwrapParens(buckets);
  if (inner?.kind !== 'aggregate') return undefined;
  const keepsLe = inner.grouping.includes('le') !== inner.without;
  return keepsLe ? undefined : `\`${inner.op}\` drops the label \`le\`, which \`histogram_quantile\` needs`;
}

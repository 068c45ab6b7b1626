import { type Aggregate, type Binary, type Expr, unwrapParens } from '../../../promql/ast.ts';
import { withoutStandIn } from '../counters.ts';
import type { LintRule } from '../lint-rule.ts';
import { judgedExpr } from '../queries.ts';

export const sidesNeverMatch: LintRule = {
  id: 'sides-never-match',
  severity: 'warning',
  title: 'two sides of an operator keep different labels',
  why: 'Elements of two vectors are combined when all their labels are equal. Sides that were aggregated by different labels never are, and the query has no data, ever.',
  mend: 'aggregate both sides by the same labels, or say which count: `a / on (job) group_left b`',
  find: (world) =>
    world.queries.flatMap(({ document, path, expr }) =>
      [...judgedExpr(expr)].flatMap((part) => {
        const message = part.kind === 'binary' ? mismatch(part) : undefined;
        return message === undefined ? [] : [{ document, path, message }];
      }),
    ),
};

function mismatch({ op, left, right, matching }: Binary): string | undefined {
  if (matching.on || matching.labels.length > 0 || op === 'or' || op === 'unless') return undefined;
  const [above, below] = [labelsOf(left), labelsOf(right)];
  if (above === undefined || below === undefined || above === below) return undefined;
  return `the sides of \`${op}\` keep different labels: ${named(above)} and ${named(below)}`;
}

/** The labels that an aggregation leaves, in order; undefined where they depend on the series. */
function labelsOf(expr: Expr): string | undefined {
  const inner = withoutStandIn(unwrapParens(expr));
  if (inner.kind === 'aggregate') return groupingOf(inner);
  if (inner.kind !== 'call') return undefined;
  if (['abs', 'ceil', 'floor', 'round', 'clamp', 'clamp_min', 'clamp_max'].includes(inner.name)) {
    return inner.args[0] === undefined ? undefined : labelsOf(inner.args[0]);
  }
  const buckets = inner.name === 'histogram_quantile' ? inner.args[1] : undefined;
  if (buckets === undefined) return undefined;
  const labels = labelsOf(buckets)?.split(',');
  return labels?.filter((label) => label !== 'le').join(',');
}

function groupingOf({ op, without, grouping }: Aggregate): string | undefined {
  const isKept = without || ['topk', 'bottomk', 'limitk', 'limit_ratio', 'count_values'].includes(op);
  return isKept ? undefined : [...new Set(grouping)].sort().join(',');
}

function named(labels: string): string {
  return labels === '' ? 'none' : labels.replaceAll(',', ', ');
}

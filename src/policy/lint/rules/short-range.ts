import { formatDuration } from '../../../core/units.ts';
import { type Expr, unwrapParens } from '../../../promql/ast.ts';
import type { LintRule, LintWorld } from '../lint-rule.ts';
import { judgedExpr } from '../queries.ts';
import { intervalOfSelector } from '../sampling.ts';

const FUNCTIONS = ['rate', 'increase', 'delta', 'deriv', 'predict_linear', 'irate', 'idelta'];
const SCRAPES = 4;

export const shortRange: LintRule = {
  id: 'short-range',
  severity: 'warning',
  title: 'a range is shorter than four scrapes',
  why: 'A rate needs two samples. In a range of fewer than four scrapes one lost scrape leaves it without data, just when the target is slow to answer.',
  mend: 'make the range at least four times the interval of the source, or sample more often',
  find: (world) =>
    world.queries
      .filter(({ remote }) => remote === undefined)
      .flatMap(({ document, path, expr }) => {
        const [short] = [...judgedExpr(expr)].flatMap((part) => tooShort(world, part));
        return short === undefined ? [] : [{ document, path, ...short }];
      }),
};

function tooShort(world: LintWorld, part: Expr): readonly { readonly message: string; readonly mend: string }[] {
  if (part.kind !== 'call' || !FUNCTIONS.includes(part.name)) return [];
  const [range] = part.args.map(unwrapParens);
  if (range?.kind !== 'range') return [];
  const interval = intervalOfSelector(world, range.selector);
  if (interval === undefined || range.rangeMs >= SCRAPES * interval) return [];
  // Below two scrapes the loader warns.
  if (range.rangeMs < 2 * interval) return [];
  const found = `\`${part.name}\` over ${formatDuration(range.rangeMs)} sees ${Math.floor(range.rangeMs / interval)} scrapes`;
  const least = formatDuration(SCRAPES * interval);
  return [
    { message: `${found}: its source is sampled every ${formatDuration(interval)}`, mend: `write [${least}] or more` },
  ];
}

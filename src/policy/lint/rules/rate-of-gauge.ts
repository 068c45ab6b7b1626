import { unwrapParens } from '../../../promql/ast.ts';
import { isCounterFunction, isGaugeName } from '../counters.ts';
import type { LintRule } from '../lint-rule.ts';
import { judgedExpr } from '../queries.ts';

export const rateOfGauge: LintRule = {
  id: 'rate-of-gauge',
  severity: 'warning',
  title: 'a gauge is read as a counter',
  why: '`rate` and `increase` take every fall for a restart and add it up. Of what goes up and down they make a number that means nothing.',
  mend: 'use `delta` or `deriv` for how a gauge changes, `avg_over_time` or `max_over_time` for what it was',
  find: (world) =>
    world.queries.flatMap(({ document, path, expr }) =>
      [...judgedExpr(expr)].flatMap((part) => {
        if (part.kind !== 'call' || !isCounterFunction(part.name) || part.name === 'changes') return [];
        const [range] = part.args.map(unwrapParens);
        if (range?.kind !== 'range' || !isGaugeName(range.selector.name)) return [];
        const message = `\`${part.name}\` is taken of \`${range.selector.name}\`, which is a gauge by its name`;
        return [{ document, path, message }];
      }),
    ),
};

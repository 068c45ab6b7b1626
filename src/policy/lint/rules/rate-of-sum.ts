import { unwrapParens } from '../../../promql/ast.ts';
import { isCounterFunction } from '../counters.ts';
import type { LintRule } from '../lint-rule.ts';
import { everyExpr, judgedExpr } from '../queries.ts';

export const rateOfSum: LintRule = {
  id: 'rate-of-sum',
  severity: 'warning',
  title: 'counters are added before their rate is taken',
  why: 'When one of the added counters restarts, the sum falls, and `rate` takes the whole of it for new events: a restart looks like a flood.',
  mend: 'take the rate first, then the sum: `sum(rate(x[5m]))`',
  find: (world) =>
    world.queries.flatMap(({ document, path, expr }) =>
      [...judgedExpr(expr)].flatMap((part) => {
        if (part.kind !== 'call' || !isCounterFunction(part.name)) return [];
        const [range] = part.args.map(unwrapParens);
        if (range?.kind !== 'subquery') return [];
        const sum = [...everyExpr(range.expr)].find((inner) => inner.kind === 'aggregate');
        if (sum?.kind !== 'aggregate') return [];
        return [{ document, path, message: `\`${part.name}\` is taken of \`${sum.op}(…)\` over a subquery` }];
      }),
    ),
};

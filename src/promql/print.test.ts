import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anyExpression } from '../../test/conformance/arbitrary-expression.ts';
import type { Expr } from './ast.ts';
import { parseQuery } from './parse.ts';
import { printQuery } from './print.ts';

/** Without positions and parentheses, which printing changes. */
function bare(expr: Expr): unknown {
  return JSON.parse(JSON.stringify(expr), (key, found: unknown) => {
    if (key === 'start' || key === 'end' || key === 'opSpan') return undefined;
    return isParen(found) ? found.expr : found;
  });
}

function isParen(found: unknown): found is { expr: unknown } {
  return typeof found === 'object' && found !== null && 'kind' in found && found.kind === 'paren';
}

describe('printQuery', () => {
  it('is undone by parseQuery', () => {
    fc.assert(
      fc.property(anyExpression, (expr) => {
        expect(bare(parseQuery(printQuery(expr)))).toStrictEqual(bare(expr));
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    ['-1 ^ 2', '-1 ^ 2'],
    ['(-1) ^ 2', '(-1) ^ 2'],
    ['a - b - c', 'a - b - c'],
    ['a - (b - c)', 'a - (b - c)'],
    ['2 ^ 3 ^ 4', '2 ^ 3 ^ 4'],
    [
      'sum without(x) (rate(a{b!="c"}[90s] offset -1h @ end()))',
      'sum without (x) (rate(a{b!="c"}[90s] @ end() offset -1h))',
    ],
    ['(a + b)[1h:]', '(a + b)[1h:]'],
    ['a > bool on () group_left (x) b', 'a > bool on () group_left (x) b'],
    ['{"my.metric", l=~"x.*"}', '{"my.metric", l=~"x.*"}'],
  ])('writes %s as %s', (query, printed) => {
    expect(printQuery(parseQuery(query))).toBe(printed);
  });
});

/** Random PromQL expressions, for properties that hold for all of them. Most do not type-check. */
import * as fc from 'fast-check';
import type { AggregateOperator, BinaryOperator, Expr, VectorSelector } from '../../src/promql/ast.ts';

const AT = { start: 0, end: 0 } as const;

const name = fc.constantFrom('up', 'http_requests_total', 'job:errors:rate5m', 'sum', 'by', 'and', 'start', '_x');
const labelName = fc.constantFrom('job', 'instance', 'le', 'on', 'bool', 'a b', 'ü', '__name__x');
const text = fc.oneof(
  fc.constantFrom('', 'a', '.+', '5..', 'x"y', '\\d+\n', 'ünï😀', '#', ')'),
  fc.string({ maxLength: 8 }),
);
const value = fc.constantFrom(0, 1, -1, 0.5, 1e-9, 1e21, 123456789.25, Infinity, -Infinity, NaN);
const duration = fc.constantFrom(1, 999, 1000, 60_000, 90_000, 3_600_000, 86_400_000, 604_800_000);

const matcher = fc.record({ name: labelName, op: fc.constantFrom('=' as const, '!=', '=~', '!~'), value: text });
const at = fc.oneof(
  fc.constant(undefined),
  fc.integer({ min: -1e9, max: 1e12 }).map((time) => ({ kind: 'time', at: time }) as const),
  fc.constant({ kind: 'start' } as const),
  fc.constant({ kind: 'end' } as const),
);
const shift = fc
  .record({
    offsetMs: fc.oneof(
      fc.constant(0),
      duration,
      duration.map((span) => -span),
    ),
    at,
  })
  .map((found) => (found.at === undefined ? { offsetMs: found.offsetMs } : { offsetMs: found.offsetMs, at: found.at }));

const selector: fc.Arbitrary<VectorSelector> = fc.tuple(name, fc.array(matcher, { maxLength: 3 }), shift).map(
  ([metric, matchers, moved]): VectorSelector => ({
    kind: 'selector',
    name: metric,
    matchers: [...matchers, { name: '__name__', op: '=', value: metric }],
    ...moved,
    ...AT,
  }),
);

const operator = fc.constantFrom<BinaryOperator>(
  ...(['+', '-', '*', '/', '%', '^', 'atan2', '==', '!=', '>', '<', '>=', '<=', 'and', 'or', 'unless'] as const),
);
const names = fc.uniqueArray(labelName, { maxLength: 2 });
const matching = fc
  .record({ on: fc.boolean(), labels: names, include: names })
  .map(({ on, labels, include }) =>
    on ? { on, labels, group: 'left' as const, include } : { on, labels, include: [] },
  );
const aggregates = fc.constantFrom<AggregateOperator>('sum', 'avg', 'min', 'group', 'stddev');

const { expr } = fc.letrec<{ expr: Expr }>((tie) => ({
  expr: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    selector,
    value.map((number): Expr => ({ kind: 'number', value: number, ...AT })),
    text.map((found): Expr => ({ kind: 'string', value: found, ...AT })),
    fc.tuple(selector, duration).map(([found, rangeMs]): Expr => ({ kind: 'range', selector: found, rangeMs, ...AT })),
    fc.tuple(tie('expr'), duration, duration, shift).map(
      ([inner, rangeMs, stepMs, moved]): Expr => ({
        kind: 'subquery',
        expr: inner,
        rangeMs,
        stepMs,
        ...moved,
        ...AT,
      }),
    ),
    fc
      .tuple(fc.constantFrom('+' as const, '-'), selector)
      .map(([op, inner]): Expr => ({ kind: 'unary', op, expr: inner, ...AT })),
    fc.tuple(operator, tie('expr'), tie('expr'), matching, fc.boolean()).map(
      ([op, left, right, found, bool]): Expr => ({
        kind: 'binary',
        op,
        opSpan: AT,
        left,
        right,
        bool,
        matching: found,
        ...AT,
      }),
    ),
    fc
      .tuple(aggregates, tie('expr'), names, fc.boolean())
      .map(
        ([op, inner, grouping, without]): Expr => ({ kind: 'aggregate', op, expr: inner, grouping, without, ...AT }),
      ),
    fc
      .tuple(fc.constantFrom('rate', 'abs', 'clamp', 'label_join'), fc.array(tie('expr'), { maxLength: 3 }))
      .map(([called, args]): Expr => ({ kind: 'call', name: called, args, ...AT })),
  ),
}));

export const anyExpression: fc.Arbitrary<Expr> = expr;

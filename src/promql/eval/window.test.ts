import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { compileQuery } from '../evaluate.ts';
import { shareInterner } from '../labels.ts';
import { parseQuery } from '../parse.ts';
import type { Queryable, Series } from '../series.ts';
import { writeStale } from '../staleness.ts';

const MINUTE = 60_000;

/** A counter with restarts, pauses and NaN; one sample a minute. */
const someValues = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.nat(20) },
    fc.constant('stale' as const),
    fc.constant('none' as const),
    fc.constant(Number.NaN),
  ),
  { minLength: 2, maxLength: 25 },
);

const QUERIES = [
  'rate(c_total[4m])',
  'increase(c_total[1m30s] offset 1m)',
  'resets(c_total[9m])',
  'delta(c_total[3m])',
];

function storeOf(columns: readonly (readonly (number | 'stale' | 'none')[])[]): Queryable {
  const series = columns.map((column, i): Series => {
    const points = column.flatMap((value, n) => (value === 'none' ? [] : [{ at: n * MINUTE, value }]));
    const values = Float64Array.from(points, ({ value }) => (value === 'stale' ? 0 : value));
    for (const [n, { value }] of points.entries()) if (value === 'stale') writeStale(values, n);
    const times = Float64Array.from(points, ({ at }) => at);
    return { labels: { __name__: 'c_total', i: String(i) }, times, values, first: 0, end: points.length };
  });
  return { generation: 1, resolve: () => series };
}

test('a query that was evaluated before, at any other times, answers as one that was not', () => {
  const instants = fc.array(fc.integer({ min: -2 * MINUTE, max: 30 * MINUTE }), { minLength: 2, maxLength: 8 });
  const columns = fc.array(someValues, { minLength: 1, maxLength: 3 });
  fc.assert(
    fc.property(columns, instants, fc.constantFrom(...QUERIES), (data, times, text) => {
      const store = storeOf(data);
      const kept = compileQuery(parseQuery(text));
      for (const at of times) {
        expect(kept.instant(store, at)).toEqual(compileQuery(parseQuery(text)).instant(store, at));
      }
    }),
    { numRuns: 300 },
  );
});

test('a fall right before a window counts for a later window that begins further back', () => {
  const store = storeOf([['none', 10, 'none', 'none', 5]]);
  const query = compileQuery(parseQuery('resets(c_total[3m30s])'));
  const resetsAt = (minutes: number): unknown => {
    const result = query.instant(store, minutes * MINUTE);
    return result.type === 'vector' ? result.elements.map(({ value }) => value) : result;
  };
  expect([1.2, 4.5, 4.2].map(resetsAt)).toEqual([[0], [0], [1]]);
});

test('queries that share their label sets answer as those that do not', () => {
  const store = storeOf([
    [1, 2, 3],
    [4, 'none', 1],
  ]);
  const interner = shareInterner();
  for (const text of [...QUERIES, 'sum by (i) (c_total) / on (i) c_total', 'c_total * 2']) {
    const shared = compileQuery(parseQuery(text), { interner });
    expect(shared.instant(store, 2 * MINUTE)).toEqual(compileQuery(parseQuery(text)).instant(store, 2 * MINUTE));
  }
});

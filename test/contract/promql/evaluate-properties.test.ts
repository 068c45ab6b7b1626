import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Expr } from '../../../src/promql/ast.ts';
import { type CompiledQuery, compileQuery, type EvaluateOptions } from '../../../src/promql/evaluate.ts';
import { labelsKey } from '../../../src/promql/labels.ts';
import { parseQuery } from '../../../src/promql/parse.ts';
import { PromqlError } from '../../../src/promql/promql-error.ts';
import type { Queryable } from '../../../src/promql/series.ts';
import { anyExpression } from '../../conformance/arbitrary-expression.ts';
import { createMemoryStore, type MemoryStore } from '../../conformance/memory-store.ts';

const MINUTE = 60_000;
const EXPERIMENTAL: EvaluateOptions = { experimental: true };

/** What an evaluation ends in, in a form that compares: elements sorted, faults by their message. */
function outcome(query: CompiledQuery, store: Queryable, at: number): unknown {
  try {
    const result = query.instant(store, at);
    if (result.type !== 'vector') return result;
    return result.elements.map(({ labels, value }) => `${labelsKey(labels)} ${value}`).sort();
  } catch (error) {
    if (error instanceof PromqlError) return error.message;
    throw error;
  }
}

function compiledOrUndefined(expr: Expr): CompiledQuery | undefined {
  try {
    return compileQuery(expr, EXPERIMENTAL);
  } catch (error) {
    if (error instanceof PromqlError) return undefined;
    throw error;
  }
}

const DATA = [
  'a_total{job="x", code="500"} 0+1x30',
  'a_total{job="x", code="200"} 0+7x10 3+5x19',
  'a_total{job="y", code="500"} 0 1 stale _ 5 NaN 7+2x20',
  'b{job="x"} 5 3 -2 Inf 8 NaN 1 2 stale 4x20',
  'b{job="y"} _x10 1+1x10',
  'c_bucket{job="x", le="1"} 0+1x30',
  'c_bucket{job="x", le="2"} 0+3x30',
  'c_bucket{job="x", le="+Inf"} 0+4x30',
  'c_bucket{job="y", le="+Inf"} 0+1x30',
];

/** Queries through every kind of node. */
const QUERIES = [
  'sum by (job) (rate(a_total[5m])) / on (job) sum by (job) (rate(c_bucket{le="+Inf"}[5m]))',
  'histogram_quantile(0.9, sum by (job, le) (rate(c_bucket[10m])))',
  'histogram_fraction(0, 1.5, c_bucket)',
  'topk by (job) (1, a_total) or b unless on (job) b > 2',
  'quantile by (job) (0.3, a_total) + on (job) group_right b',
  'a_total * on (job) group_left b',
  'b and ignoring (code) a_total{code="500"}',
  'max_over_time(deriv(b[5m])[10m:2m]) > bool 0',
  'label_replace(label_join(a_total, "id", "-", "job", "code"), "n", "$1", "id", "(.).*")',
  'count_values without (code) ("v", a_total % 3)',
  'avg(-b) or absent(b{job="x"}) or absent_over_time(b[3m])',
  'stddev by (code) (irate(a_total[4m])) ^ 2 or stdvar by (code) (irate(a_total[4m]))',
  'sort_desc(changes(b[7m])) + resets(a_total[9m] offset 3m)',
  'clamp(timestamp(b) - time(), -60, 0) + day_of_week(b * 1e6)',
  'scalar(b{job="y"}) * a_total == a_total @ end()',
  'predict_linear(b[6m], 60) or quantile_over_time(0.2, b[6m]) or mad_over_time(b[6m])',
  'a_total{code="500"} + fill_left(1) a_total{code="200"}',
];

function loadSome(store: MemoryStore, chosen: readonly number[]): void {
  store.clear();
  store.load(
    chosen.map((index) => DATA[index] ?? ''),
    MINUTE,
    false,
  );
}

const someSeries = fc.uniqueArray(fc.nat(DATA.length - 1), { minLength: 1 });
const someTime = fc.integer({ min: -2 * MINUTE, max: 35 * MINUTE });

describe('evaluation', () => {
  it.each(QUERIES)('remembers nothing that would change an answer of %s', (text) => {
    const expr = parseQuery(text);
    const warm = compileQuery(expr, EXPERIMENTAL);
    const store = createMemoryStore();
    const step = fc.record({ series: someSeries, times: fc.array(someTime, { minLength: 1, maxLength: 6 }) });
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 4 }), (steps) => {
        for (const { series, times } of steps) {
          loadSome(store, series);
          for (const at of times) {
            const fresh = compileQuery(expr, EXPERIMENTAL);
            expect(outcome(warm, store, at)).toStrictEqual(outcome(fresh, store, at));
          }
        }
      }),
      { numRuns: 40 },
    );
  });

  it.each(QUERIES.filter((text) => !text.includes('end()')))(
    'is the same at an instant and in a range for %s',
    (text) => {
      const query = compileQuery(parseQuery(text), EXPERIMENTAL);
      const store = createMemoryStore();
      fc.assert(
        fc.property(someSeries, someTime, (series, from) => {
          loadSome(store, series);
          const instants = [0, 1, 2].map((i) => outcome(query, store, from + i * MINUTE));
          expect(rangeOutcome(query, store, from)).toStrictEqual(
            instants.some((found) => typeof found === 'string') ? 'fault' : instants,
          );
        }),
        { numRuns: 40 },
      );
    },
  );

  it('ends in a result or a fault, whatever the expression', () => {
    const store = createMemoryStore();
    store.load(
      ['up{job="x"} 1 2 NaN stale 5', 'http_requests_total{job="x", le="1"} 0+3x9', '_x{job="y"} 1'],
      MINUTE,
      false,
    );
    fc.assert(
      fc.property(anyExpression, (expr) => {
        const query = compiledOrUndefined(expr);
        expect(() => (query === undefined ? query : outcome(query, store, 3 * MINUTE))).not.toThrow();
      }),
      { numRuns: 2000 },
    );
  });
});

function rangeOutcome(query: CompiledQuery, store: Queryable, from: number): unknown {
  try {
    const { series } = query.range(store, from, from + 2 * MINUTE, MINUTE);
    return [0, 1, 2].map((i) =>
      series
        .flatMap(({ labels, times, values }) => {
          const index = times.indexOf(from + i * MINUTE);
          return index === -1 ? [] : [`${labelsKey(labels)} ${values[index] ?? NaN}`];
        })
        .sort(),
    );
  } catch (error) {
    if (error instanceof PromqlError) return 'fault';
    throw error;
  }
}

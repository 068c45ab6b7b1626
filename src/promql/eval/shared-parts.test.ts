import { expect, test } from 'vitest';
import { createMemoryStore } from '../../../test/conformance/memory-store.ts';
import { type CompiledQuery, compileQuery, type EvaluateOptions } from '../evaluate.ts';
import { shareInterner } from '../labels.ts';
import { parseQuery } from '../parse.ts';
import type { Queryable, Series } from '../series.ts';
import { createSharedParts } from './shared-parts.ts';

const MINUTE = 60_000;
const QUERIES = [
  'sum by (code) (rate(requests_total[5m]))',
  'sum(rate(requests_total[5m])) - sum by (code) (rate(requests_total[5m])) > 0',
  'sum(rate(requests_total{code="500"}[5m])) / sum(rate(requests_total[5m]))',
  'sum(requests_total) - max_over_time(sum(requests_total)[10m:1m])',
  'max_over_time(sum(requests_total)[10m:1m]) - sum(requests_total)',
  'sum(requests_total) - sum(requests_total offset 3m)',
  'sum(rate(requests_total[5m] @ 600))',
  'sum(rate(requests_total[5m])) * time()',
  'sum(requests_total)',
  'sort_desc(sum by (code) (rate(requests_total[5m])))',
  'topk(1, sum by (code) (rate(requests_total[5m])))',
];

/** A store that counts how often series are read, and whose version a test sets. */
function setUp() {
  const memory = createMemoryStore();
  memory.load(['requests_total{code="200"} 0+60x9 5+30x20', 'requests_total{code="500"} 0+1x30'], MINUTE, false);
  const state = { version: 1, reads: 0 };
  const counted = (series: Series): Series => ({
    labels: series.labels,
    times: series.times,
    values: series.values,
    first: series.first,
    get end() {
      state.reads += 1;
      return series.end;
    },
  });
  const store: Queryable = {
    get generation() {
      return memory.generation;
    },
    get version() {
      return state.version;
    },
    resolve: (matchers) => memory.resolve(matchers).map(counted),
  };
  return { store, state };
}

function compiled(query: string, options: EvaluateOptions = {}): CompiledQuery {
  return compileQuery(parseQuery(query), options);
}

test('queries that share parts answer as each of them would alone, at any instant and in any order', () => {
  const { store, state } = setUp();
  const shared = { interner: shareInterner(), parts: createSharedParts() };
  const together = QUERIES.map((query) => compiled(query, shared));
  for (const minute of [10, 11, 12, 12, 5, 0, 29, 12.5]) {
    for (const [index, query] of QUERIES.entries()) {
      const at = minute * MINUTE;
      expect(together[index]?.instant(store, at), `${query} at ${minute} min`).toEqual(
        compiled(query).instant(store, at),
      );
    }
    state.version += 1;
  }
});

test('a part is evaluated once for all that ask at one instant about the same samples', () => {
  const { store, state } = setUp();
  const shared = { interner: shareInterner(), parts: createSharedParts() };
  const [first, second] = ['sum(rate(requests_total[5m])) > 1', 'sum(rate(requests_total[5m])) < 1'].map((query) =>
    compiled(query, shared),
  );
  const readsOf = (query: CompiledQuery | undefined, at: number): number => {
    const before = state.reads;
    query?.instant(store, at);
    return state.reads - before;
  };
  const once = readsOf(first, 20 * MINUTE);
  expect(once).toBeGreaterThan(0);
  expect(readsOf(second, 20 * MINUTE)).toBe(0);
  expect(readsOf(second, 21 * MINUTE)).toBe(once);
  state.version += 1;
  expect(readsOf(second, 21 * MINUTE)).toBe(once);
  shared.parts.forget();
  const third = compiled('sum(rate(requests_total[5m])) > 2', shared);
  expect(readsOf(third, 21 * MINUTE)).toBe(once);
});

test('of a store that does not say when its samples change, everything is read anew', () => {
  const { store, state } = setUp();
  const rest: Queryable = { generation: store.generation, resolve: (matchers) => store.resolve(matchers) };
  const query = compiled('sum(rate(requests_total[5m]))', { interner: shareInterner(), parts: createSharedParts() });
  query.instant(rest, 20 * MINUTE);
  const once = state.reads;
  query.instant(rest, 20 * MINUTE);
  expect(state.reads).toBe(2 * once);
});

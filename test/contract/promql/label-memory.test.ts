import { expect, it } from 'vitest';
import { compileQuery } from '../../../src/promql/evaluate.ts';
import { parseQuery } from '../../../src/promql/parse.ts';
import { createMemoryStore } from '../../conformance/memory-store.ts';

it('goes on the same after it has forgotten what it remembered of labels', () => {
  const text = 'count_values("v", vector(time()))';
  const query = compileQuery(parseQuery(text), { text });
  const store = createMemoryStore();
  const results = query.range(store, 0, 250_000, 1).series.length + query.range(store, 0, 10, 1).series.length;
  expect(results).toBe(250_001 + 11);
});

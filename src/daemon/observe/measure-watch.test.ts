import { expect, test } from 'vitest';
import { ORIGIN } from '../../../test/support/policies.ts';
import type { Measure, SqlMeasure } from '../../core/model/measure.ts';
import { MeasureWatch, RECOUNT_MS } from './measure-watch.ts';

const QUERY: Measure = { key: 'query', origin: ORIGIN, kind: 'query', expr: 'rows' };
const COUNT: SqlMeasure = {
  key: 'count',
  origin: ORIGIN,
  kind: 'sql',
  on: { kind: 'target', target: 'db' },
  query: 'SELECT 1',
  timeoutMs: 1_000,
};

function aWatch() {
  let now = 1_000;
  const counts: { readonly pointAt: number | null; readonly answer: (value: number) => Promise<void> }[] = [];
  const changes: number[] = [];
  const watch = new MeasureWatch({
    query: ({ key }) => ({ key, at: now, value: now, detail: '' }),
    count: (_measure, pointAt) => {
      const { promise, resolve } = Promise.withResolvers<{ value: number; detail: string }>();
      const answer = async (value: number) => {
        resolve({ value, detail: 'counted' });
        await promise;
        await Promise.resolve();
      };
      counts.push({ pointAt, answer });
      return promise;
    },
    now: () => now,
    onChange: () => changes.push(now),
  });
  return { watch, counts, changes, pass: (ms: number) => (now += ms) };
}

const wanted = (measure: Measure, pointAt: number | null = null, freshAfter = 0) => ({ measure, pointAt, freshAfter });

test('a query is answered at once, and each time', () => {
  const { watch, pass } = aWatch();
  watch.refresh([wanted(QUERY)]);
  expect(watch.results['query']?.value).toBe(1_000);
  pass(5);
  watch.refresh([wanted(QUERY)]);
  expect(watch.results['query']?.value).toBe(1_005);
  watch.refresh([]);
  expect(watch.results).toEqual({});
});

test('a database is asked once, and again only after a while', async () => {
  const { watch, counts, changes, pass } = aWatch();
  watch.refresh([wanted(COUNT)]);
  watch.refresh([wanted(COUNT)]);
  expect(counts).toHaveLength(1);
  await counts[0]?.answer(7);
  expect(changes).toHaveLength(1);
  expect(watch.results['count']).toEqual({ key: 'count', at: 1_000, value: 7, detail: 'counted' });
  pass(RECOUNT_MS - 1);
  watch.refresh([wanted(COUNT)]);
  expect(counts).toHaveLength(1);
  pass(1);
  watch.refresh([wanted(COUNT)]);
  expect(counts).toHaveLength(2);
});

test('a count for another point, from before people were asked, or by another clock counts no more', async () => {
  const { watch, counts, pass } = aWatch();
  watch.refresh([wanted(COUNT, 5)]);
  watch.refresh([wanted(COUNT, 9)]);
  expect(counts.map(({ pointAt }) => pointAt)).toEqual([5, 9]);
  await counts[0]?.answer(5);
  expect(watch.results).toEqual({});
  await counts[1]?.answer(9);
  expect(watch.results['count']?.value).toBe(9);
  pass(10);
  watch.refresh([wanted(COUNT, 9, 1_005)]);
  expect(counts).toHaveLength(3);
  watch.forget();
  await counts[2]?.answer(3);
  expect(watch.results).toEqual({});
});

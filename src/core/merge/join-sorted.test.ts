import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { joinSorted } from './join-sorted.ts';

async function* inBatches(values: readonly number[], size: number): AsyncGenerator<readonly number[]> {
  for (let from = 0; from < values.length; from += size) yield await Promise.resolve(values.slice(from, from + size));
}

async function joined(sides: Parameters<typeof joinSorted<number>>[0]) {
  const found = [];
  for await (const batch of joinSorted(sides, (a, b) => a - b)) found.push(...batch);
  return found;
}

test('gives what stands under each key, whatever the batches are', async () => {
  const side = fc.uniqueArray(fc.integer({ min: 0, max: 50 })).map((values) => values.sort((a, b) => a - b));
  await fc.assert(
    fc.asyncProperty(side, side, side, fc.integer({ min: 1, max: 7 }), async (ancestor, live, snapshot, size) => {
      const sides = [ancestor, live, snapshot].map((values) => inBatches(values, size));
      const [first, second, third] = sides;
      if (first === undefined || second === undefined || third === undefined) throw new Error('three were given');
      const keys = [...new Set([...ancestor, ...live, ...snapshot])].sort((a, b) => a - b);
      const of = (values: readonly number[], key: number) => (values.includes(key) ? key : undefined);
      expect(await joined({ ancestor: first, live: second, snapshot: third })).toStrictEqual(
        keys.map((key) => ({ ancestor: of(ancestor, key), live: of(live, key), snapshot: of(snapshot, key) })),
      );
    }),
  );
});

test('without an ancestor there is none', async () => {
  expect(await joined({ live: inBatches([1], 1), snapshot: inBatches([2], 1) })).toStrictEqual([
    { ancestor: undefined, live: 1, snapshot: undefined },
    { ancestor: undefined, live: undefined, snapshot: 2 },
  ]);
});

test.each([
  [[2, 1], 10],
  [[2, 1], 1],
  [[1, 1], 10],
])('refuses what is out of order: %j in batches of %i', async (live, size) => {
  const sides = { live: inBatches(live, size), snapshot: inBatches([], 1) };
  await expect(joined(sides)).rejects.toThrow('the rows of live are not in the order of their keys');
});

test('asks no more of what is given up', async () => {
  let isClosed = false;
  async function* endless(): AsyncGenerator<readonly number[]> {
    try {
      for (let value = 0; ; value += 1) yield await Promise.resolve([value]);
    } finally {
      isClosed = true;
    }
  }
  for await (const batch of joinSorted({ live: endless(), snapshot: inBatches([], 1) }, (a, b) => a - b)) {
    if (batch.length > 0) break;
  }
  expect(isClosed).toBe(true);
});

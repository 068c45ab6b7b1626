import { expect, test } from 'vitest';
import { checkLinks, type Declared } from './link.ts';

const ORIGIN = { file: 'a.yaml', line: 1, column: 1 } as const;

/** So many sources, and as many references to each, and queries over each. */
function links(count: number, onRead: () => void) {
  const declared = Array.from({ length: count }, (_one, index): Declared => {
    const entry = {
      kind: 'MetricSource',
      name: `source-${index}`,
      origin: ORIGIN,
      isHere: true,
      intervalMs: 15_000,
      sourceType: 'scrape',
    } as const;
    return new Proxy(entry, {
      get: (target, key: keyof Declared) => {
        onRead();
        return target[key as keyof typeof target];
      },
    });
  });
  const names = Array.from({ length: count }, (_one, index) => `source-${index}`);
  return {
    declared,
    references: names.map(
      (name) => ({ reference: { kind: 'MetricSource', name, origin: ORIGIN }, isHere: true }) as const,
    ),
    places: [],
    samplings: names.flatMap((name) =>
      (['for', 'window'] as const).map((what) => ({ what, spanMs: 60_000, origin: ORIGIN, jobs: [name] })),
    ),
    mayBeBroken: () => false,
  };
}

function readsOf(count: number): number {
  let reads = 0;
  expect(checkLinks(links(count, () => (reads += 1)))).toEqual([]);
  return reads;
}

test('the work grows with the number of documents, and not with its square', () => {
  expect(readsOf(4000)).toBeLessThanOrEqual(4.1 * readsOf(1000));
});

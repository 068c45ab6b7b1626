import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { createPieceCache } from './piece-cache.ts';

const piece = (bytes: number): Buffer => Buffer.alloc(bytes, 'x');

describe('[M6] the memory before the disk', () => {
  test('keeps so many pieces, those that were used last', () => {
    const cache = createPieceCache({ bytes: 1_000_000, maxItems: 2, ttlMs: 60_000 });
    cache.set('a', piece(1));
    cache.set('b', piece(1));
    cache.get('a');
    cache.set('c', piece(1));
    expect(['a', 'b', 'c'].map((name) => cache.get(name) !== undefined)).toEqual([true, false, true]);
  });

  test('keeps so many bytes, and no piece that would drive out the others', () => {
    const cache = createPieceCache({ bytes: 6_400, maxItems: 1_000, ttlMs: 60_000 });
    const names = Array.from({ length: 100 }, (_, index) => String(index));
    for (const name of names) cache.set(name, piece(100));
    expect(names.filter((name) => cache.get(name) === undefined)).toHaveLength(36);
    cache.set('large', piece(101));
    expect(cache.get('large')).toBeUndefined();
    expect(cache.get('99')).toBeDefined();
  });

  test('lets go of what is too old', async () => {
    const cache = createPieceCache({ bytes: 6_400, maxItems: 10, ttlMs: 20 });
    cache.set('a', piece(1));
    while (cache.get('a') !== undefined) await pause(1);
    cache.set('a', piece(2));
    expect(cache.get('a')).toEqual(piece(2));
  });

  test.each([undefined, { bytes: 0, maxItems: 1, ttlMs: 1 }, { bytes: 1, maxItems: 0, ttlMs: 1 }])(
    'is none with %j',
    (limits) => {
      const cache = createPieceCache(limits);
      cache.set('a', piece(1));
      expect(cache.get('a')).toBeUndefined();
    },
  );
});

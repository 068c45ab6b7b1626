import { describe, expect, it } from 'vitest';
import { isStale, STALE_NAN, writeStale } from './staleness.ts';

describe('staleness markers', () => {
  it('are told from numbers and from other NaN by their bits', () => {
    const values = Float64Array.of(1, NaN, 0, Infinity, 5);
    writeStale(values, 2);
    expect([0, 1, 2, 3, 4].map((index) => isStale(values, index))).toStrictEqual([false, false, true, false, false]);
    expect(Number.isNaN(values[2])).toBe(true);
  });

  it('have the bits of Prometheus', () => {
    const values = new Float64Array(1);
    writeStale(values, 0);
    expect(new BigUint64Array(values.buffer)[0]).toBe(STALE_NAN);
  });

  it('survive being moved within and between columns', () => {
    const values = Float64Array.of(0, 0, 0);
    writeStale(values, 2);
    values.copyWithin(0, 2);
    const copy = new Float64Array(3);
    copy.set(values.subarray(0, 1), 1);
    expect([isStale(values, 0), isStale(copy, 0), isStale(copy, 1)]).toStrictEqual([true, false, true]);
  });

  it('are found in a part of a larger buffer', () => {
    const part = new Float64Array(new ArrayBuffer(64), 16, 3);
    writeStale(part, 1);
    expect([0, 1, 2].map((index) => isStale(part, index))).toStrictEqual([false, true, false]);
  });
});

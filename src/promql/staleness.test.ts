import { describe, expect, it } from 'vitest';
import { isStale, STALE_NAN, writeStale } from './staleness.ts';

describe('stale markers', () => {
  it('have the bits of Prometheus, and are no other NaN', () => {
    const values = new Float64Array([1, Number.NaN, 3, Infinity]);
    writeStale(values, 2);
    expect([0, 1, 2, 3].map((index) => isStale(values, index))).toEqual([false, false, true, false]);
    expect(new BigUint64Array(values.buffer)[2]).toBe(0x7ff0000000000002n);
    expect(STALE_NAN).toBe(0x7ff0000000000002n);
  });

  it('survive being moved, copied, and read through a part of a larger buffer', () => {
    const values = new Float64Array(6);
    writeStale(values, 4);
    values.copyWithin(1, 4, 5);
    const copy = new Float64Array(8);
    copy.set(values.subarray(0, 5), 3);
    expect(isStale(values, 1)).toBe(true);
    expect(isStale(copy, 4)).toBe(true);
    expect(isStale(copy.subarray(4), 0)).toBe(true);
  });

  it('are not found behind the end of an array', () => {
    expect(isStale(new Float64Array(1), 1)).toBe(false);
  });
});

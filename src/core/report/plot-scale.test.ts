import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { scaleOf, timeTicks } from './plot-scale.ts';

describe('a scale', () => {
  test.each([
    [[0.1, 0.9, 0.5], '0 0.5 1'],
    [[95, 100], '94 96 98 100'],
    [[0], '0 1'],
    [[7], '6 6.5 7 7.5 8'],
    [[-3, 4], '-4 -2 0 2 4'],
    [[], '0 1'],
  ])('of %j', (values, ticks) => {
    expect(scaleOf(values, 4).ticks.join(' ')).toBe(ticks);
  });

  test('covers all values, with few and finite ticks', () => {
    const number = fc.double({ min: -1e12, max: 1e12, noNaN: true });
    fc.assert(
      fc.property(fc.array(number, { minLength: 1, maxLength: 50 }), (values) => {
        const { low, high, ticks } = scaleOf(values, 4);
        expect(high).toBeGreaterThan(low);
        const slack = (high - low) * 1e-9;
        expect(low - slack).toBeLessThanOrEqual(Math.min(...values));
        expect(high + slack).toBeGreaterThanOrEqual(Math.max(...values));
        expect(ticks.length).toBeLessThanOrEqual(8);
        expect(ticks.every(Number.isFinite)).toBe(true);
      }),
    );
  });
});

test.each([
  [0, 60_000, 7],
  [1_000, 11_000, 6],
  [0, 30 * 86_400_000, 5],
  [5, 5, 0],
])('instants between %d and %d', (from, to, most) => {
  const ticks = timeTicks(from, to, 8);
  expect(ticks.length).toBeGreaterThanOrEqual(Math.min(1, most));
  expect(ticks.length).toBeLessThanOrEqual(9);
  expect(ticks.every((at) => at >= from && at <= to)).toBe(true);
});

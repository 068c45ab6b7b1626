import { describe, expect, it } from 'vitest';
import { nextSlot, phaseOf } from './phase.ts';

describe('the phase of a source', () => {
  it('is always the same, and within the interval', () => {
    expect(phaseOf('memory-service', 5000)).toBe(phaseOf('memory-service', 5000));
    for (let index = 0; index < 200; index++) {
      const phase = phaseOf(`source-${index}`, 250);
      expect(phase).toBeGreaterThanOrEqual(0);
      expect(phase).toBeLessThan(250);
    }
  });

  it('spreads sources evenly enough', () => {
    const tenths = Array.from({ length: 10 }, () => 0);
    for (let index = 0; index < 1000; index++) {
      const tenth = Math.floor(phaseOf(`source-${index}`, 10_000) / 1000);
      tenths[tenth] = (tenths[tenth] ?? 0) + 1;
    }
    expect(Math.min(...tenths)).toBeGreaterThan(50);
    expect(Math.max(...tenths)).toBeLessThan(200);
  });
});

describe('the next slot', () => {
  it.each([
    [1000, 300, 500, 1300],
    [1299, 300, 500, 1300],
    [1300, 300, 500, 1800],
    [0, 0, 1000, 1000],
    [100.5, 300, 500, 300],
  ])('after %d with phase %d of %d is %d', (after, phase, interval, expected) => {
    expect(nextSlot(after, phase, interval)).toBe(expected);
  });
});

import { type KahanSum, kahanAdd } from './kahan.ts';
import type { Window } from './node.ts';

/** Slope per second, and value at `interceptAt` in milliseconds, of the least-squares line through the samples. */
export type Line = { readonly slope: number; readonly intercept: number };

export function linearRegression({ times, values, from, to }: Window, interceptAt: number): Line {
  const first = values[from] ?? NaN;
  const sums = { x: zero(), y: zero(), xy: zero(), xx: zero() };
  let isConstant = true;
  for (let i = from; i < to; i += 1) {
    const y = values[i] ?? NaN;
    const x = ((times[i] ?? NaN) - interceptAt) / 1000;
    isConstant &&= i === from || y === first;
    kahanAdd(sums.x, x);
    kahanAdd(sums.y, y);
    kahanAdd(sums.xy, x * y);
    kahanAdd(sums.xx, x * x);
  }
  if (isConstant) return Number.isFinite(first) || Number.isNaN(first) ? { slope: 0, intercept: first } : NO_LINE;
  return fit(to - from, total(sums.x), total(sums.y), total(sums.xy), total(sums.xx));
}

const NO_LINE: Line = { slope: NaN, intercept: NaN };

function fit(n: number, x: number, y: number, xy: number, xx: number): Line {
  const slope = (xy - (x * y) / n) / (xx - (x * x) / n);
  return { slope, intercept: y / n - (slope * x) / n };
}

function zero(): KahanSum {
  return { sum: 0, compensation: 0 };
}

function total({ sum, compensation }: KahanSum): number {
  return sum + compensation;
}

/**
 * Holt's double exponential smoothing: the last smoothed value, with `0 < smoothing < 1` weighting the samples and
 * `0 < trend < 1` weighting the slope.
 */
export function doubleExponentialSmoothing({ values, from, to }: Window, smoothing: number, trend: number): number {
  let previous = 0;
  let level = values[from] ?? NaN;
  let slope = (values[from + 1] ?? NaN) - level;
  for (let i = from + 1; i < to; i += 1) {
    if (i > from + 1) slope = trend * (level - previous) + (1 - trend) * slope;
    const next = smoothing * (values[i] ?? NaN) + (1 - smoothing) * (level + slope);
    previous = level;
    level = next;
  }
  return level;
}

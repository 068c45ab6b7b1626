import { type KahanMean, kahanAdd, kahanMean, kahanMeanAdd } from './kahan.ts';
import type { Window } from './node.ts';

export function sumOverTime(window: Window): number {
  const fast = finiteSum(window);
  if (Number.isFinite(fast)) return fast;
  const total = { sum: 0, compensation: 0 };
  for (let i = window.from; i < window.to; i += 1) kahanAdd(total, window.values[i] ?? NaN);
  return Math.abs(total.sum) === Infinity ? total.sum : total.sum + total.compensation;
}

export function avgOverTime(window: Window): number {
  const fast = finiteSum(window) / (window.to - window.from);
  if (Number.isFinite(fast)) return fast;
  const total: KahanMean = { sum: 0, compensation: 0, count: 0, incremental: false };
  for (let i = window.from; i < window.to; i += 1) kahanMeanAdd(total, window.values[i] ?? NaN);
  return kahanMean(total);
}

/** `kahanAdd` over the window in local variables, several times as fast; not finite if any partial sum was not. */
function finiteSum({ values, from, to }: Window): number {
  let sum = 0;
  let compensation = 0;
  for (let i = from; i < to; i += 1) {
    const value = values[i] ?? NaN;
    const next = sum + value;
    compensation += Math.abs(sum) >= Math.abs(value) ? sum - next + value : value - next + sum;
    sum = next;
  }
  return sum + compensation;
}

/** The greatest value; NaN only if all are. */
export function maxOverTime({ values, from, to }: Window): number {
  let best = Number.NaN;
  for (let i = from; i < to; i += 1) {
    const value = values[i] ?? NaN;
    if (value > best || Number.isNaN(best)) best = value;
  }
  return best;
}

/** The least value; NaN only if all are. */
export function minOverTime({ values, from, to }: Window): number {
  let best = Number.NaN;
  for (let i = from; i < to; i += 1) {
    const value = values[i] ?? NaN;
    if (value < best || Number.isNaN(best)) best = value;
  }
  return best;
}

/** When the greatest (`sign` 1) or least (`sign` -1) value was last seen, in seconds. */
export function timeOfExtreme({ times, values, from, to }: Window, sign: 1 | -1): number {
  let best = from;
  for (let i = from; i < to; i += 1) {
    const [value, known] = [(values[i] ?? NaN) * sign, (values[best] ?? NaN) * sign];
    if (value >= known || Number.isNaN(known)) best = i;
  }
  return (times[best] ?? NaN) / 1000;
}

/** Welford's running variance of the population, with compensated sums. */
export function varianceOverTime({ values, from, to }: Window): number {
  const mean = { sum: 0, compensation: 0 };
  const squares = { sum: 0, compensation: 0 };
  let count = 0;
  for (let i = from; i < to; i += 1) {
    const value = values[i] ?? NaN;
    count += 1;
    const distance = value - (mean.sum + mean.compensation);
    kahanAdd(mean, distance / count);
    kahanAdd(squares, distance * (value - (mean.sum + mean.compensation)));
  }
  return (squares.sum + squares.compensation) / count;
}

/** How often the value changed; from NaN to NaN is no change. */
export function changes({ values, from, to }: Window): number {
  let count = 0;
  let previous = values[from] ?? NaN;
  for (let i = from + 1; i < to; i += 1) {
    const value = values[i] ?? NaN;
    if (value !== previous && !(Number.isNaN(value) && Number.isNaN(previous))) count += 1;
    previous = value;
  }
  return count;
}

/** How often the value decreased. */
export function resets({ values, from, to, mayFall }: Window): number {
  if (!mayFall) return 0;
  let count = 0;
  for (let i = from + 1; i < to; i += 1) if ((values[i] ?? NaN) < (values[i - 1] ?? NaN)) count += 1;
  return count;
}

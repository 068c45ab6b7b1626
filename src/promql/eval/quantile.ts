import type { Window } from './node.ts';

let scratch = new Float64Array(64);

/** Room for `length` numbers that is valid until the next call. */
export function scratchFor(length: number): Float64Array {
  if (scratch.length < length) scratch = new Float64Array(length * 2);
  return scratch.subarray(0, length);
}

/**
 * The quantile of the values, which are sorted in place, interpolated between neighbours. NaN sorts first, as Prometheus
 * has it. NaN for no values or a NaN quantile, -Inf below 0, +Inf above 1.
 */
export function quantileOf(q: number, values: Float64Array): number {
  if (values.length === 0 || Number.isNaN(q)) return NaN;
  if (q < 0) return -Infinity;
  if (q > 1) return Infinity;
  values.sort();
  const rank = q * (values.length - 1);
  const lower = Math.floor(rank);
  const upper = Math.min(values.length - 1, lower + 1);
  const weight = rank - lower;
  const nans = countNaN(values);
  return sortedAt(values, nans, lower) * (1 - weight) + sortedAt(values, nans, upper) * weight;
}

/** JavaScript sorts NaN last; there are few, at the end. */
function countNaN(values: Float64Array): number {
  let count = 0;
  while (count < values.length && Number.isNaN(values[values.length - 1 - count])) count += 1;
  return count;
}

function sortedAt(values: Float64Array, nans: number, index: number): number {
  return index < nans ? NaN : (values[index - nans] ?? NaN);
}

export function quantileOverTime({ values, from, to }: Window, q: number): number {
  const copy = scratchFor(to - from);
  copy.set(values.subarray(from, to));
  return quantileOf(q, copy);
}

/** The median of the distances from the median; NaN if any value is. */
export function medianAbsoluteDeviation({ values, from, to }: Window): number {
  const copy = scratchFor(to - from);
  copy.set(values.subarray(from, to));
  if (copy.some(Number.isNaN)) return NaN;
  const median = quantileOf(0.5, copy);
  for (let i = 0; i < copy.length; i += 1) copy[i] = Math.abs((copy[i] ?? NaN) - median);
  return quantileOf(0.5, copy);
}

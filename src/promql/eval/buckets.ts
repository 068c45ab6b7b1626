import type { BucketRepair } from './annotations.ts';

/** A classic histogram: cumulative counts by upper bound, sorted by bound. */
export type Buckets = { readonly bounds: number[]; readonly counts: number[] };

/** Differences below this share of the counts are taken for rounding errors. */
const SMALL_DELTA = 1e-12;
const MIN_NORMAL = 2.2250738585072014e-308;

/** Adds up buckets of equal bounds, in place. */
export function coalesce({ bounds, counts }: Buckets): void {
  let last = 0;
  for (let i = 1; i < bounds.length; i += 1) {
    if (bounds[i] === bounds[last]) {
      counts[last] = (counts[last] ?? 0) + (counts[i] ?? 0);
      continue;
    }
    last += 1;
    bounds[last] = bounds[i] ?? NaN;
    counts[last] = counts[i] ?? NaN;
  }
  bounds.length = Math.min(bounds.length, last + 1);
  counts.length = bounds.length;
}

/** What was repaired, without the time: the bounds between which counts decreased, and by how much at most. */
export type Repair = Pick<BucketRepair, 'minBucket' | 'maxBucket' | 'maxDiff'>;

/**
 * Makes the counts increase from bucket to bucket, in place: differences that are rounding errors vanish silently,
 * decreases are raised to the bucket before and reported.
 */
export function ensureMonotonic({ bounds, counts }: Buckets): Repair | undefined {
  let minBucket = Infinity;
  let maxBucket = -Infinity;
  let maxDiff = -Infinity;
  let previous = counts[0] ?? NaN;
  for (let i = 1; i < counts.length; i += 1) {
    const count = counts[i] ?? NaN;
    if (count === previous) continue;
    if (isClose(previous, count)) {
      counts[i] = previous;
    } else if (count < previous) {
      counts[i] = previous;
      minBucket = Math.min(minBucket, bounds[i] ?? NaN);
      maxBucket = Math.max(maxBucket, bounds[i] ?? NaN);
      maxDiff = Math.max(maxDiff, previous - count);
    } else {
      previous = count;
    }
  }
  return maxDiff === -Infinity ? undefined : { minBucket, maxBucket, maxDiff };
}

function isClose(a: number, b: number): boolean {
  const sum = Math.abs(a) + Math.abs(b);
  const difference = Math.abs(a - b);
  if (a === 0 || b === 0 || sum < MIN_NORMAL) return difference < SMALL_DELTA * MIN_NORMAL;
  return difference / Math.min(sum, Number.MAX_VALUE) < SMALL_DELTA;
}

/**
 * The quantile of a classic histogram whose buckets are sorted, coalesced and monotonic, interpolated linearly within a bucket. NaN without
 * a `+Inf` bucket, with fewer than two buckets or without observations. In the top bucket it is the bound below it; the
 * lowest bucket begins at 0 if its bound is positive, else the bound itself is the answer.
 */
export function bucketQuantile(q: number, { bounds, counts }: Buckets): number {
  const top = bounds.length - 1;
  const observations = counts[top] ?? NaN;
  if (bounds[top] !== Infinity || top < 1 || observations === 0) return NaN;
  const rank = q * observations;
  let bucket = 0;
  while (bucket < top && !((counts[bucket] ?? NaN) >= rank)) bucket += 1;
  const bound = bounds[bucket] ?? NaN;
  if (bucket === top) return bounds[top - 1] ?? NaN;
  if (bucket === 0 && bound <= 0) return bound;
  const start = bucket === 0 ? 0 : (bounds[bucket - 1] ?? NaN);
  const below = bucket === 0 ? 0 : (counts[bucket - 1] ?? NaN);
  return start + (bound - start) * ((rank - below) / ((counts[bucket] ?? NaN) - below));
}

/**
 * The share of observations between two values, interpolated linearly; buckets must be sorted and coalesced. Nothing is
 * interpolated in a bucket with an infinite bound: its observations are on the far side.
 */
export function bucketFraction(lower: number, upper: number, buckets: Buckets): number {
  const top = buckets.bounds.length - 1;
  const total = buckets.counts[top] ?? NaN;
  if (buckets.bounds[top] !== Infinity || total === 0 || Number.isNaN(lower) || Number.isNaN(upper)) return NaN;
  if (lower >= upper) return 0;
  return (rankOf(upper, buckets, total) - rankOf(lower, buckets, total)) / total;
}

/** How many observations are at most `value`. */
function rankOf(value: number, { bounds, counts }: Buckets, total: number): number {
  let start = (bounds[0] ?? NaN) <= 0 ? -Infinity : 0;
  let below = 0;
  for (let i = 0; i < bounds.length; i += 1) {
    const bound = bounds[i] ?? NaN;
    const count = counts[i] ?? NaN;
    if (start >= value) return Math.min(below, total);
    if (bound > value) {
      const rank = start === -Infinity ? count : below + ((count - below) * (value - start)) / (bound - start);
      return Math.min(rank, total);
    }
    start = bound;
    below = count;
  }
  return total;
}

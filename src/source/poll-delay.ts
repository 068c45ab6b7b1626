import type { Millis } from '../core/units.ts';

const LONGEST_FACTOR = 10;
const JITTER = 0.1;

/**
 * How long to wait before the next poll, in ms: the interval, doubled with each failure in a row up to ten times, ±10 % so
 * that the hosts of a fleet do not all ask in the same second.
 * @param random like `Math.random`: at least 0, below 1
 * @param failures readings in a row that were `unreachable`
 */
export function nextPollDelay(intervalMs: Millis, random: () => number, failures: number): Millis {
  const factor = Math.min(2 ** Math.max(0, failures), LONGEST_FACTOR);
  return Math.round(intervalMs * factor * (1 - JITTER + 2 * JITTER * random()));
}

import type { Retry } from '../memory.ts';
import type { Millis } from '../units.ts';

/** The next try after one more failure: doubling from `firstMs` up to `longestMs`. */
export function backOff(before: Retry | null, at: Millis, firstMs: Millis, longestMs: Millis): Retry {
  const attempts = (before?.attempts ?? 0) + 1;
  const delayMs = Math.min(longestMs, firstMs * 2 ** Math.min(attempts - 1, 30));
  return { attempts, retryAt: at + delayMs };
}

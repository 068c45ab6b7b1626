import type { Millis } from '../core/units.ts';

/** The time that something has, and the caller's own wish to stop. */
export type Deadline = {
  /** Aborts at whichever comes first. */
  readonly signal: AbortSignal;
  /** Why it aborted: its time was over, or the caller wanted it. Undefined while it has not. */
  readonly cause: () => 'timedOut' | 'aborted' | undefined;
};

/** Timers hold at most 2^31 - 1 ms, 24 days. */
const LONGEST_TIMER_MS: Millis = 2_147_483_647;

export function startDeadline(outer: AbortSignal, spanMs: Millis): Deadline {
  const timer = AbortSignal.timeout(Math.min(spanMs, LONGEST_TIMER_MS));
  const signal = AbortSignal.any([outer, timer]);
  return { signal, cause: () => (outer.aborted ? 'aborted' : timer.aborted ? 'timedOut' : undefined) };
}

import type { Millis } from '../core/units.ts';

/** Time as the samplers see it; tests drive one of their own. */
export interface Clock {
  /** Milliseconds since the UNIX epoch. It may jump. */
  now(): Millis;
  /** Milliseconds since some fixed instant. It never jumps, and measures how long something took. */
  elapsed(): Millis;
  /** Calls `fire` once after `delayMs`; disposing of the timer before that prevents it. */
  setTimer(delayMs: Millis, fire: () => void): Disposable;
}

/** setTimeout takes no more than 31 bits, and fires at once when given more. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  setTimer(delayMs, fire) {
    const timer = setTimeout(fire, Math.min(delayMs, LONGEST_TIMER_MS));
    return { [Symbol.dispose]: () => clearTimeout(timer) };
  },
};

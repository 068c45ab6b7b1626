import type { Millis } from '../core/units.ts';

/** A wall clock that was set by more than this is a jump; less is smoothed over by anchoring anew. */
export const JUMP_MS: Millis = 2_000;

/**
 * Wall-clock time that only ever moves forward with the monotonic clock. When the machine's wall clock has been set,
 * `checkJump` says by how much and follows it; memory is moved along, so that no span is shortened or stretched.
 */
export class HostClock {
  #wallAnchor: Millis = Date.now();
  #elapsedAnchor: Millis = performance.now();

  /** Whole milliseconds since the epoch. */
  now(): Millis {
    return Math.round(this.#wallAnchor + (performance.now() - this.#elapsedAnchor));
  }

  /** By how much the wall clock was set since the last call; 0 if it was not. From now on `now()` follows it. */
  checkJump(): Millis {
    const difference = Math.round(Date.now() - this.now());
    if (Math.abs(difference) < JUMP_MS) return 0;
    this.#wallAnchor = Date.now();
    this.#elapsedAnchor = performance.now();
    return difference;
  }
}

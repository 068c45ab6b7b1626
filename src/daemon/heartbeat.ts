import type { Millis } from '../core/units.ts';

/** Tells how late a timer is that should ring at an interval, by the clock that nobody can set. */
export class Heartbeat {
  readonly #intervalMs: Millis;
  readonly #elapsed: () => Millis;
  #last: Millis;

  constructor(intervalMs: Millis, elapsed: () => Millis = () => performance.now()) {
    this.#intervalMs = intervalMs;
    this.#elapsed = elapsed;
    this.#last = elapsed();
  }

  /** Called whenever the timer rings: by how much it is too late; never negative. */
  lateMs(): Millis {
    const now = this.#elapsed();
    const late = now - this.#last - this.#intervalMs;
    this.#last = now;
    return Math.max(0, Math.round(late));
  }

  /** The interval begins now; what was before is not counted. */
  restart(): void {
    this.#last = this.#elapsed();
  }
}

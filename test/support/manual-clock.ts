import type { Clock } from '../../src/metrics/clock.ts';

type Timer = { readonly at: number; readonly fire: () => void };

/** A clock that stands still until a test moves it. */
export class ManualClock implements Clock {
  #wall: number;
  #elapsed = 0;
  readonly #timers = new Set<Timer>();

  constructor(now: number) {
    this.#wall = now;
  }

  now(): number {
    return this.#wall;
  }

  elapsed(): number {
    return this.#elapsed;
  }

  /** How many timers are set. */
  get pending(): number {
    return this.#timers.size;
  }

  setTimer(delayMs: number, fire: () => void): Disposable {
    const timer = { at: this.#elapsed + delayMs, fire };
    this.#timers.add(timer);
    return { [Symbol.dispose]: () => void this.#timers.delete(timer) };
  }

  /** Lets time pass, and fires what becomes due, each at its time. */
  advance(spanMs: number): void {
    const end = this.#elapsed + spanMs;
    for (let due = this.#due(end); due !== undefined; due = this.#due(end)) {
      this.#moveTo(due.at);
      this.#timers.delete(due);
      due.fire();
    }
    this.#moveTo(end);
  }

  /** Sets the wall clock, as an administrator would. */
  jump(byMs: number): void {
    this.#wall += byMs;
  }

  #due(end: number): Timer | undefined {
    return [...this.#timers].filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at)[0];
  }

  #moveTo(elapsed: number): void {
    this.#wall += elapsed - this.#elapsed;
    this.#elapsed = elapsed;
  }
}

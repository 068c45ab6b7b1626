import { formatDuration, type Millis } from '../core/units.ts';
import type { Clock } from './clock.ts';
import { DeadlineExceeded } from './http/exchange.ts';
import { nextSlot, phaseOf } from './phase.ts';
import type { Outcome, Sampler } from './sampler.ts';

/** How long a sampler may take to notice that it was aborted, before it is given up on. */
const ABORT_GRACE_MS: Millis = 1000;

export type Sampled = { readonly at: Millis; readonly durationMs: Millis; readonly outcome: Outcome };

export type LoopOptions = {
  readonly source: string;
  readonly intervalMs: Millis;
  readonly sampler: Sampler;
  readonly clock: Clock;
  /** Called with the outcome of each sampling, and never after `stop`. */
  readonly onSampled: (sampled: Sampled) => void;
};

/** Samples one target on its phase until it is stopped. A sampling begins only when the one before has really ended. */
export class TargetLoop {
  readonly sampler: Sampler;
  readonly #options: LoopOptions;
  #stopped = false;
  #current = new AbortController();
  #timer: Disposable | undefined;
  #ended: Promise<unknown> = Promise.resolve();

  constructor(options: LoopOptions) {
    this.#options = options;
    this.sampler = options.sampler;
  }

  /** Takes the first sampling at once. */
  start(): void {
    if (!this.#stopped) void this.#sample();
  }

  /** Aborts what is under way; resolves when it has ended, or is given up on. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#current.abort();
    this.#timer?.[Symbol.dispose]();
    const { promise: givenUp, resolve } = Promise.withResolvers<void>();
    using _grace = this.#options.clock.setTimer(ABORT_GRACE_MS, resolve);
    await Promise.race([this.#ended, givenUp]);
    this.sampler.close();
  }

  async #sample(): Promise<void> {
    const { clock, onSampled } = this.#options;
    const at = clock.now();
    const begun = clock.elapsed();
    const outcome = await this.#outcomeInTime();
    const durationMs = clock.elapsed() - begun;
    if (this.#stopped) return;
    void this.#ended.then(() => this.#schedule(begun));
    onSampled({ at, durationMs, outcome });
  }

  #schedule(begun: Millis): void {
    if (this.#stopped) return;
    const { clock, source, intervalMs } = this.#options;
    const now = clock.now();
    // At least half an interval lies between two samplings, also after the first, which is not on the phase, and
    // when a timer fires a little early. Measured by the time elapsed: after the clock was set back it must not wait for hours.
    const spacing = Math.max(0, begun + intervalMs / 2 - clock.elapsed());
    const next = nextSlot(now + spacing, phaseOf(source, intervalMs), intervalMs);
    this.#timer = clock.setTimer(next - now, () => void this.#sample());
  }

  async #outcomeInTime(): Promise<Outcome> {
    const { clock } = this.#options;
    const { timeoutMs } = this.sampler;
    const within = formatDuration(timeoutMs);
    const current = new AbortController();
    this.#current = current;
    const expire = () => current.abort(new DeadlineExceeded(`no end within ${within}`));
    using _deadline = clock.setTimer(timeoutMs, expire);
    const { promise: hung, resolve } = Promise.withResolvers<Outcome>();
    const giveUp = () =>
      resolve(failed('hung', `the sampler went on after it was stopped for taking more than ${within}`));
    using _grace = clock.setTimer(timeoutMs + ABORT_GRACE_MS, giveUp);
    const sampling = this.#outcome(current.signal);
    // Only that it ended: the outcome itself, with all of its samples, would be kept until the next one.
    this.#ended = sampling.then(() => undefined);
    return await Promise.race([sampling, hung]);
  }

  /** A fault of the program in one sampler must not end the others; it is shown like any other fault. */
  async #outcome(signal: AbortSignal): Promise<Outcome> {
    try {
      return await this.sampler.sample(signal);
    } catch (error) {
      return failed('internal', `the sampler broke: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}

function failed(code: string, message: string): Outcome {
  return { kind: 'failed', samples: [], fault: { code, message } };
}

import { isDeepStrictEqual } from 'node:util';
import type { MetricSource } from '../core/model/metric-source.ts';
import type { Millis } from '../core/units.ts';
import type { Sampler, SamplerMeans, SamplingFault } from './sampler.ts';
import { openSamplers } from './samplers/registry.ts';
import type { CommitSummary, SampleStore } from './store/sample-store.ts';
import { type Sampled, TargetLoop } from './target-loop.ts';

/** How one target of a source is doing. `waiting`: not sampled yet. */
export type SourceCondition = {
  readonly source: string;
  readonly target: string;
  readonly state: 'up' | 'down' | 'waiting';
  /** When the state began. */
  readonly since: Millis;
  readonly lastAt?: Millis;
  /** Why it is down; or, while it is up, what of its last samples could not be kept. */
  readonly lastError?: SamplingFault;
  /** How many samples the last sampling gave. */
  readonly samples: number;
  readonly durationMs: Millis;
  /** Of a remote server: what it says it is. */
  readonly server?: string;
};

export type Commit = { readonly source: string; readonly target: string; readonly at: Millis; readonly ok: boolean };

export type SamplingOptions = {
  readonly store: SampleStore;
  readonly means: SamplerMeans;
  /** Called after the samples of a target, or their absence, are in the store. It must not throw. */
  readonly onCommit: (commit: Commit) => void;
  /** How a source becomes samplers; only tests give another way. */
  readonly open?: (source: MetricSource, means: SamplerMeans) => readonly Sampler[];
};

type Watched = { readonly source: MetricSource; readonly targets: readonly WatchedTarget[] };
type WatchedTarget = { readonly loop: TargetLoop; condition: SourceCondition };

/** Samples all sources, each on its own phase, into the store. */
export class Sampling {
  readonly #options: SamplingOptions;
  readonly #open: NonNullable<SamplingOptions['open']>;
  #watched = new Map<string, Watched>();

  constructor(options: SamplingOptions) {
    this.#options = options;
    this.#open = options.open ?? openSamplers;
  }

  /** Samples exactly these from now on. Unchanged ones are not disturbed; the series of what is gone end. */
  update(sources: readonly MetricSource[]): void {
    const before = this.#watched;
    this.#watched = new Map();
    for (const source of sources.filter(({ suspend }) => !suspend)) {
      const known = before.get(source.name);
      before.delete(source.name);
      const unchanged = known !== undefined && samplesTheSame(known.source, source);
      this.#watched.set(source.name, unchanged ? known : this.#watch(source, known));
    }
    for (const { source, targets } of before.values()) {
      for (const { loop } of targets) void loop.stop();
      this.#options.store.forget(source.name, this.#options.means.clock.now());
    }
  }

  /** One per target, in the order of the sources. */
  conditions(): readonly SourceCondition[] {
    return [...this.#watched.values()].flatMap(({ targets }) => targets.map(({ condition }) => condition));
  }

  /** Ends all sampling; resolves when nothing is under way any more. */
  async stop(): Promise<void> {
    const targets = [...this.#watched.values()].flatMap((watched) => watched.targets);
    this.#watched.clear();
    await Promise.all(targets.map(({ loop }) => loop.stop()));
  }

  #watch(source: MetricSource, replaced: Watched | undefined): Watched {
    const { means, store } = this.#options;
    const samplers = new Map(this.#open(source, means).map((sampler) => [sampler.target, sampler]));
    const stopped = new Map(replaced?.targets.map(({ loop }) => [loop.sampler.target, loop.stop()]));
    for (const target of stopped.keys()) {
      if (!samplers.has(target)) store.forgetTarget(source.name, target, means.clock.now());
    }
    const targets = [...samplers.values()].map((sampler) => this.#watchTarget(source, sampler));
    for (const { loop } of targets) startAfter(stopped.get(loop.sampler.target), loop);
    return { source, targets };
  }

  #watchTarget(source: MetricSource, sampler: Sampler): WatchedTarget {
    const { clock } = this.#options.means;
    const { name, intervalMs } = source;
    const onSampled = (sampled: Sampled) => this.#take(watched, name, sampled);
    const watched: WatchedTarget = {
      loop: new TargetLoop({ source: name, intervalMs, sampler, clock, onSampled }),
      condition: {
        source: name,
        target: sampler.target,
        state: 'waiting',
        since: clock.now(),
        samples: 0,
        durationMs: 0,
      },
    };
    return watched;
  }

  #take(watched: WatchedTarget, source: string, sampled: Sampled): void {
    const { at, outcome } = sampled;
    const { target } = watched.loop.sampler;
    const summary = this.#options.store.commit({ source, target, at, samples: outcome.samples });
    watched.condition = nextCondition(watched.condition, sampled, summary);
    const commit: Commit = { source, target, at, ok: outcome.kind === 'sampled' };
    // Evaluated next, but not within this: the samples are in the store now, and by then nobody has them any more.
    queueMicrotask(() => this.#options.onCommit(commit));
  }
}

/** Where it stands in the policy does not matter. */
export function samplesTheSame(a: MetricSource, b: MetricSource): boolean {
  return a.intervalMs === b.intervalMs && isDeepStrictEqual(a.type, b.type);
}

/** One target is never sampled twice at a time, not even by what replaces its source. */
function startAfter(stopped: Promise<void> | undefined, loop: TargetLoop): void {
  if (stopped === undefined) loop.start();
  else void stopped.then(() => loop.start());
}

function nextCondition(before: SourceCondition, sampled: Sampled, summary: CommitSummary): SourceCondition {
  const { at, durationMs, outcome } = sampled;
  const { source, target } = before;
  const state = outcome.kind === 'sampled' ? 'up' : 'down';
  const since = before.state === state ? before.since : at;
  const error = outcome.kind === 'failed' ? outcome.fault : lossOf(summary);
  const lastError = error === undefined ? {} : { lastError: error };
  return { source, target, state, since, lastAt: at, ...lastError, samples: outcome.samples.length, durationMs };
}

const LOSSES: readonly (readonly [Exclude<keyof CommitSummary, 'appended'>, string])[] = [
  ['future', 'from the future: check the clocks'],
  ['outOfOrder', 'older than what came before'],
  ['repeated', 'there more than once'],
  ['conflicting', 'with the labels of a series of another target'],
  ['refused', 'over the limits of the store'],
];

function lossOf(summary: CommitSummary): SamplingFault | undefined {
  const losses = LOSSES.filter(([name]) => summary[name] > 0).map(([name, what]) => `${summary[name]} ${what}`);
  return losses.length === 0
    ? undefined
    : { code: 'samples_dropped', message: `samples dropped: ${losses.join('; ')}` };
}

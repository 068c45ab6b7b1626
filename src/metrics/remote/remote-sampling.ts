import type { QueryCheck } from '../../core/model/check.ts';
import type { MetricSource, PrometheusType } from '../../core/model/metric-source.ts';
import type { Trigger, TriggerKey } from '../../core/model/trigger.ts';
import type { Reading } from '../../core/observed.ts';
import { formatDuration, type Millis } from '../../core/units.ts';
import { DeadlineExceeded } from '../http/exchange.ts';
import type { Finding } from '../query-check.ts';
import type { Outcome, Sampler, SamplerMeans } from '../sampler.ts';
import { type SourceCondition, samplesTheSame } from '../sampling.ts';
import { type Sampled, TargetLoop } from '../target-loop.ts';
import { createPrometheusClient } from './prometheus-client.ts';
import { askCheck } from './remote-check.ts';
import { type RemoteAnswer, RemoteFault, type RemoteQuery } from './remote-query.ts';
import { askAll, complaintOf, outcomeOf, type Round } from './remote-round.ts';

export type RemoteSamplingOptions = {
  readonly means: SamplerMeans;
  /** Called once per interval of each source, with a reading of every trigger of it. It must not throw. */
  readonly onReadings: (readings: readonly Reading[]) => void;
  /** How a source becomes a client; only tests give another way. */
  readonly open?: (type: PrometheusType, means: SamplerMeans) => RemoteQuery;
};

type Watched = {
  readonly source: MetricSource;
  readonly remote: RemoteQuery;
  readonly loop: TargetLoop;
  condition: SourceCondition;
  round: Round | undefined;
  readings: readonly Reading[];
  begun: boolean;
};

/** A source whose triggers are not known yet is asked for nothing; they come with the next decision, a moment later. */
const START_DELAY_MS: Millis = 200;

/** Lets remote servers evaluate the triggers that name them, each source on its own phase. Samples are not stored. */
export class RemoteSampling {
  readonly #options: RemoteSamplingOptions;
  #watched = new Map<string, Watched>();
  #triggers: ReadonlyMap<TriggerKey, Trigger> = new Map();

  constructor(options: RemoteSamplingOptions) {
    this.#options = options;
  }

  /** Asks exactly those of type `prometheus` from now on. Unchanged ones are not disturbed. */
  update(sources: readonly MetricSource[]): void {
    const before = this.#watched;
    this.#watched = new Map();
    for (const source of sources) {
      const { type } = source;
      if (source.suspend || type.kind !== 'prometheus') continue;
      const known = before.get(source.name);
      const unchanged = known !== undefined && samplesTheSame(known.source, source);
      if (unchanged) before.delete(source.name);
      this.#watched.set(source.name, unchanged ? known : this.#watch(source, type));
    }
    for (const { loop } of before.values()) void loop.stop();
  }

  /** The triggers to evaluate; those without a source are not this one's. */
  watch(triggers: ReadonlyMap<TriggerKey, Trigger>): void {
    this.#triggers = triggers;
    for (const watched of this.#watched.values()) begin(watched);
  }

  /** One per source, in their order. */
  conditions(): readonly SourceCondition[] {
    return [...this.#watched.values()].map(({ condition }) => condition);
  }

  /** What each trigger read last. */
  latest(): readonly Reading[] {
    return [...this.#watched.values()].flatMap(({ readings }) => readings);
  }

  /** Asks the server that the check names, at once. */
  async check(check: QueryCheck): Promise<Finding> {
    const watched = this.#watched.get(check.source ?? '');
    if (watched === undefined) {
      return { key: check.key, outcome: 'unknown', detail: `the MetricSource ${check.source} is not there` };
    }
    const { clock } = this.#options.means;
    const { timeoutMs } = watched.loop.sampler;
    const deadline = new AbortController();
    using _timer = clock.setTimer(timeoutMs, () => {
      deadline.abort(new DeadlineExceeded(`no end within ${formatDuration(timeoutMs)}`));
    });
    return await askCheck(watched.remote, check, clock.now(), deadline.signal);
  }

  /** Ends all asking; resolves when nothing is under way any more. */
  async stop(): Promise<void> {
    const loops = [...this.#watched.values()].map(({ loop }) => loop);
    this.#watched.clear();
    await Promise.all(loops.map((loop) => loop.stop()));
  }

  #watch(source: MetricSource, type: PrometheusType): Watched {
    const { means, open = createPrometheusClient } = this.#options;
    const { clock } = means;
    const remote = open(type, means);
    const { name, intervalMs } = source;
    const sampler: Sampler = {
      target: remote.target,
      timeoutMs: type.timeoutMs,
      sample: (signal) => this.#ask(watched, signal),
      close: () => remote.close(),
    };
    const onSampled = (sampled: Sampled) => this.#take(watched, sampled);
    const waiting = { source: name, target: remote.target, state: 'waiting', since: clock.now() } as const;
    const watched: Watched = {
      source,
      remote,
      loop: new TargetLoop({ source: name, intervalMs, sampler, clock, onSampled }),
      condition: { ...waiting, samples: 0, durationMs: 0 },
      round: undefined,
      readings: [],
      begun: false,
    };
    clock.setTimer(START_DELAY_MS, () => begin(watched));
    return watched;
  }

  async #ask(watched: Watched, signal: AbortSignal): Promise<Outcome> {
    const answers = new Map<string, RemoteAnswer | RemoteFault>();
    const round: Round = { at: this.#options.means.clock.now(), answers };
    watched.round = round;
    const queries = new Set(this.#triggersOf(watched).map(([, { query }]) => query));
    const named = watched.condition.state === 'up' ? undefined : watched.remote.version(signal);
    await askAll(watched.remote, queries, round.at, signal, (query, answer) => answers.set(query, answer));
    const server = await named;
    if (server !== undefined) watched.condition = { ...watched.condition, server };
    return outcomeOf(round);
  }

  #take(watched: Watched, { at, durationMs, outcome }: Sampled): void {
    const { round, condition } = watched;
    const answers: Round['answers'] = round?.answers ?? new Map<string, RemoteAnswer | RemoteFault>();
    const readings = this.#triggersOf(watched).flatMap(([key, trigger]) => {
      const unanswered = outcome.kind === 'failed' ? new RemoteFault('timeout', outcome.fault.message) : undefined;
      const answer = answers.get(trigger.query) ?? unanswered;
      return answer === undefined ? [] : [readingOf(key, watched.source, round?.at ?? at, answer)];
    });
    const state = outcome.kind === 'sampled' ? 'up' : 'down';
    const error = outcome.kind === 'failed' ? outcome.fault : complaintOf({ at, answers });
    const { lastError: _, ...kept } = condition;
    watched.condition = {
      ...kept,
      state,
      since: condition.state === state ? condition.since : at,
      lastAt: at,
      samples: readings.length,
      durationMs,
      ...(error === undefined ? {} : { lastError: error }),
    };
    watched.readings = readings;
    this.#options.onReadings(readings);
  }

  #triggersOf({ source }: Watched): (readonly [TriggerKey, Trigger])[] {
    return [...this.#triggers].filter(([, trigger]) => trigger.source === source.name);
  }
}

function begin(watched: Watched): void {
  if (watched.begun) return;
  watched.begun = true;
  watched.loop.start();
}

/** What the server answers covers every window: its samples were there before revertd started. */
function readingOf(
  trigger: TriggerKey,
  { intervalMs }: MetricSource,
  at: Millis,
  answer: RemoteAnswer | RemoteFault,
): Reading {
  const asked = { trigger, at, intervalMs, covered: true };
  if (answer instanceof RemoteFault) {
    return { ...asked, healthy: false, result: { kind: 'failed', message: answer.message } };
  }
  // Of a partial answer what is there counts; what is not there proves nothing.
  return { ...asked, healthy: answer.partial.length === 0, result: { kind: 'elements', elements: answer.elements } };
}

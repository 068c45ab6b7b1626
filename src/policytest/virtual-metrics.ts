import type { CheckResult, QueryCheck } from '../core/model/check.ts';
import type { Measure, MeasureResult } from '../core/model/measure.ts';
import type { MetricSource } from '../core/model/metric-source.ts';
import type { Trigger, TriggerKey } from '../core/model/trigger.ts';
import { fromReadingValue, type Reading } from '../core/observed.ts';
import type { TriggerMemory } from '../core/triggers/trigger-memory.ts';
import type { Millis } from '../core/units.ts';
import { Evaluator } from '../metrics/evaluator.ts';
import { SampleStore } from '../metrics/store/sample-store.ts';
import { INPUT, type Input } from './policy-test.ts';
import { commitSamples, type IsSilent } from './samples.ts';

/** A baseline needs so many readings, over this share of its span; as the daemon's history has it. */
const BASELINE_LEAST = 20;
const BASELINE_SHARE = 0.25;

/** The samples of a virtual host, and what its triggers read. */
export class VirtualMetrics {
  readonly #inputs: readonly Input[];
  readonly #intervalMs: Millis;
  readonly #history = new Map<TriggerKey, { readonly at: Millis; readonly value: number }[]>();
  #store = new SampleStore();
  #evaluator = this.#newEvaluator();
  #sources: readonly MetricSource[] = [];
  /** Which server a trigger asks, of those that ask one. */
  #asked: ReadonlyMap<TriggerKey, string> = new Map();

  constructor(inputs: readonly Input[], intervalMs: Millis) {
    this.#inputs = inputs;
    this.#intervalMs = intervalMs;
  }

  /** Samples live in the daemon's memory. What triggers read is in its store and stays. */
  restart(): void {
    this.#store = new SampleStore();
    this.#evaluator = this.#newEvaluator();
  }

  /** What is sampled and evaluated from now on; the series of a source that is gone end. */
  update(sources: readonly MetricSource[], triggers: ReadonlyMap<TriggerKey, Trigger>, at: Millis): void {
    const active = sources.filter(({ suspend }) => !suspend);
    for (const { name } of this.#sources) if (!active.some((one) => one.name === name)) this.#store.forget(name, at);
    this.#sources = active;
    const own = this.#inputs.some(({ source }) => source === INPUT) ? [INPUT] : [];
    const intervals = [...own, ...active.map(({ name }) => name)].map((name) => [name, this.#intervalMs] as const);
    this.#asked = new Map([...triggers].flatMap(([key, { source }]) => (source === undefined ? [] : [[key, source]])));
    this.#evaluator.update(
      new Map([...triggers].map(([key, trigger]) => [key, ownSamples(trigger)])),
      new Map(intervals),
    );
  }

  /** Samples everything once, for the time with this number, and evaluates every trigger that reads what came. */
  sample(index: number, at: Millis, isSilent: IsSilent): readonly Reading[] {
    const commits = commitSamples(this.#store, this.#inputs, this.#sources, index, at, isSilent);
    const newest = new Map<TriggerKey, Reading>();
    // At one instant the last evaluation of a trigger knows how all its sources fared.
    for (const commit of commits) {
      for (const reading of this.#evaluator.onCommit(commit)) newest.set(reading.trigger, reading);
    }
    return [...newest.values()].map((reading) => this.#asServer(reading, at, isSilent));
  }

  /** A server has seen every window before the daemon began, and is healthy as long as it answers. */
  #asServer(reading: Reading, at: Millis, isSilent: IsSilent): Reading {
    const server = this.#asked.get(reading.trigger);
    if (server === undefined) return reading;
    const asked = { ...reading, covered: true };
    if (!isSilent(server, at)) return { ...asked, healthy: true };
    return { ...asked, healthy: false, result: { kind: 'failed', message: `${server} does not answer` } };
  }

  check(check: QueryCheck, at: Millis, isSilent: IsSilent): CheckResult {
    const { key, source } = check;
    if (source === undefined) return { ...this.#evaluator.check(check, at), at };
    const asked = this.#sources.some(({ name }) => name === source);
    if (asked && !isSilent(source, at)) return { ...this.#evaluator.check(check, at), at };
    return { key, at, outcome: 'unknown', detail: `${source} ${asked ? 'does not answer' : 'is not there'}` };
  }

  measure(measure: Measure, at: Millis): MeasureResult {
    // A test has no databases; what would be counted in one is taken for nothing.
    if (measure.kind === 'sql') return { key: measure.key, at, value: 0, detail: 'a test has no database' };
    return this.#evaluator.measure(measure, at);
  }

  /** Keeps what a trigger read while it was not breached, for baselines: before there is one it is unknown, and counts. */
  note(trigger: TriggerKey, { state, value, at }: TriggerMemory): void {
    if (state === 'pending' || state === 'firing' || value === null) return;
    const readings = this.#history.get(trigger) ?? [];
    readings.push({ at, value: fromReadingValue(value) });
    this.#history.set(trigger, readings);
  }

  #newEvaluator(): Evaluator {
    return new Evaluator(this.#store, (trigger, overMs, at) => this.#baseline(trigger, overMs, at));
  }

  #baseline(trigger: TriggerKey, overMs: Millis, at: Millis): number | null {
    const readings = (this.#history.get(trigger) ?? []).filter((one) => one.at >= at - overMs && one.at <= at);
    const [oldest] = readings;
    if (oldest === undefined || readings.length < BASELINE_LEAST || at - oldest.at < BASELINE_SHARE * overMs) {
      return null;
    }
    const values = readings.map(({ value }) => value).sort((a, b) => a - b);
    const middle = values.length >> 1;
    const upper = values[middle] ?? 0;
    return values.length % 2 === 1 ? upper : ((values[middle - 1] ?? upper) + upper) / 2;
  }
}

/** The series of a test are all in one store, those of a server among them. */
function ownSamples(trigger: Trigger): Trigger {
  const { source: _, ...own } = trigger;
  return own;
}

import type { Check, CheckResult } from '../core/model/check.ts';
import type { Measure, MeasureResult } from '../core/model/measure.ts';
import { isBeyond, type Trigger, type TriggerKey } from '../core/model/trigger.ts';
import { type Reading, type ReadingElement, toReadingValue } from '../core/observed.ts';
import type { Millis } from '../core/units.ts';
import { type CompiledQuery, compileQuery, type InstantResult } from '../promql/evaluate.ts';
import { type SelectorUse, selectorsOf, windowOf } from '../promql/inspect.ts';
import { type SharedInterner, shareInterner } from '../promql/labels.ts';
import { parseQuery } from '../promql/parse.ts';
import { PromqlError } from '../promql/promql-error.ts';
import { DEFAULT_LOOKBACK_MS, type Series } from '../promql/series.ts';
import type { Commit } from './sampling.ts';
import { retentionFor, type SampleStore } from './store/sample-store.ts';

/** A query made ready once and evaluated often. */
type Prepared = {
  readonly compiled: CompiledQuery;
  readonly selectors: readonly SelectorUse[];
  readonly windowMs: Millis;
  /** The sources of its series, as long as the store's generation is this one. */
  known: { readonly generation: number; readonly sources: readonly string[] } | undefined;
};

type SourceState = { readonly since: Millis; readonly healthy: boolean; readonly intervalMs: Millis };

/** What a trigger usually reads, or null while there is too little history. */
export type Baseline = (trigger: TriggerKey, overMs: Millis, at: Millis) => number | null;

/** The usual moves slowly, so it is looked up so often. */
const BASELINE_LIFE_MS: Millis = 60_000;

/** What a query's answer rests on. */
export type Coverage = {
  /** How far back it looks; 0 for one that looks at the newest samples alone. */
  readonly windowMs: Millis;
  /** How much of that has been seen since the start. */
  readonly coveredMs: Millis;
  readonly sources: readonly string[];
  readonly series: number;
  /** Within the window, or within the lookback where there is none. */
  readonly samples: number;
};

/** Results with more elements than this are cut; a policy that judges so many at once is a mistake. */
const ELEMENTS_KEPT = 1_000;

/** Evaluates triggers over the samples, the moment that one of their sources has delivered. */
export class Evaluator {
  readonly #store: SampleStore;
  readonly #history: Baseline;
  readonly #baselines = new Map<TriggerKey, { readonly at: Millis; readonly value: number | null }>();
  readonly #prepared = new Map<string, Prepared | PromqlError>();
  readonly #interner = shareInterner();
  readonly #sources = new Map<string, SourceState>();
  #intervals: ReadonlyMap<string, Millis> = new Map();
  #triggers: ReadonlyMap<TriggerKey, Trigger> = new Map();

  constructor(store: SampleStore, history: Baseline = () => null) {
    this.#store = store;
    this.#history = history;
  }

  /** The triggers to evaluate from now on (those with a `source` are evaluated by its server), and the interval of each source that is sampled, by name. */
  update(triggers: ReadonlyMap<TriggerKey, Trigger>, intervals: ReadonlyMap<string, Millis>): void {
    const own = [...triggers].filter(([, { source }]) => source === undefined);
    this.#triggers = new Map(own);
    this.#intervals = intervals;
    for (const name of this.#sources.keys()) if (!intervals.has(name)) this.#sources.delete(name);
    const queries = new Set(own.map(([, trigger]) => trigger.query));
    for (const query of this.#prepared.keys()) if (!queries.has(query)) this.#prepared.delete(query);
    const longest = Math.max(0, ...own.map(([, trigger]) => trigger.windowMs));
    this.#store.retain(retentionFor(longest));
  }

  /** The readings that a commit gives: of every trigger that reads its source, or whose series nobody has. */
  onCommit(commit: Commit): Reading[] {
    const before = this.#sources.get(commit.source);
    this.#sources.set(commit.source, {
      since: before?.since ?? commit.at,
      healthy: commit.ok,
      intervalMs: this.#intervals.get(commit.source) ?? 0,
    });
    const readings: Reading[] = [];
    for (const [key, trigger] of this.#triggers) {
      const prepared = this.#prepare(trigger.query);
      const sources = prepared instanceof PromqlError ? [] : this.#sourcesOf(prepared);
      if (sources.length > 0 && !sources.includes(commit.source)) continue;
      if (!this.#isAbsenceProven(prepared)) continue;
      readings.push({ ...this.#read(key, prepared, sources, commit), ...this.#baselineOf(key, trigger, commit.at) });
    }
    return readings;
  }

  /** Readings of remote servers, with the baselines of their triggers, which are recorded here like any other. */
  withBaselines(readings: readonly Reading[], triggers: ReadonlyMap<TriggerKey, Trigger>): Reading[] {
    return readings.map((reading) => {
      const trigger = triggers.get(reading.trigger);
      return trigger === undefined
        ? reading
        : { ...reading, ...this.#baselineOf(reading.trigger, trigger, reading.at) };
    });
  }

  /** What triggers read at `at`, over the samples that there are; those of which no source was sampled, or which a server evaluates, are missing. */
  readNow(triggers: ReadonlyMap<TriggerKey, Trigger>, at: Millis): Reading[] {
    return [...triggers].flatMap(([key, trigger]) => {
      if (trigger.source !== undefined) return [];
      const prepared = this.#prepare(trigger.query);
      const sources = prepared instanceof PromqlError ? [] : this.#sourcesOf(prepared);
      if (!sources.some((source) => this.#sources.has(source))) return [];
      const reading = this.#read(key, prepared, sources, { source: '', target: '', at, ok: true });
      return [{ ...reading, ...this.#baselineOf(key, trigger, at) }];
    });
  }

  /** The clock was set: what was seen before it covers no window that is looked at from now on. */
  forgetCoverage(): void {
    this.#sources.clear();
  }

  /** Answers a check of kind `query`: true if every element is beyond its threshold, unknown without data or with NaN. */
  check(check: Extract<Check, { kind: 'query' }>, at: Millis): Omit<CheckResult, 'at'> {
    const { key } = check;
    const prepared = this.#prepare(check.expr);
    if (prepared instanceof PromqlError) return { key, outcome: 'unknown', detail: prepared.message };
    try {
      const elements = elementsOf(prepared.compiled.instant(this.#store, at));
      if (elements.length === 0) return { key, outcome: 'unknown', detail: 'no data' };
      if (elements.some((element) => Number.isNaN(element))) return { key, outcome: 'unknown', detail: 'NaN' };
      const good = elements.every((value) => isBeyond(check.threshold, value));
      return { key, outcome: good ? 'true' : 'false', detail: `is ${elements.slice(0, 5).join(', ')}` };
    } catch (error) {
      if (error instanceof PromqlError) return { key, outcome: 'unknown', detail: error.message };
      throw error;
    }
  }

  /** The sum over the elements of the measure's query; null without data, or with NaN. */
  measure({ key, expr }: Measure, at: Millis): MeasureResult {
    const prepared = this.#prepare(expr);
    if (prepared instanceof PromqlError) return { key, at, value: null, detail: prepared.message };
    try {
      const elements = elementsOf(prepared.compiled.instant(this.#store, at));
      const value = elements.reduce((sum, element) => sum + element, 0);
      if (elements.length === 0) return { key, at, value: null, detail: 'no data' };
      return Number.isFinite(value)
        ? { key, at, value, detail: `the sum of ${elements.length} element(s)` }
        : { key, at, value: null, detail: `is ${value}` };
    } catch (error) {
      if (error instanceof PromqlError) return { key, at, value: null, detail: error.message };
      throw error;
    }
  }

  /** What a query has to go by at `at`. */
  coverage(query: string, at: Millis): Coverage {
    const prepared = this.#prepare(query);
    if (prepared instanceof PromqlError) return { windowMs: 0, coveredMs: 0, sources: [], series: 0, samples: 0 };
    const sources = this.#sourcesOf(prepared);
    const sinces = sources.flatMap((source) => this.#sources.get(source)?.since ?? []);
    const series = [...new Set(prepared.selectors.flatMap(({ matchers }) => this.#store.resolve(matchers)))];
    const from = at - (prepared.windowMs === 0 ? DEFAULT_LOOKBACK_MS : prepared.windowMs);
    return {
      windowMs: prepared.windowMs,
      coveredMs: sinces.length === 0 ? 0 : Math.min(prepared.windowMs, ...sinces.map((since) => at - since)),
      sources,
      series: series.length,
      samples: series.reduce((sum, one) => sum + samplesIn(one, from, at), 0),
    };
  }

  #read(trigger: TriggerKey, prepared: Prepared | PromqlError, sources: readonly string[], commit: Commit): Reading {
    const states = sources.flatMap((source) => this.#sources.get(source) ?? []);
    const own = this.#sources.get(commit.source);
    const relevant = states.length > 0 ? states : own === undefined ? [] : [own];
    return {
      trigger,
      at: commit.at,
      intervalMs: Math.max(...relevant.map((state) => state.intervalMs)),
      covered:
        !(prepared instanceof PromqlError) && relevant.every((state) => commit.at - state.since >= prepared.windowMs),
      healthy: relevant.every((state) => state.healthy),
      result: this.#result(prepared, commit.at),
    };
  }

  #baselineOf(key: TriggerKey, { threshold }: Trigger, at: Millis): Pick<Reading, 'baseline'> {
    if (threshold.kind !== 'baseline') return {};
    const known = this.#baselines.get(key);
    if (known !== undefined && at >= known.at && at - known.at < BASELINE_LIFE_MS) return { baseline: known.value };
    const value = this.#history(key, threshold.overMs, at);
    this.#baselines.set(key, { at, value });
    return { baseline: value };
  }

  #result(prepared: Prepared | PromqlError, at: Millis): Reading['result'] {
    if (prepared instanceof PromqlError) return { kind: 'failed', message: prepared.message };
    try {
      const result = prepared.compiled.instant(this.#store, at);
      return { kind: 'elements', elements: readingElements(result) };
    } catch (error) {
      if (error instanceof PromqlError) return { kind: 'failed', message: error.message };
      throw error;
    }
  }

  /** A series that nobody has may still come from a source that has not delivered since the start. */
  #isAbsenceProven(prepared: Prepared | PromqlError): boolean {
    if (prepared instanceof PromqlError) return true;
    if (prepared.selectors.every(({ matchers }) => this.#store.sourcesOf(matchers).length > 0)) return true;
    return [...this.#intervals.keys()].every((source) => this.#sources.has(source));
  }

  #sourcesOf(prepared: Prepared): readonly string[] {
    const { generation } = this.#store;
    if (prepared.known?.generation === generation) return prepared.known.sources;
    const sources = [...new Set(prepared.selectors.flatMap(({ matchers }) => this.#store.sourcesOf(matchers)))];
    prepared.known = { generation, sources };
    return sources;
  }

  #prepare(query: string): Prepared | PromqlError {
    const known = this.#prepared.get(query);
    if (known !== undefined) return known;
    const prepared = prepare(query, this.#interner);
    this.#prepared.set(query, prepared);
    return prepared;
  }
}

function samplesIn({ times, first, end }: Series, from: Millis, to: Millis): number {
  let count = 0;
  for (let index = end - 1; index >= first; index -= 1) {
    const at = times[index] ?? 0;
    if (at <= from) break;
    if (at <= to) count += 1;
  }
  return count;
}

function prepare(query: string, interner: SharedInterner): Prepared | PromqlError {
  try {
    const expr = parseQuery(query);
    const compiled = compileQuery(expr, { text: query, interner });
    return { compiled, selectors: selectorsOf(expr), windowMs: windowOf(expr), known: undefined };
  } catch (error) {
    if (error instanceof PromqlError) return error;
    throw error;
  }
}

function readingElements(result: InstantResult): ReadingElement[] {
  switch (result.type) {
    case 'scalar':
      return [{ labels: {}, value: toReadingValue(result.value) }];
    case 'vector':
      return result.elements
        .slice(0, ELEMENTS_KEPT)
        .map(({ labels, value }) => ({ labels, value: toReadingValue(value) }));
    case 'string':
    case 'matrix':
      return [];
  }
}

function elementsOf(result: InstantResult): number[] {
  switch (result.type) {
    case 'scalar':
      return [result.value];
    case 'vector':
      return result.elements.map((element) => element.value);
    case 'string':
    case 'matrix':
      return [];
  }
}

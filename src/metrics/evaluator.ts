import type { QueryCheck } from '../core/model/check.ts';
import type { Measure, MeasureResult } from '../core/model/measure.ts';
import type { Trigger, TriggerKey } from '../core/model/trigger.ts';
import { type Reading, type ReadingElement, toReadingValue } from '../core/observed.ts';
import type { Millis } from '../core/units.ts';
import { createSharedParts, type SharedParts } from '../promql/eval/shared-parts.ts';
import { type CompiledQuery, compileQuery, type InstantResult, type VectorElement } from '../promql/evaluate.ts';
import { type SelectorUse, selectorsOf, windowOf } from '../promql/inspect.ts';
import { type SharedInterner, shareInterner } from '../promql/labels.ts';
import { parseQuery } from '../promql/parse.ts';
import { PromqlError } from '../promql/promql-error.ts';
import { DEFAULT_LOOKBACK_MS, type Series } from '../promql/series.ts';
import { type Finding, judgeQueryCheck } from './query-check.ts';
import type { Commit } from './sampling.ts';
import { retentionFor, type SampleStore } from './store/sample-store.ts';

/** A query made ready once and evaluated often. */
type Prepared = {
  readonly compiled: CompiledQuery;
  readonly selectors: readonly SelectorUse[];
  readonly windowMs: Millis;
  /** How far back the samples reach that it needs; its own window, or the lookback of an instant selector. */
  readonly reachMs: Millis;
  /** What is known of its series, as long as the store's generation is this one. */
  known: Known | undefined;
};

type Known = {
  readonly generation: number;
  readonly sources: readonly string[];
  /** Whether each of its selectors finds series of a source. */
  readonly complete: boolean;
};

type Watched = { readonly key: TriggerKey; readonly trigger: Trigger; readonly prepared: Prepared | PromqlError };

/** Of nothing nothing is missing. */
const NO_SOURCE: SourceState = {
  since: Number.NEGATIVE_INFINITY,
  healthy: true,
  intervalMs: Number.NEGATIVE_INFINITY,
};

type SourceState = { readonly since: Millis; readonly healthy: boolean; readonly intervalMs: Millis };

/** What a trigger usually reads, or null while there is too little history. */
export type Baseline = (trigger: TriggerKey, overMs: Millis, at: Millis) => number | null;

/** The usual moves slowly, so it is looked up so often; and sooner while there is none yet. */
const BASELINE_LIFE_MS: Millis = 60_000;
const NO_BASELINE_LIFE_MS: Millis = 5_000;

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

const NO_SOURCES: readonly string[] = [];
const MOST_SOURCE_LISTS = 1_000;

/** Results with more elements than this are cut; a policy that judges so many at once is a mistake. */
const ELEMENTS_KEPT = 1_000;

/** Evaluates triggers over the samples, the moment that one of their sources has delivered. */
export class Evaluator {
  readonly #store: SampleStore;
  readonly #history: Baseline;
  readonly #baselines = new Map<TriggerKey, { readonly at: Millis; readonly value: number | null }>();
  readonly #prepared = new Map<string, Prepared | PromqlError>();
  readonly #interner = shareInterner();
  readonly #parts = createSharedParts();
  readonly #sources = new Map<string, SourceState>();
  readonly #sourceLists = new Map<string, readonly string[]>();
  #intervals: ReadonlyMap<string, Millis> = new Map();
  #watched: readonly Watched[] = [];

  constructor(store: SampleStore, history: Baseline = () => null) {
    this.#store = store;
    this.#history = history;
  }

  /** The triggers to evaluate from now on (those with a `source` are evaluated by its server), and the interval of each source that is sampled, by name. */
  update(triggers: ReadonlyMap<TriggerKey, Trigger>, intervals: ReadonlyMap<string, Millis>): void {
    const own = [...triggers].filter(([, { source }]) => source === undefined);
    this.#intervals = intervals;
    for (const name of this.#sources.keys()) if (!intervals.has(name)) this.#sources.delete(name);
    const queries = new Set(own.map(([, trigger]) => trigger.query));
    for (const query of this.#prepared.keys()) if (!queries.has(query)) this.#prepared.delete(query);
    this.#watched = own.map(([key, trigger]) => ({ key, trigger, prepared: this.#prepare(trigger.query) }));
    // Or parts of queries that are gone would stay for as long as the daemon runs.
    this.#parts.forget();
    const longest = Math.max(0, ...this.#watched.map(({ prepared }) => ('reachMs' in prepared ? prepared.reachMs : 0)));
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
    let of = NO_SOURCES;
    let basis = this.#basisOf(of, commit);
    for (const { key, trigger, prepared } of this.#watched) {
      const sources = prepared instanceof PromqlError ? NO_SOURCES : this.#sourcesOf(prepared);
      if (sources.length > 0 && !sources.includes(commit.source)) continue;
      if (!this.#isAbsenceProven(prepared)) continue;
      // Nearly all triggers read the same source as the one before.
      if (sources !== of) basis = this.#basisOf(sources, commit);
      of = sources;
      readings.push(this.#read(key, trigger, prepared, basis, commit.at));
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
      const sources = prepared instanceof PromqlError ? NO_SOURCES : this.#sourcesOf(prepared);
      if (!sources.some((source) => this.#sources.has(source))) return [];
      const basis = this.#basisOf(sources, { source: '', target: '', at, ok: true });
      return [this.#read(key, trigger, prepared, basis, at)];
    });
  }

  /** The clock was set: what was seen before it covers no window that is looked at from now on. */
  forgetCoverage(): void {
    this.#sources.clear();
  }

  /** Answers a check of kind `query` over the samples that there are, whatever its `source` is. */
  check(check: QueryCheck, at: Millis): Finding {
    const { key } = check;
    const prepared = this.#prepare(check.expr);
    if (prepared instanceof PromqlError) return { key, outcome: 'unknown', detail: prepared.message };
    try {
      return judgeQueryCheck(check, elementsOf(prepared.compiled.instant(this.#store, at)));
    } catch (error) {
      if (error instanceof PromqlError) return { key, outcome: 'unknown', detail: error.message };
      throw error;
    }
  }

  /** The sum over the elements of the measure's query; null without data, or with NaN. */
  measure({ key, expr }: Extract<Measure, { kind: 'query' }>, at: Millis): MeasureResult {
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

  #read(key: TriggerKey, trigger: Trigger, prepared: Prepared | PromqlError, basis: SourceState, at: Millis): Reading {
    const reading = {
      trigger: key,
      at,
      intervalMs: basis.intervalMs,
      covered: !(prepared instanceof PromqlError) && at - basis.since >= prepared.windowMs,
      healthy: basis.healthy,
      result: this.#result(prepared, at),
    };
    return trigger.threshold.kind === 'baseline' ? { ...reading, ...this.#baselineOf(key, trigger, at) } : reading;
  }

  /** What is known of several sources together: since when all deliver, whether all do, and the longest interval. */
  #basisOf(sources: readonly string[], commit: Commit): SourceState {
    let since = Number.NEGATIVE_INFINITY;
    let intervalMs = Number.NEGATIVE_INFINITY;
    let healthy = true;
    let known = 0;
    for (const name of sources) {
      const state = this.#sources.get(name);
      if (state === undefined) continue;
      known += 1;
      since = Math.max(since, state.since);
      intervalMs = Math.max(intervalMs, state.intervalMs);
      healthy &&= state.healthy;
    }
    return known === 0 ? (this.#sources.get(commit.source) ?? NO_SOURCE) : { since, healthy, intervalMs };
  }

  #baselineOf(key: TriggerKey, { threshold }: Trigger, at: Millis): Pick<Reading, 'baseline'> {
    if (threshold.kind !== 'baseline') return {};
    const known = this.#baselines.get(key);
    const lifeMs = known?.value === null ? NO_BASELINE_LIFE_MS : BASELINE_LIFE_MS;
    if (known !== undefined && at >= known.at && at - known.at < lifeMs) return { baseline: known.value };
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
    if (this.#known(prepared).complete) return true;
    return [...this.#intervals.keys()].every((source) => this.#sources.has(source));
  }

  #sourcesOf(prepared: Prepared): readonly string[] {
    return this.#known(prepared).sources;
  }

  /** Asking the store for each trigger at each sampling would cost more than the evaluation. */
  #known(prepared: Prepared): Known {
    const { generation } = this.#store;
    if (prepared.known?.generation === generation) return prepared.known;
    const bySelector = prepared.selectors.map(({ matchers }) => this.#store.sourcesOf(matchers));
    const sources = this.#sameSources([...new Set(bySelector.flat())]);
    prepared.known = { generation, sources, complete: bySelector.every((found) => found.length > 0) };
    return prepared.known;
  }

  /** One list for all queries that read the same sources. */
  #sameSources(sources: readonly string[]): readonly string[] {
    const key = sources.join('\n');
    const known = this.#sourceLists.get(key);
    if (known !== undefined) return known;
    // Sources come and go with the policies, and so few are named together that more than that are left over from others.
    if (this.#sourceLists.size >= MOST_SOURCE_LISTS) this.#sourceLists.clear();
    this.#sourceLists.set(key, sources);
    return sources;
  }

  #prepare(query: string): Prepared | PromqlError {
    const known = this.#prepared.get(query);
    if (known !== undefined) return known;
    const prepared = prepare(query, this.#interner, this.#parts);
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

function prepare(query: string, interner: SharedInterner, parts: SharedParts): Prepared | PromqlError {
  try {
    const expr = parseQuery(query);
    const compiled = compileQuery(expr, { text: query, interner, parts });
    const reachMs = windowOf(expr, DEFAULT_LOOKBACK_MS);
    return { compiled, selectors: selectorsOf(expr), windowMs: windowOf(expr), reachMs, known: undefined };
  } catch (error) {
    if (error instanceof PromqlError) return error;
    throw error;
  }
}

const NO_ELEMENTS: readonly ReadingElement[] = [];

function asReadings(elements: readonly VectorElement[]): readonly ReadingElement[] {
  if (elements.length === 0) return NO_ELEMENTS;
  if (elements.every(({ value }) => Number.isFinite(value))) return elements;
  return elements.map(({ labels, value }) => ({ labels, value: toReadingValue(value) }));
}

function readingElements(result: InstantResult): readonly ReadingElement[] {
  switch (result.type) {
    case 'scalar':
      return [{ labels: {}, value: toReadingValue(result.value) }];
    case 'vector':
      return asReadings(
        result.elements.length > ELEMENTS_KEPT ? result.elements.slice(0, ELEMENTS_KEPT) : result.elements,
      );
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

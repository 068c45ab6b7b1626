import type { Check, CheckResult } from '../../core/model/check.ts';
import { isBeyond, type Trigger, type TriggerKey } from '../../core/model/trigger.ts';
import { type Reading, type ReadingElement, toReadingValue } from '../../core/observed.ts';
import type { Millis } from '../../core/units.ts';
import type { Commit } from '../../metrics/sampling.ts';
import { retentionFor, type SampleStore } from '../../metrics/store/sample-store.ts';
import { type CompiledQuery, compileQuery, type InstantResult } from '../../promql/evaluate.ts';
import { type SelectorUse, selectorsOf, windowOf } from '../../promql/inspect.ts';
import { type SharedInterner, shareInterner } from '../../promql/labels.ts';
import { parseQuery } from '../../promql/parse.ts';
import { PromqlError } from '../../promql/promql-error.ts';

/** A query made ready once and evaluated often. */
type Prepared = {
  readonly compiled: CompiledQuery;
  readonly selectors: readonly SelectorUse[];
  readonly windowMs: Millis;
  /** The sources of its series, as long as the store's generation is this one. */
  known: { readonly generation: number; readonly sources: readonly string[] } | undefined;
};

type SourceState = { readonly since: Millis; readonly healthy: boolean; readonly intervalMs: Millis };

/** Results with more elements than this are cut; a policy that judges so many at once is a mistake. */
const ELEMENTS_KEPT = 1_000;

/** Evaluates triggers over the samples, the moment that one of their sources has delivered. */
export class Evaluator {
  readonly #store: SampleStore;
  readonly #prepared = new Map<string, Prepared | PromqlError>();
  readonly #interner = shareInterner();
  readonly #sources = new Map<string, SourceState>();
  #intervals: ReadonlyMap<string, Millis> = new Map();
  #triggers: ReadonlyMap<TriggerKey, Trigger> = new Map();

  constructor(store: SampleStore) {
    this.#store = store;
  }

  /** The triggers to evaluate from now on, and the interval of each source by name. */
  update(triggers: ReadonlyMap<TriggerKey, Trigger>, intervals: ReadonlyMap<string, Millis>): void {
    this.#triggers = triggers;
    this.#intervals = intervals;
    for (const name of this.#sources.keys()) if (!intervals.has(name)) this.#sources.delete(name);
    const queries = new Set([...triggers.values()].map((trigger) => trigger.query));
    for (const query of this.#prepared.keys()) if (!queries.has(query)) this.#prepared.delete(query);
    const longest = Math.max(0, ...[...triggers.values()].map((trigger) => trigger.windowMs));
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
      readings.push(this.#read(key, prepared, sources, commit));
    }
    return readings;
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

  /** Evaluates any query now. Throws a `PromqlError`. */
  instant(query: string, at: Millis): InstantResult {
    return compileQuery(parseQuery(query), { text: query }).instant(this.#store, at);
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

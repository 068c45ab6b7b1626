import type { Millis } from '../../core/units.ts';
import { keptLabelsKey } from '../../promql/labels.ts';
import { DEFAULT_LOOKBACK_MS, type Labels, type Matcher, type Queryable, type Series } from '../../promql/series.ts';
import type { Batch, Sample } from '../batch.ts';
import { Budget } from './budget.ts';
import { SeriesIndex } from './series-index.ts';
import { StoredSeries } from './stored-series.ts';
import { TargetGroup } from './target-group.ts';

export type StoreLimits = {
  readonly seriesPerTarget: number;
  readonly series: number;
  /** Of the arrays and an estimate for the labels. When it is reached histories get shorter, new series are refused. */
  readonly bytes: number;
};

export const DEFAULT_LIMITS: StoreLimits = { seriesPerTarget: 50_000, series: 250_000, bytes: 512 * 1024 * 1024 };

/** Samples that claim to be from further in the future than this are dropped. */
export const FUTURE_TOLERANCE_MS: Millis = 10 * 60_000;

/** What became of a batch; everything but `appended` is a fault of the target or a limit of the store. */
export type CommitSummary = {
  readonly appended: number;
  /** Older than a sample of the same series, or than the retention. */
  readonly outOfOrder: number;
  readonly future: number;
  /** More than once in the batch. */
  readonly repeated: number;
  /** Another target has a living series with the same labels. */
  readonly conflicting: number;
  /** A limit of the store is reached. */
  readonly refused: number;
};

export type StoreStats = {
  readonly targets: number;
  readonly series: number;
  readonly samples: number;
  readonly bytes: number;
  /** Times at which histories were cut short because the limit of bytes is reached. */
  readonly evicted: number;
  /** This and `dropped` count since the start. */
  readonly appended: number;
  readonly dropped: Omit<CommitSummary, 'appended'>;
};

type Tally = { -readonly [Name in keyof CommitSummary]: CommitSummary[Name] };

const TALLIED = ['appended', 'outOfOrder', 'future', 'repeated', 'conflicting', 'refused'] as const;

const SERIES_OVERHEAD_BYTES = 512;
const RETENTION_SLACK_MS: Millis = 60_000;

/** How long samples must be kept for queries that look back so far at most; never shorter than any instant query does. */
export function retentionFor(longestReachMs: Millis): Millis {
  return Math.max(longestReachMs, DEFAULT_LOOKBACK_MS) + RETENTION_SLACK_MS;
}

/**
 * The samples of the last while, in memory. A batch is committed whole within one call, so that no query sees a
 * part of one (with some buckets of a histogram newer than others a quantile is wrong).
 * Samples older than the retention are dropped, and series without any removed, as their own targets commit.
 */
export class SampleStore implements Queryable {
  readonly #limits: StoreLimits;
  readonly #budget: Budget;
  readonly #groups = new Map<string, TargetGroup>();
  readonly #byKey = new Map<string, StoredSeries>();
  readonly #index = new SeriesIndex<StoredSeries>();
  #version = 0;
  readonly #total: Tally = emptyTally();
  #retentionMs: Millis = retentionFor(DEFAULT_LOOKBACK_MS);

  constructor(limits: Partial<StoreLimits> = {}) {
    this.#limits = { ...DEFAULT_LIMITS, ...limits };
    this.#budget = new Budget(this.#limits.bytes);
  }

  get generation(): number {
    return this.#index.generation;
  }

  get version(): number {
    return this.#version;
  }

  /** Changes how long samples are kept; `retentionFor` tells what queries need. */
  retain(spanMs: Millis): void {
    this.#retentionMs = spanMs;
  }

  resolve(matchers: readonly Matcher[]): readonly Series[] {
    return this.#index.find(matchers);
  }

  /** The sources, still sampled, with series that match: those a query depends on. Sorted; as `generation` says. */
  sourcesOf(matchers: readonly Matcher[]): readonly string[] {
    const sources = new Set<string>();
    for (const series of this.#index.find(matchers)) {
      if (this.#groupOf(series)?.retired === false) sources.add(series.source);
    }
    return [...sources].sort();
  }

  seriesOf(source: string): readonly Series[] {
    return this.#groupsOf(source).flatMap((group) => [...group.series]);
  }

  commit(batch: Batch): CommitSummary {
    this.#version++;
    const group = this.#admit(batch);
    const at = group.open(batch.at);
    const tally = emptyTally();
    // By index, as in a few other loops over thousands: an iterator's answers would be most of what a round leaves to collect.
    for (let i = 0; i < batch.samples.length; i += 1) {
      const sample = batch.samples[i];
      if (sample !== undefined) tally[this.#take(group, sample, at)]++;
    }
    group.endMissing(at);
    this.#expire(group, at);
    for (const other of this.#groups.values()) if (other.retired) this.#expire(other, at);
    for (const name of TALLIED) this.#total[name] += tally[name];
    return tally;
  }

  /** The source is no longer sampled: its series end now. */
  forget(source: string, at: Millis): void {
    for (const group of this.#groupsOf(source)) this.#retire(group, at);
  }

  forgetTarget(source: string, target: string, at: Millis): void {
    const group = this.#groups.get(groupKey(source, target));
    if (group !== undefined) this.#retire(group, at);
  }

  stats(): StoreStats {
    let samples = 0;
    for (const series of this.#byKey.values()) samples += series.end - series.first;
    let evicted = 0;
    for (const group of this.#groups.values()) evicted += group.column.evicted;
    const { appended, ...dropped } = this.#total;
    const bytes = this.#budget.usedBytes;
    return { targets: this.#groups.size, series: this.#byKey.size, samples, bytes, evicted, appended, dropped };
  }

  #retire(group: TargetGroup, at: Millis): void {
    group.retire(at);
    this.#version++;
    this.#index.invalidate();
  }

  #admit({ source, target, at }: Batch): TargetGroup {
    const key = groupKey(source, target);
    const known = this.#groups.get(key);
    if (known?.retired) this.#index.invalidate();
    if (known?.continuesAt(at)) return known;
    if (known !== undefined) this.#removeGroup(known);
    const group = new TargetGroup(source, target, this.#budget);
    this.#groups.set(key, group);
    return group;
  }

  #take(group: TargetGroup, sample: Sample, at: Millis): keyof CommitSummary {
    const { labels, value, timestamp } = sample;
    if (timestamp !== undefined) {
      if (timestamp > at + FUTURE_TOLERANCE_MS) return 'future';
      if (timestamp < at - this.#retentionMs) return 'outOfOrder';
    }
    const series = group.byIdentity.get(labels) ?? this.#find(group, labels);
    if (typeof series === 'string') return series;
    if (timestamp === undefined && series.round === group.round) return 'repeated';
    series.round = group.round;
    // As in Prometheus: a series with timestamps of its own ends by getting old, not by being absent once.
    series.tracked = timestamp === undefined;
    if (timestamp !== undefined || series.detached) {
      group.lingering.add(series);
      return append(series, timestamp ?? at, value);
    }
    series.write(group.index, value);
    group.written++;
    return 'appended';
  }

  #find(group: TargetGroup, labels: Labels): StoredSeries | 'conflicting' | 'refused' {
    const key = keptLabelsKey(labels);
    const known = this.#byKey.get(key);
    if (known === undefined) return this.#add(group, labels, key);
    if (group.series.has(known)) {
      group.identify(known, labels);
      return known;
    }
    if (!known.ended) return 'conflicting';
    this.#remove(known);
    return this.#add(group, labels, key);
  }

  #add(group: TargetGroup, labels: Labels, key: string): StoredSeries | 'refused' {
    if (group.series.size >= this.#limits.seriesPerTarget || this.#byKey.size >= this.#limits.series) return 'refused';
    if (!this.#budget.take(overheadBytes(key))) return 'refused';
    const series = StoredSeries.create({ labels, key, source: group.source, target: group.target }, group.column);
    if (series === undefined) {
      this.#budget.give(overheadBytes(key));
      return 'refused';
    }
    group.add(series);
    this.#byKey.set(key, series);
    this.#index.add(series);
    return series;
  }

  #remove(series: StoredSeries): void {
    this.#index.remove(series);
    this.#byKey.delete(series.key);
    this.#groupOf(series)?.remove(series);
    series.release();
    this.#budget.give(overheadBytes(series.key));
  }

  #removeGroup(group: TargetGroup): void {
    for (const series of group.series) this.#remove(series);
    group.column.release();
    this.#groups.delete(groupKey(group.source, group.target));
  }

  #expire(group: TargetGroup, at: Millis): void {
    const oldest = at - this.#retentionMs;
    group.column.dropBefore(oldest);
    for (const series of group.lingering) {
      if (series.detached) series.dropBefore(oldest);
      else if (series.tracked && !series.ended) group.lingering.delete(series);
      if (series.end === series.first) this.#remove(series);
    }
    if (group.retired && group.series.size === 0) this.#removeGroup(group);
  }

  #groupOf({ source, target }: StoredSeries): TargetGroup | undefined {
    return this.#groups.get(groupKey(source, target));
  }

  #groupsOf(source: string): TargetGroup[] {
    return [...this.#groups.values()].filter((group) => group.source === source);
  }
}

function append(series: StoredSeries, time: Millis, value: number): 'appended' | 'outOfOrder' | 'refused' {
  // A target that repeats its last sample until it has a newer one does nothing wrong.
  if (time === series.lastTime && Object.is(value, series.lastValue)) return 'appended';
  if (time <= series.lastTime) return 'outOfOrder';
  return series.append(time, value) ? 'appended' : 'refused';
}

function groupKey(source: string, target: string): string {
  return `${source}\n${target}`;
}

function overheadBytes(key: string): number {
  return SERIES_OVERHEAD_BYTES + 2 * key.length;
}

function emptyTally(): Tally {
  return { appended: 0, outOfOrder: 0, future: 0, repeated: 0, conflicting: 0, refused: 0 };
}

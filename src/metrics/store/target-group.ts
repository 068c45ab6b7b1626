import type { Millis } from '../../core/units.ts';
import type { Labels } from '../../promql/series.ts';
import type { Budget } from './budget.ts';
import { Column } from './column.ts';
import type { StoredSeries } from './stored-series.ts';

/** A step back of the clock up to this is evened out; the times of a series must rise. */
const TOLERATED_STEP_BACK_MS: Millis = 1000;

/** The series of one target, which are written together and share their timestamps. */
export class TargetGroup {
  readonly source: string;
  readonly target: string;
  readonly column: Column;
  readonly series = new Set<StoredSeries>();
  /** The same series by the label object that came last: a sampler that reuses its objects saves the look-up by key. */
  readonly byIdentity = new Map<Labels, StoredSeries>();
  /**
   * Series that time may take away: those that have ended, and those with timestamps of their own. All others were written in
   * the newest round, so that a round has nothing to do for them beside that.
   */
  readonly lingering = new Set<StoredSeries>();
  readonly #identity = new Map<StoredSeries, Labels>();
  /** Its target is no longer sampled; its history stays for as long as any other. */
  retired = false;
  round = 0;
  index = 0;
  /** How many of the series were written in this round, at its time. */
  written = 0;

  constructor(source: string, target: string, budget: Budget) {
    this.source = source;
    this.target = target;
    this.column = new Column(budget);
  }

  add(series: StoredSeries): void {
    this.series.add(series);
    this.identify(series, series.labels);
  }

  remove(series: StoredSeries): void {
    this.series.delete(series);
    this.lingering.delete(series);
    this.#forgetIdentity(series);
  }

  identify(series: StoredSeries, labels: Labels): void {
    this.#forgetIdentity(series);
    this.byIdentity.set(labels, series);
    this.#identity.set(series, labels);
  }

  /**
   * Whether a batch of this time belongs to the same history. After a clock was set back by more than a second it
   * does not: a window over both time lines would count the increase of the lost time twice.
   */
  continuesAt(at: Millis): boolean {
    return at > this.column.lastTime - TOLERATED_STEP_BACK_MS;
  }

  /** Begins a round; answers its time, which is `at` unless that would not be later than the round before. */
  open(at: Millis): Millis {
    const time = Math.max(at, this.column.lastTime + 1);
    this.retired = false;
    this.round++;
    this.written = 0;
    this.index = this.column.append(time);
    return time;
  }

  /** Ends the series that were not in this round's batch. */
  endMissing(at: Millis): void {
    if (this.written === this.series.size) return;
    for (const series of this.series) {
      if (series.round !== this.round && series.tracked && !series.ended) this.#end(series, at);
    }
  }

  /** Ends every series: the target is gone. */
  retire(at: Millis): void {
    if (this.retired) return;
    const time = this.open(at);
    for (const series of this.series) {
      if (!series.ended) this.#end(series, time);
    }
    this.retired = true;
  }

  #forgetIdentity(series: StoredSeries): void {
    const labels = this.#identity.get(series);
    if (labels !== undefined) this.byIdentity.delete(labels);
    this.#identity.delete(series);
  }

  #end(series: StoredSeries, at: Millis): void {
    this.lingering.add(series);
    if (series.detached) series.endAt(at);
    else series.writeStale(this.index);
  }
}

import type { Millis } from '../../core/units.ts';
import type { Labels, Series } from '../../promql/series.ts';
import { isStale, writeStale } from '../../promql/staleness.ts';
import { Column, type RowOwner } from './column.ts';

type Identity = {
  readonly labels: Labels;
  readonly key: string;
  readonly source: string;
  readonly target: string;
};

const NO_VALUES = new Float64Array(0);

/**
 * One series: its values stand beside the timestamps of its target, or beside timestamps of its own as soon as the target
 * states them. Where a series paused, the shared column has times at which it had no sample; there stand stale
 * markers, which readers treat exactly as the single marker at the beginning of the pause.
 */
export class StoredSeries implements Series, RowOwner {
  readonly labels: Labels;
  readonly key: string;
  readonly source: string;
  readonly target: string;
  /** Set when a stale marker was written at its end, until the next sample. */
  ended = false;
  /** Whether its absence from a batch ends it: not while its samples have timestamps of their own. */
  tracked = true;
  /** The group's round in which it was last written. */
  round = 0;
  readonly #shared: Column;
  #column: Column;
  #row = -1;
  #values: Float64Array = NO_VALUES;
  #epoch = -1;
  /** The live part, counted from the column's very first entry. */
  #first = 0;
  #end = 0;

  private constructor(identity: Identity, column: Column) {
    this.labels = identity.labels;
    this.key = identity.key;
    this.source = identity.source;
    this.target = identity.target;
    this.#shared = column;
    this.#column = column;
  }

  /** Undefined if there is no memory for it. */
  static create(identity: Identity, column: Column): StoredSeries | undefined {
    const series = new StoredSeries(identity, column);
    const row = column.addRow(series);
    if (row === undefined) return undefined;
    series.#row = row;
    return series;
  }

  get times(): Float64Array {
    return this.#column.times;
  }

  get values(): Float64Array {
    if (this.#epoch !== this.#column.epoch) {
      this.#values = this.#column.row(this.#row);
      this.#epoch = this.#column.epoch;
    }
    return this.#values;
  }

  get first(): number {
    return Math.max(this.#first - this.#column.shifted, this.#column.start);
  }

  get end(): number {
    return Math.max(this.#end - this.#column.shifted, this.#column.start);
  }

  get lastTime(): Millis {
    return this.end > this.first ? (this.times[this.end - 1] ?? 0) : Number.NEGATIVE_INFINITY;
  }

  get lastValue(): number | undefined {
    return this.end > this.first ? this.values[this.end - 1] : undefined;
  }

  /** Whether its timestamps are its own, and not those of its target's samplings. */
  get detached(): boolean {
    return this.#column !== this.#shared;
  }

  /** Sets the sample at an index of the shared column. */
  write(index: number, value: number): void {
    this.#openAt(index);
    this.values[index] = value;
    this.ended = false;
  }

  writeStale(index: number): void {
    this.#openAt(index);
    writeStale(this.values, index);
    this.ended = true;
  }

  /** Adds a sample at a time of its own, later than all before. False if there is no memory for it. */
  append(time: Millis, value: number): boolean {
    if (!this.#detach()) return false;
    this.write(this.#column.append(time), value);
    return true;
  }

  /** Ends a detached series. The marker stands behind its last sample even if that one is later than `time`. */
  endAt(time: Millis): void {
    this.writeStale(this.#column.append(Math.max(time, this.lastTime + 1)));
  }

  dropBefore(time: Millis): void {
    if (this.detached) this.#column.dropBefore(time);
  }

  moved(row: number): void {
    this.#row = row;
  }

  release(): void {
    this.#column.removeRow(this.#row);
    if (this.detached) this.#column.release();
  }

  #openAt(index: number): void {
    const { shifted } = this.#column;
    if (this.end === this.first) this.#first = index + shifted;
    else for (let gap = this.end; gap < index; gap++) writeStale(this.values, gap);
    this.#end = index + 1 + shifted;
  }

  #detach(): boolean {
    if (this.detached) return true;
    const column = new Column(this.#shared.budget);
    const own = column.addRow(this);
    if (own === undefined) {
      column.release();
      return false;
    }
    const { times, values, first, end } = this;
    this.#column.removeRow(this.#row);
    this.#column = column;
    this.#row = own;
    this.#epoch = -1;
    this.#first = 0;
    this.#end = 0;
    for (let index = first; index < end; index++) {
      const place = column.append(times[index] ?? 0);
      if (isStale(values, index)) this.writeStale(place);
      else this.write(place, values[index] ?? Number.NaN);
    }
    return true;
  }
}

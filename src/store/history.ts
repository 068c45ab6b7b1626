import type { ReadingValue } from '../core/observed.ts';
import type { TriggerState } from '../core/triggers/trigger-memory.ts';
import type { Millis } from '../core/units.ts';
import { type Database, parseJson, type Row, textOf } from './database.ts';

export type RecordedReading = {
  readonly trigger: string;
  readonly at: Millis;
  readonly value: ReadingValue | null;
  readonly state: TriggerState;
};

/** Values of one bucket of time; a reading as it was taken is a bucket of its own. */
export type HistoryPoint = {
  readonly at: Millis;
  /** Null where only values that are no numbers were read. */
  readonly low: number | null;
  readonly high: number | null;
  readonly mean: number | null;
  readonly readings: number;
  /** The gravest state within the bucket. */
  readonly state: TriggerState;
};

export type HistoryLimits = {
  /** How long anything is kept. */
  readonly keepMs: Millis;
  /** The oldest buckets go when there are more; about 60 bytes each. */
  readonly mostRows: number;
};

/** Readings become buckets of this size once they are this old. Each step works on what the one before it left. */
const STEPS = [
  { olderThanMs: 2 * 3_600_000, bucketMs: 60_000 },
  { olderThanMs: 3 * 86_400_000, bucketMs: 600_000 },
] as const;

/** So few rows are compacted at a time that the loop does not notice. */
const BATCH_ROWS = 5_000;

/** What a baseline needs at least: so many readings, over this share of its span. */
const BASELINE_READINGS = 20;
const BASELINE_SHARE = 0.25;
/** A baseline is taken from at most so many buckets; of more, from an even choice. */
const BASELINE_SAMPLE = 2_000;

const GRAVITY = ['unknown', 'inactive', 'pending', 'firing'] as const satisfies readonly TriggerState[];

/** What each trigger read at every evaluation, coarser with age, for reports, charts, baselines and replay. */
export class History {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Within the caller's transaction. */
  add(readings: readonly RecordedReading[]): void {
    for (const { trigger, at, value, state } of readings) {
      const number = typeof value === 'number' ? value : null;
      this.#database.run(
        'INSERT OR REPLACE INTO readings (trigger, at, bucket_ms, value, low, high, sum, count, state) VALUES (?, ?, 0, ?, ?, ?, ?, ?, ?)',
        trigger,
        at,
        value === null ? null : JSON.stringify(value),
        number,
        number,
        number,
        number === null ? 0 : 1,
        GRAVITY.indexOf(state),
      );
    }
  }

  /** Readings as they were taken; those that have become buckets are not among them. */
  readings(trigger: string, from: Millis, to: Millis): RecordedReading[] {
    const sql = 'SELECT * FROM readings WHERE trigger = ? AND bucket_ms = 0 AND at BETWEEN ? AND ? ORDER BY at';
    return this.#database.all(sql, trigger, from, to).map((row) => ({
      trigger,
      at: Number(row['at']),
      value: row['value'] === null ? null : parseJson<ReadingValue>(textOf(row['value'])),
      state: stateOf(row),
    }));
  }

  /** Everything between two instants, as fine as it still is. */
  points(trigger: string, from: Millis, to: Millis): HistoryPoint[] {
    const sql = 'SELECT * FROM readings WHERE trigger = ? AND at BETWEEN ? AND ? ORDER BY at';
    return this.#database.all(sql, trigger, from, to).map(pointOf);
  }

  /**
   * The median of what the trigger read between `at - overMs` and `at` while it was not breached; null unless at least
   * 20 readings reach back over a quarter of that time. (Before there is a baseline the trigger is unknown, and counts.)
   */
  baseline(trigger: string, overMs: Millis, at: Millis): number | null {
    const condition = 'FROM readings WHERE trigger = ? AND at BETWEEN ? AND ? AND state <= 1 AND count > 0';
    const span = this.#database.get(
      `SELECT min(at) AS first, count(*) AS rows, sum(count) AS readings ${condition}`,
      trigger,
      at - overMs,
      at,
    );
    const first = span?.['first'];
    if (typeof first !== 'number' || Number(span?.['readings']) < BASELINE_READINGS) return null;
    if (at - first < overMs * BASELINE_SHARE) return null;
    const every = Math.max(1, Math.floor(Number(span?.['rows']) / BASELINE_SAMPLE));
    const means = this.#database
      .all(
        `SELECT mean FROM (SELECT sum / count AS mean, row_number() OVER (ORDER BY at) AS n ${condition}) WHERE n % ? = 0`,
        trigger,
        at - overMs,
        at,
        every,
      )
      .map((row) => Number(row['mean']));
    return means.length === 0 ? null : median(means);
  }

  /** Makes old readings coarser and drops the oldest. @returns how many rows it touched; call again while it is many. */
  compact(now: Millis, limits: HistoryLimits): number {
    let touched = 0;
    this.#database.transaction(() => {
      for (const step of STEPS) touched += this.#coarsen(now - step.olderThanMs, step.bucketMs);
      touched += this.#database.run('DELETE FROM readings WHERE at < ?', now - limits.keepMs);
      touched += this.#dropExcess(limits.mostRows);
    });
    return touched;
  }

  #coarsen(before: Millis, bucketMs: Millis): number {
    const old = this.#database.all(
      'SELECT * FROM readings WHERE at < ? AND bucket_ms < ? ORDER BY trigger, at LIMIT ?',
      before,
      bucketMs,
      BATCH_ROWS,
    );
    const buckets = new Map<string, Bucket>();
    for (const row of old) {
      addToBucket(buckets, row, bucketMs);
      this.#database.run(
        'DELETE FROM readings WHERE trigger = ? AND at = ?',
        textOf(row['trigger']),
        Number(row['at']),
      );
    }
    for (const bucket of buckets.values()) this.#merge(bucket, bucketMs);
    return old.length;
  }

  /** A batch may have ended within a bucket, so what is there already is added to. */
  #merge({ trigger, at, low, high, sum, count, state }: Bucket, bucketMs: Millis): void {
    this.#database.run(
      `INSERT INTO readings (trigger, at, bucket_ms, value, low, high, sum, count, state) VALUES (?, ?, ?, NULL, ?, ?, ?, ?, ?)
       ON CONFLICT (trigger, at) DO UPDATE SET low = min(coalesce(low, excluded.low), coalesce(excluded.low, low)),
         high = max(coalesce(high, excluded.high), coalesce(excluded.high, high)),
         sum = coalesce(sum, 0) + coalesce(excluded.sum, 0), count = count + excluded.count,
         state = max(state, excluded.state), bucket_ms = excluded.bucket_ms`,
      trigger,
      at,
      bucketMs,
      low,
      high,
      sum,
      count,
      state,
    );
  }

  #dropExcess(mostRows: number): number {
    const rows = Number(this.#database.get('SELECT count(*) AS rows FROM readings')?.['rows']);
    if (rows <= mostRows) return 0;
    const excess = Math.min(rows - mostRows, BATCH_ROWS);
    return this.#database.run(
      'DELETE FROM readings WHERE (trigger, at) IN (SELECT trigger, at FROM readings ORDER BY at LIMIT ?)',
      excess,
    );
  }
}

type Bucket = {
  readonly trigger: string;
  readonly at: Millis;
  low: number | null;
  high: number | null;
  sum: number | null;
  count: number;
  state: number;
};

function addToBucket(buckets: Map<string, Bucket>, row: Row, bucketMs: Millis): void {
  const trigger = textOf(row['trigger']);
  const at = Math.floor(Number(row['at']) / bucketMs) * bucketMs;
  const key = `${trigger} ${at}`;
  const bucket = buckets.get(key) ?? { trigger, at, low: null, high: null, sum: null, count: 0, state: 0 };
  buckets.set(key, bucket);
  bucket.state = Math.max(bucket.state, Number(row['state']));
  if (Number(row['count']) === 0) return;
  bucket.low = Math.min(bucket.low ?? Number.POSITIVE_INFINITY, Number(row['low']));
  bucket.high = Math.max(bucket.high ?? Number.NEGATIVE_INFINITY, Number(row['high']));
  bucket.sum = (bucket.sum ?? 0) + Number(row['sum']);
  bucket.count += Number(row['count']);
}

function pointOf(row: Row): HistoryPoint {
  const count = Number(row['count']);
  const numbers =
    count === 0 ? null : { low: Number(row['low']), high: Number(row['high']), mean: Number(row['sum']) / count };
  return {
    at: Number(row['at']),
    low: numbers?.low ?? null,
    high: numbers?.high ?? null,
    mean: numbers?.mean ?? null,
    readings: count,
    state: stateOf(row),
  };
}

function stateOf(row: Row): TriggerState {
  return GRAVITY[Number(row['state'])] ?? 'unknown';
}

function median(values: number[]): number {
  const sorted = values.sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2;
}

import type { TriggerState } from '../core/triggers/trigger-memory.ts';
import type { Millis } from '../core/units.ts';
import { type Database, type Row, textOf } from './database.ts';
import { GRAVITY, type RecordedReading } from './pending-readings.ts';
import { RecentReadings } from './recent-readings.ts';

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
  /** The oldest go when there are more; about 60 bytes each. */
  readonly mostRows: number;
};

/** Readings become buckets of the first size once they are so old, and those become buckets of the second. */
const FINE = { olderThanMs: 2 * 3_600_000, bucketMs: 60_000 } as const;
const COARSE = { olderThanMs: 3 * 86_400_000, bucketMs: 600_000 } as const;

/** So few rows, or triggers with what they read in a minute, are compacted at a time that the loop does not notice. */
const BATCH_ROWS = 500;
const BATCH_TRIGGERS = 100;

/** A row of readings as they were taken counts as so many of the others, which are smaller. */
const RECENT_WEIGHT = 4;

/** What a baseline needs at least: so many readings, over this share of its span. */
const BASELINE_READINGS = 20;
const BASELINE_SHARE = 0.25;
/** A baseline is taken from at most so many buckets; of more, from an even choice. */
const BASELINE_SAMPLE = 2_000;

/** What each trigger read at every evaluation, coarser with age, for reports, charts, baselines and replay. */
export class History {
  readonly #database: Database;
  readonly #recent: RecentReadings;

  constructor(database: Database) {
    this.#database = database;
    this.#recent = new RecentReadings(database);
  }

  /** Keeps a reading; it is written with the next `flush`, and found at once. */
  note(reading: RecordedReading): void {
    this.#recent.note(reading);
  }

  /** Writes what was noted, in a transaction of its own: no decision rests on it. */
  flush(): void {
    if (!this.#recent.hasPending) return;
    let written = (): void => undefined;
    this.#database.transaction(() => {
      written = this.#recent.flush();
    });
    written();
  }

  /** Readings as they were taken; those that have become buckets are not among them. */
  readings(trigger: string, from: Millis, to: Millis): RecordedReading[] {
    return this.#recent.read(trigger, from, to);
  }

  /** Everything between two instants, as fine as it still is. */
  points(trigger: string, from: Millis, to: Millis): HistoryPoint[] {
    const sql = 'SELECT * FROM readings WHERE trigger = ? AND at BETWEEN ? AND ? ORDER BY at';
    const buckets = this.#database.all(sql, trigger, from, to).map(pointOf);
    return [...buckets, ...this.readings(trigger, from, to).map(pointOfReading)].sort((a, b) => a.at - b.at);
  }

  /**
   * The median of what the trigger read between `at - overMs` and `at` while it was not breached; null unless at least
   * 20 readings reach back over a quarter of that time. (Before there is a baseline the trigger is unknown, and counts.)
   */
  baseline(trigger: string, overMs: Millis, at: Millis): number | null {
    const usual = this.points(trigger, at - overMs, at).filter(
      ({ mean, state }) => mean !== null && (state === 'unknown' || state === 'inactive'),
    );
    const [first] = usual;
    const readings = usual.reduce((sum, point) => sum + point.readings, 0);
    if (first === undefined || readings < BASELINE_READINGS || at - first.at < overMs * BASELINE_SHARE) return null;
    const every = Math.max(1, Math.floor(usual.length / BASELINE_SAMPLE));
    return median(usual.flatMap(({ mean }, index) => (mean === null || (index + 1) % every !== 0 ? [] : [mean])));
  }

  /** Makes old readings coarser and drops the oldest. @returns how many rows it touched; call again while it is many. */
  compact(now: Millis, limits: HistoryLimits): number {
    let touched = 0;
    this.#database.transaction(() => {
      touched += this.#gather(now - FINE.olderThanMs);
      touched += this.#coarsen(now - COARSE.olderThanMs);
      for (const { bucketMs } of [FINE, COARSE]) touched += this.#dropOldest(bucketMs, BATCH_ROWS, now - limits.keepMs);
      touched += this.#dropExcess(limits.mostRows);
    });
    return touched;
  }

  /** Makes buckets of readings as they were taken. */
  #gather(before: Millis): number {
    const taken = this.#recent.takeOldest(FINE.bucketMs, before, BATCH_TRIGGERS);
    const buckets = new Map<string, Bucket>();
    for (const { trigger, at, value, state } of taken) {
      const number = typeof value === 'number' ? value : null;
      const point = { low: number, high: number, sum: number, count: number === null ? 0 : 1 };
      addToBucket(buckets, FINE.bucketMs, { trigger, at, ...point, state: GRAVITY.indexOf(state) });
    }
    for (const bucket of buckets.values()) this.#merge(bucket, FINE.bucketMs);
    return taken.length;
  }

  /** Makes fewer of the buckets. */
  #coarsen(before: Millis): number {
    const sql = 'SELECT * FROM readings WHERE bucket_ms = ? AND at < ? ORDER BY at LIMIT ?';
    const old = this.#database.all(sql, FINE.bucketMs, before, BATCH_ROWS).map(bucketOf);
    const buckets = new Map<string, Bucket>();
    for (const bucket of old) {
      addToBucket(buckets, COARSE.bucketMs, bucket);
      this.#database.run('DELETE FROM readings WHERE trigger = ? AND at = ?', bucket.trigger, bucket.at);
    }
    for (const bucket of buckets.values()) this.#merge(bucket, COARSE.bucketMs);
    return old.length;
  }

  /** A batch may have ended within a bucket, so what is there already is added to. */
  #merge({ trigger, at, low, high, sum, count, state }: Bucket, bucketMs: Millis): void {
    this.#database.run(
      `INSERT INTO readings (trigger, at, bucket_ms, low, high, sum, count, state) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
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

  /** How many buckets there are. */
  get buckets(): number {
    return Number(this.#database.get('SELECT rows FROM readings_total')?.['rows']);
  }

  /** The coarsest buckets are the oldest. */
  #dropExcess(mostRows: number): number {
    const { buckets } = this;
    const excess = Math.min(buckets + RECENT_WEIGHT * this.#recent.rows - mostRows, BATCH_ROWS);
    if (excess <= 0) return 0;
    if (buckets === 0) return this.#recent.dropOldest();
    return this.#dropOldest(COARSE.bucketMs, excess) || this.#dropOldest(FINE.bucketMs, excess);
  }

  /** Of buckets of one size at most so many, in the order of their index: of millions, nobody looks at the others. */
  #dropOldest(bucketMs: Millis, most: number, before: Millis = Number.MAX_SAFE_INTEGER): number {
    return this.#database.run(
      `DELETE FROM readings WHERE (trigger, at) IN
         (SELECT trigger, at FROM readings WHERE bucket_ms = ? AND at < ? ORDER BY at LIMIT ?)`,
      bucketMs,
      before,
      most,
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

function addToBucket(buckets: Map<string, Bucket>, bucketMs: Millis, one: Bucket): void {
  const at = Math.floor(one.at / bucketMs) * bucketMs;
  const key = `${one.trigger} ${at}`;
  const bucket = buckets.get(key) ?? { ...one, at, low: null, high: null, sum: null, count: 0, state: 0 };
  buckets.set(key, bucket);
  bucket.state = Math.max(bucket.state, one.state);
  if (one.count === 0 || one.low === null || one.high === null) return;
  bucket.low = Math.min(bucket.low ?? Number.POSITIVE_INFINITY, one.low);
  bucket.high = Math.max(bucket.high ?? Number.NEGATIVE_INFINITY, one.high);
  bucket.sum = (bucket.sum ?? 0) + (one.sum ?? 0);
  bucket.count += one.count;
}

function bucketOf(row: Row): Bucket {
  const { readings, mean, low, high, at } = pointOf(row);
  return {
    trigger: textOf(row['trigger']),
    at,
    low,
    high,
    sum: mean === null ? null : Number(row['sum']),
    count: readings,
    state: Number(row['state']),
  };
}

function pointOfReading({ at, value, state }: RecordedReading): HistoryPoint {
  if (typeof value !== 'number') return { at, low: null, high: null, mean: null, readings: 0, state };
  return { at, low: value, high: value, mean: value, readings: 1, state };
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

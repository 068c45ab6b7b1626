import type { ReadingValue } from '../core/observed.ts';
import type { Millis } from '../core/units.ts';
import { type Database, parseJson, textOf } from './database.ts';
import { GRAVITY, PendingReadings, type RecordedReading } from './pending-readings.ts';

/** What a trigger read within so much time is one row. */
export const SLOT_MS: Millis = 10_000;

/** As it is stored: ms since the slot's begin, value, state. */
type Entry = readonly [Millis, ReadingValue | null, number];

/**
 * Readings as they were taken. They are collected for some seconds before they are written, and then all triggers' rows of
 * one time stand together: a thousand triggers that each had a place of their own would change a thousand pages.
 */
export class RecentReadings {
  readonly #database: Database;
  readonly #pending = new PendingReadings();

  constructor(database: Database) {
    this.#database = database;
  }

  note(reading: RecordedReading): void {
    this.#pending.note(reading);
  }

  /** Writes what was noted, within the caller's transaction; answers what is to be called once that is committed. */
  flush(): () => void {
    const written = new Map<number, number>();
    for (const [trigger, readings] of this.#pending.byTrigger()) {
      for (const [slot, entries] of bySlot(readings)) {
        this.#append(slot, trigger, entries);
        written.set(slot, (written.get(slot) ?? 0) + 1);
      }
    }
    const count =
      'INSERT INTO recent_slots (slot, written) VALUES (?, ?) ON CONFLICT (slot) DO UPDATE SET written = written + excluded.written';
    for (const [slot, rows] of written) this.#database.run(count, slot, rows);
    return () => this.#pending.clear();
  }

  get hasPending(): boolean {
    return !this.#pending.isEmpty;
  }

  /** Of one trigger, from the first to the last instant, both included, those that are not written yet among them. */
  read(trigger: string, from: Millis, to: Millis): RecordedReading[] {
    const rows = this.#database.all(
      'SELECT r.slot, r.data FROM recent_slots s JOIN recent_readings r ON r.slot = s.slot AND r.trigger = ? WHERE s.slot BETWEEN ? AND ?',
      trigger,
      slotOf(from),
      to,
    );
    const stored = rows.flatMap((row) => readingsOf(trigger, Number(row['slot']), textOf(row['data'])));
    const all = [...stored, ...this.#pending.of(trigger)];
    return inOrder(all.filter(({ at }) => at >= from && at <= to));
  }

  /**
   * Takes out what at most `most` triggers read in the oldest `spanMs` (a bucket of time) that there is something of. Empty when
   * nothing is older than `before`.
   */
  takeOldest(spanMs: Millis, before: Millis, most: number): RecordedReading[] {
    for (;;) {
      const oldest = this.#oldestSlot();
      if (oldest === undefined) return [];
      const from = oldest - (oldest % spanMs);
      if (from + spanMs > before) return [];
      const rows = this.#database.all('SELECT trigger FROM recent_readings WHERE slot = ? LIMIT ?', oldest, most);
      if (rows.length > 0) return rows.flatMap((row) => this.#take(textOf(row['trigger']), from, from + spanMs));
      this.#database.run('DELETE FROM recent_slots WHERE slot = ?', oldest);
    }
  }

  /** How many rows there are, counted by how often they were written. */
  get rows(): number {
    return Number(this.#database.get('SELECT coalesce(sum(written), 0) AS rows FROM recent_slots')?.['rows']);
  }

  /** Drops the oldest slot; answers how many rows it had. */
  dropOldest(): number {
    const slot = this.#oldestSlot();
    if (slot === undefined) return 0;
    this.#database.run('DELETE FROM recent_slots WHERE slot = ?', slot);
    return this.#database.run('DELETE FROM recent_readings WHERE slot = ?', slot);
  }

  #oldestSlot(): number | undefined {
    const slot = this.#database.get('SELECT min(slot) AS slot FROM recent_slots')?.['slot'];
    return typeof slot === 'number' ? slot : undefined;
  }

  #append(slot: number, trigger: string, entries: readonly Entry[]): void {
    // Two JSON arrays become one where the slot had been begun.
    const sql = `INSERT INTO recent_readings (slot, trigger, data) VALUES (?, ?, ?)
       ON CONFLICT (slot, trigger) DO UPDATE SET data = substr(data, 1, length(data) - 1) || ',' || substr(excluded.data, 2)`;
    this.#database.run(sql, slot, trigger, JSON.stringify(entries));
  }

  #take(trigger: string, from: Millis, to: Millis): RecordedReading[] {
    const taken: RecordedReading[] = [];
    for (let slot = from; slot < to; slot += SLOT_MS) {
      const sql = 'DELETE FROM recent_readings WHERE slot = ? AND trigger = ? RETURNING data';
      const row = this.#database.get(sql, slot, trigger);
      if (row !== undefined) taken.push(...readingsOf(trigger, slot, textOf(row['data'])));
    }
    return inOrder(taken);
  }
}

/** By time; of several of one instant the one that came last. */
function inOrder(readings: readonly RecordedReading[]): RecordedReading[] {
  return [...new Map(readings.map((reading) => [reading.at, reading])).values()].sort((a, b) => a.at - b.at);
}

function bySlot(readings: readonly RecordedReading[]): Map<number, Entry[]> {
  const slots = new Map<number, Entry[]>();
  for (const { at, value, state } of readings) {
    const slot = slotOf(at);
    const entry: Entry = [at - slot, value, GRAVITY.indexOf(state)];
    const known = slots.get(slot);
    if (known === undefined) slots.set(slot, [entry]);
    else known.push(entry);
  }
  return slots;
}

function readingsOf(trigger: string, slot: number, data: string): RecordedReading[] {
  return parseJson<Entry[]>(data).map(([since, value, state]) => ({
    trigger,
    at: slot + since,
    value,
    state: GRAVITY[state] ?? 'unknown',
  }));
}

function slotOf(at: Millis): number {
  return Math.floor(at / SLOT_MS) * SLOT_MS;
}

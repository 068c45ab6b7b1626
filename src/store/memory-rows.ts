import { EMPTY_MEMORY, type Memory } from '../core/memory.ts';
import { isEmpty } from '../core/record.ts';
import type { TriggerMemory } from '../core/triggers/trigger-memory.ts';
import type { Millis } from '../core/units.ts';
import { type Database, parseJson, textOf } from './database.ts';
import { StoreError } from './store-error.ts';

/** How each field of memory is stored: a record as a row for each entry, anything else as one row. */
const FIELDS = {
  revision: 'whole',
  startedAt: 'whole',
  halt: 'whole',
  triggers: 'record',
  triggersRecordedAt: 'whole',
  places: 'record',
  documents: 'record',
  targets: 'record',
  points: 'record',
  schedules: 'record',
  pruneRefusals: 'record',
  collection: 'whole',
  restores: 'record',
  holds: 'record',
  incidents: 'record',
  rollbacks: 'whole',
  brakes: 'record',
  operations: 'record',
  repeats: 'record',
  outbox: 'record',
  paces: 'record',
  durations: 'record',
  troubles: 'record',
  windowed: 'record',
  drills: 'record',
  reportsOwed: 'record',
  nextIncident: 'whole',
  nextOperation: 'whole',
  nextRestore: 'whole',
} as const satisfies Record<keyof Memory, 'whole' | 'record'>;

/** The key of the one row of a field that is no record. */
const WHOLE = '';

/** How far what is stored of a trigger at rest may be behind. */
export const REST_MS: Millis = 60_000;

/** The rows as they are in the database, by field and key. */
type Rows = ReadonlyMap<string, Map<string, unknown>>;

type Change = { readonly field: string; readonly key: string; readonly value: unknown; readonly gone: boolean };

/**
 * Memory in the database. It is never changed in place, so an entry that is still the object that was saved needs no saving;
 * what is written is the rest. To write all of a large memory at each commit would take longer than the decision.
 */
export class MemoryRows {
  readonly #database: Database;
  #rows: Rows | undefined;
  /** Fields as they were saved last. */
  readonly #saved = new Map<string, unknown>();

  constructor(database: Database) {
    this.#database = database;
  }

  load(): Memory {
    const rows = this.#read();
    this.#rows = rows;
    this.#saved.clear();
    const fields = [...rows].flatMap(([field, entries]) => {
      if (isRecord(field)) return [[field, Object.fromEntries(entries)]];
      return entries.has(WHOLE) ? [[field, entries.get(WHOLE)]] : [];
    });
    return { ...EMPTY_MEMORY, ...(Object.fromEntries(fields) as Partial<Memory>) };
  }

  /**
   * Writes what changed, within the caller's transaction, and answers what the caller calls once that is committed. What a
   * trigger at rest read last is only shown, and the first evaluation after a restart replaces it; so it is written once
   * in a while, and only if there is time for it (`atLeisure`).
   */
  save(memory: Memory, atLeisure: boolean): () => void {
    if (this.#rows === undefined) this.load();
    const rows = this.#rows ?? new Map<string, Map<string, unknown>>();
    // Of ten thousand points one changes at a time, and mostly none: a field that is still the object that was saved is passed over.
    const moved = [...rows].filter(([field]) => Reflect.get(memory, field) !== this.#saved.get(field));
    const changes = moved.flatMap(([field, before]) => changesOf(field, before, memory, atLeisure));
    for (const change of changes) this.#write(change);
    return () => {
      // What triggers read moves on without being written each time.
      for (const [field] of moved) if (field !== 'triggers') this.#saved.set(field, Reflect.get(memory, field));
      for (const { field, key, value, gone } of changes) {
        if (gone) rows.get(field)?.delete(key);
        else rows.get(field)?.set(key, value);
      }
    };
  }

  /** Whether the entry is stored as it is now. */
  has(field: keyof Memory, key: string, value: unknown): boolean {
    return this.#rows?.get(field)?.get(key) === value;
  }

  #write({ field, key, value, gone }: Change): void {
    if (gone) {
      this.#database.run('DELETE FROM memory WHERE field = ? AND key = ?', field, key);
      return;
    }
    const sql =
      'INSERT INTO memory (field, key, json) VALUES (?, ?, ?) ON CONFLICT (field, key) DO UPDATE SET json = excluded.json';
    this.#database.run(sql, field, key, JSON.stringify(value));
  }

  #read(): Rows {
    const rows = new Map(Object.keys(FIELDS).map((field) => [field, new Map<string, unknown>()]));
    for (const row of this.#database.iterate('SELECT field, key, json FROM memory ORDER BY id')) {
      const field = textOf(row['field']);
      const entries = rows.get(field);
      if (entries === undefined)
        throw new StoreError('unusable', `the store remembers "${field}", which means nothing`);
      entries.set(textOf(row['key']), parseJson<unknown>(textOf(row['json'])));
    }
    return rows;
  }
}

function isRecord(field: string): boolean {
  return Reflect.get(FIELDS, field) === 'record';
}

function changesOf(field: string, before: ReadonlyMap<string, unknown>, memory: Memory, atLeisure: boolean): Change[] {
  const value: unknown = Reflect.get(memory, field);
  const after: object = isRecord(field) ? Object(value) : { [WHOLE]: value };
  const changes: Change[] = [];
  for (const key of Object.keys(after)) {
    const entry: unknown = Reflect.get(after, key);
    const known = before.get(key);
    if (entry === known && before.has(key)) continue;
    if (field === 'triggers' && isAtRest(known, entry, atLeisure)) continue;
    changes.push({ field, key, value: entry, gone: false });
  }
  for (const key of before.keys()) {
    if (!Object.hasOwn(after, key)) changes.push({ field, key, value: undefined, gone: true });
  }
  return changes;
}

/** Whether nothing that counts after a restart is new of a trigger. */
function isAtRest(known: unknown, entry: unknown, atLeisure: boolean): boolean {
  const before = known as TriggerMemory | undefined;
  const after = entry as TriggerMemory;
  if (before === undefined || (atLeisure && after.at - before.at >= REST_MS)) return false;
  const same = before.digest === after.digest && before.state === after.state && before.since === after.since;
  return same && isEmpty(before.elements) && isEmpty(after.elements);
}

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { backup, DatabaseSync, type StatementSync } from 'node:sqlite';
import { lockStore } from './lock.ts';
import { migrate, requireCurrent } from './schema.ts';
import { StoreError } from './store-error.ts';

export type SqlValue = string | number | null | Uint8Array;
export type Row = Record<string, unknown>;

export const STORE_FILE = 'revertd.db';

/** Copying so many takes the database for some milliseconds. */
const PAGES_AT_ONCE = 256;

/** One SQLite file with its statements prepared once. Rows are what the store wrote itself. */
export class Database {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  /** Takes the lock unless `readOnly`. @throws StoreError */
  constructor(folder: string, readOnly: boolean) {
    this.#database = open(folder, readOnly);
  }

  run(sql: string, ...values: SqlValue[]): number {
    return Number(this.#prepare(sql).run(...values).changes);
  }

  get(sql: string, ...values: SqlValue[]): Row | undefined {
    return this.#prepare(sql).get(...values);
  }

  all(sql: string, ...values: SqlValue[]): Row[] {
    return this.#prepare(sql).all(...values);
  }

  iterate(sql: string, ...values: SqlValue[]): Iterable<Row> {
    return this.#prepare(sql).iterate(...values);
  }

  /** All of it or nothing of it. */
  transaction(work: () => void): void {
    this.#database.exec('BEGIN IMMEDIATE');
    try {
      work();
      this.#database.exec('COMMIT');
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
      throw error;
    }
  }

  /** Writes what is there when it ends into a new file, some pages at a time; commits go on meanwhile. */
  async copyTo(path: string, onProgress: (done: number, total: number) => void): Promise<void> {
    await backup(this.#database, path, {
      rate: PAGES_AT_ONCE,
      progress: ({ totalPages, remainingPages }) => onProgress(totalPages - remainingPages, totalPages),
    });
  }

  close(): void {
    this.#database.close();
  }

  #prepare(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.#database.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }
}

function open(folder: string, readOnly: boolean): DatabaseSync {
  try {
    if (!readOnly) mkdirSync(folder, { recursive: true, mode: 0o750 });
    const database = new DatabaseSync(join(folder, STORE_FILE), { readOnly });
    return closedOnFault(database, () => (readOnly ? prepareReader(database) : prepareOwner(database, folder)));
  } catch (cause) {
    if (cause instanceof StoreError) throw cause;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new StoreError('unusable', `the store in ${folder} cannot be opened: ${why}`, { cause });
  }
}

/** A connection that is left open keeps its lock for as long as the process lives. */
function closedOnFault(database: DatabaseSync, prepare: () => void): DatabaseSync {
  try {
    prepare();
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

function prepareReader(database: DatabaseSync): void {
  database.exec('PRAGMA busy_timeout = 200');
  requireCurrent(database);
}

function prepareOwner(database: DatabaseSync, folder: string): void {
  lockStore(database, folder);
  database.exec('PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA cache_size = -512');
  migrate(database);
}

/** What the store wrote itself; its integrity is the chain's business, not the parser's. */
export function parseJson<T>(json: string): T {
  return JSON.parse(json) as T;
}

export function textOf(value: unknown): string {
  if (typeof value !== 'string') throw new StoreError('unusable', `the store has ${typeof value} where text belongs`);
  return value;
}

import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { deflateSync, inflateSync } from 'node:zlib';
import { type Event, subjectsOf } from '../core/event.ts';
import { EMPTY_MEMORY, type Memory } from '../core/memory.ts';
import type { Desired } from '../core/model/desired.ts';
import type { Incident } from '../core/model/incident.ts';
import type { PolicySnapshot, Revision } from '../core/model/revision.ts';
import type { Observed, ReadingValue } from '../core/observed.ts';
import type { TriggerState } from '../core/triggers/trigger-memory.ts';
import type { Millis } from '../core/units.ts';
import { chainHash, GENESIS } from './hash-chain.ts';
import { lockStore, unlockStore } from './lock.ts';
import { migrate } from './schema.ts';
import { StoreError } from './store-error.ts';

export type LogRecord = { readonly seq: number; readonly actor: string; readonly hash: string; readonly event: Event };

/** The inputs of a decision, as they were. */
export type Decision = {
  readonly desired: Desired;
  readonly observed: Observed;
  readonly memory: Memory;
  readonly now: Millis;
};

export type RecordedReading = {
  readonly trigger: string;
  readonly at: Millis;
  readonly value: ReadingValue | null;
  readonly state: TriggerState;
};

export type Commit = {
  readonly events: readonly Event[];
  readonly actor: string;
  readonly memory: Memory;
  /** Kept when it led to actions. */
  readonly decision?: Decision;
  readonly readings?: readonly RecordedReading[];
};

/** Decisions older than the newest so many are dropped; the events that they led to stay. */
const DECISIONS_KEPT = 2_000;
const REVISIONS_KEPT = 50;

/**
 * The event log of one host and its projections, in one SQLite file that belongs to one process at a time.
 * A commit is durable when it returns (`synchronous=FULL`).
 */
export class Store {
  readonly folder: string;
  readonly #database: DatabaseSync;
  readonly #readOnly: boolean;
  readonly #statements = new Map<string, StatementSync>();
  #head: { seq: number; hash: string };

  /**
   * @throws StoreError `locked` when another daemon has it, `newer` when a later version wrote it, `unusable` when
   *   the folder or the file cannot be used.
   */
  constructor(folder: string, options: { readOnly?: boolean } = {}) {
    this.folder = folder;
    this.#readOnly = options.readOnly ?? false;
    this.#database = openDatabase(folder, this.#readOnly);
    this.#head = this.#readHead();
  }

  get head(): { readonly seq: number; readonly hash: string } {
    return this.#head;
  }

  /** Events, memory and projections in one transaction; nothing of it is there if it throws. */
  commit({ events, actor, memory, decision, readings = [] }: Commit): void {
    const head = this.#head;
    this.#database.exec('BEGIN IMMEDIATE');
    try {
      const firstSeq = head.seq + 1;
      for (const event of events) this.#append(event, actor);
      this.#run(
        'INSERT OR REPLACE INTO memory (id, seq, json) VALUES (1, ?, ?)',
        this.#head.seq,
        JSON.stringify(memory),
      );
      this.#projectIncidents(events, memory);
      if (decision !== undefined && events.length > 0) this.#keepDecision(firstSeq, decision);
      this.#keepReadings(readings);
      this.#database.exec('COMMIT');
    } catch (error) {
      this.#head = head;
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
      throw error;
    }
  }

  memory(): Memory {
    const row = this.#get('SELECT json FROM memory WHERE id = 1');
    return row === undefined ? EMPTY_MEMORY : parse<Memory>(text(row['json']));
  }

  saveRevision(snapshot: PolicySnapshot, at: Millis): void {
    const files = snapshot.files.map(({ path, bytes }) => [path, Buffer.from(bytes).toString('base64')]);
    this.#run(
      'INSERT OR REPLACE INTO revisions (revision, accepted_at, subject, author, files) VALUES (?, ?, ?, ?, ?)',
      snapshot.revision,
      at,
      snapshot.subject ?? null,
      snapshot.author ?? null,
      JSON.stringify(files),
    );
    this.#run(
      'DELETE FROM revisions WHERE revision NOT IN (SELECT revision FROM revisions ORDER BY accepted_at DESC LIMIT ?)',
      REVISIONS_KEPT,
    );
  }

  revision(revision: Revision): PolicySnapshot | undefined {
    const row = this.#get('SELECT * FROM revisions WHERE revision = ?', revision);
    if (row === undefined) return undefined;
    const files = parse<[string, string][]>(text(row['files']));
    return {
      revision,
      files: files.map(([path, encoded]) => ({ path, bytes: Buffer.from(encoded, 'base64') })),
      ...(row['subject'] === null ? {} : { subject: text(row['subject']) }),
      ...(row['author'] === null ? {} : { author: text(row['author']) }),
    };
  }

  /** Oldest first. Without `limit`, all; with it, the newest so many. */
  events(filter: { subject?: string; types?: readonly string[]; after?: number; limit?: number } = {}): LogRecord[] {
    const { clauses, values } = where(filter);
    const rows = this.#all(
      `SELECT * FROM (SELECT * FROM events ${clauses} ORDER BY seq DESC LIMIT ?) ORDER BY seq`,
      ...values,
      filter.limit ?? -1,
    );
    return rows.map((row) => ({
      seq: Number(row['seq']),
      actor: text(row['actor']),
      hash: text(row['hash']),
      event: toEvent(row),
    }));
  }

  decisions(): (Decision & { readonly seq: number })[] {
    return this.#all(
      'SELECT d.*, s.json FROM decisions d JOIN desired_states s ON s.digest = d.desired ORDER BY d.seq',
    ).map((row) => ({
      seq: Number(row['seq']),
      now: Number(row['at']),
      desired: unpack<Desired>(row['json']),
      observed: unpack<Observed>(row['observed']),
      memory: unpack<Memory>(row['memory']),
    }));
  }

  incidents(limit = 100): Incident[] {
    return this.#all('SELECT json FROM incidents ORDER BY opened_at DESC, id DESC LIMIT ?', limit).map((row) =>
      parse<Incident>(text(row['json'])),
    );
  }

  incident(id: string): Incident | undefined {
    const row = this.#get('SELECT json FROM incidents WHERE id = ?', id);
    return row === undefined ? undefined : parse<Incident>(text(row['json']));
  }

  readings(trigger: string, from: Millis, to: Millis): RecordedReading[] {
    const sql = 'SELECT * FROM readings WHERE trigger = ? AND at BETWEEN ? AND ? ORDER BY at';
    return this.#all(sql, trigger, from, to).map((row) => ({
      trigger,
      at: Number(row['at']),
      value: row['value'] === null ? null : parse<ReadingValue>(text(row['value'])),
      state: text(row['state']) as TriggerState,
    }));
  }

  /** Drops readings from before `before`; the log itself is never shortened. */
  dropReadings(before: Millis): void {
    this.#run('DELETE FROM readings WHERE at < ?', before);
  }

  /** The first record whose hash does not follow from the ones before it; null if the chain is whole. */
  verifyChain(): { readonly records: number; readonly head: string; readonly brokenAt: number | null } {
    let previous = GENESIS;
    let records = 0;
    for (const row of this.#iterate('SELECT * FROM events ORDER BY seq')) {
      records += 1;
      const record = {
        seq: Number(row['seq']),
        at: Number(row['at']),
        type: text(row['type']),
        actor: text(row['actor']),
        data: text(row['data']),
      };
      const hash = chainHash(previous, record);
      if (record.seq !== records || hash !== row['hash']) return { records, head: previous, brokenAt: records };
      previous = hash;
    }
    return { records, head: previous, brokenAt: null };
  }

  close(): void {
    this.#database.close();
    if (!this.#readOnly) unlockStore(this.folder);
  }

  #append(event: Event, actor: string): void {
    const { at, type, ...rest } = event;
    const seq = this.#head.seq + 1;
    const data = JSON.stringify(rest);
    const hash = chainHash(this.#head.hash, { seq, at, type, actor, data });
    const sql = 'INSERT INTO events (seq, at, type, actor, data, hash) VALUES (?, ?, ?, ?, ?, ?)';
    this.#run(sql, seq, at, type, actor, data, hash);
    for (const subject of new Set(subjectsOf(event))) {
      this.#run('INSERT OR IGNORE INTO event_subjects (subject, seq) VALUES (?, ?)', subject, seq);
    }
    this.#head = { seq, hash };
  }

  #projectIncidents(events: readonly Event[], memory: Memory): void {
    if (events.length === 0) return;
    for (const incident of Object.values(memory.incidents)) {
      const { id, openedAt, policy, phase } = incident;
      const closed = phase.kind === 'closed';
      this.#run(
        'INSERT OR REPLACE INTO incidents (id, policy, opened_at, closed_at, state, json) VALUES (?, ?, ?, ?, ?, ?)',
        id,
        policy.name,
        openedAt,
        closed ? phase.at : null,
        closed ? phase.outcome : phase.kind,
        JSON.stringify(incident),
      );
    }
  }

  #keepDecision(seq: number, { desired, observed, memory, now }: Decision): void {
    const json = JSON.stringify(desired);
    const digest = createHash('sha256').update(json).digest('hex');
    this.#run('INSERT OR IGNORE INTO desired_states (digest, json) VALUES (?, ?)', digest, deflateSync(json));
    this.#run(
      'INSERT INTO decisions (seq, at, desired, observed, memory) VALUES (?, ?, ?, ?, ?)',
      seq,
      now,
      digest,
      pack(observed),
      pack(memory),
    );
    this.#run(
      'DELETE FROM decisions WHERE seq <= (SELECT seq FROM decisions ORDER BY seq DESC LIMIT 1 OFFSET ?)',
      DECISIONS_KEPT,
    );
  }

  #keepReadings(readings: readonly RecordedReading[]): void {
    for (const { trigger, at, value, state } of readings) {
      this.#run(
        'INSERT OR REPLACE INTO readings (trigger, at, value, state) VALUES (?, ?, ?, ?)',
        trigger,
        at,
        value === null ? null : JSON.stringify(value),
        state,
      );
    }
  }

  #readHead(): { seq: number; hash: string } {
    const row = this.#get('SELECT seq, hash FROM events ORDER BY seq DESC LIMIT 1');
    return row === undefined ? { seq: 0, hash: GENESIS } : { seq: Number(row['seq']), hash: text(row['hash']) };
  }

  #prepare(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.#database.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }

  #run(sql: string, ...values: SqlValue[]): void {
    this.#prepare(sql).run(...values);
  }

  #get(sql: string, ...values: SqlValue[]): Row | undefined {
    return this.#prepare(sql).get(...values);
  }

  #all(sql: string, ...values: SqlValue[]): Row[] {
    return this.#prepare(sql).all(...values);
  }

  #iterate(sql: string): Iterable<Row> {
    return this.#prepare(sql).iterate();
  }
}

type SqlValue = string | number | null | Uint8Array;
type Row = Record<string, unknown>;

export const STORE_FILE = 'revertd.db';

function openDatabase(folder: string, readOnly: boolean): DatabaseSync {
  try {
    if (!readOnly) mkdirSync(folder, { recursive: true, mode: 0o750 });
    const database = new DatabaseSync(join(folder, STORE_FILE), { readOnly });
    if (readOnly) {
      database.exec('PRAGMA busy_timeout = 200');
      database.prepare('SELECT count(*) FROM sqlite_master').get();
      return database;
    }
    lockStore(database, folder);
    database.exec('PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON');
    migrate(database);
    return database;
  } catch (cause) {
    if (cause instanceof StoreError) throw cause;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new StoreError('unusable', `the store in ${folder} cannot be opened: ${why}`, { cause });
  }
}

function where(filter: { subject?: string; types?: readonly string[]; after?: number }): {
  clauses: string;
  values: SqlValue[];
} {
  const clauses: string[] = [];
  const values: SqlValue[] = [];
  if (filter.subject !== undefined) {
    clauses.push('seq IN (SELECT seq FROM event_subjects WHERE subject = ?)');
    values.push(filter.subject);
  }
  if (filter.types !== undefined) {
    clauses.push(`type IN (${filter.types.map(() => '?').join(', ')})`);
    values.push(...filter.types);
  }
  if (filter.after !== undefined) {
    clauses.push('seq > ?');
    values.push(filter.after);
  }
  return { clauses: clauses.length === 0 ? '' : `WHERE ${clauses.join(' AND ')}`, values };
}

/** What the store wrote itself; its integrity is the chain's business, not the parser's. */
function parse<T>(json: string): T {
  return JSON.parse(json) as T;
}

function toEvent(row: Row): Event {
  return { at: Number(row['at']), type: text(row['type']), ...parse<object>(text(row['data'])) } as Event;
}

function pack(value: unknown): Uint8Array {
  return deflateSync(JSON.stringify(value));
}

function unpack<T>(value: unknown): T {
  if (!(value instanceof Uint8Array)) throw new StoreError('unusable', 'a recorded decision is not binary');
  return parse<T>(inflateSync(value).toString('utf8'));
}

function text(value: unknown): string {
  if (typeof value !== 'string') throw new StoreError('unusable', `the store has ${typeof value} where text belongs`);
  return value;
}

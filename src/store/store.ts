import { createHash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { deflateSync, inflateSync } from 'node:zlib';
import { type Event, subjectsOf } from '../core/event.ts';
import type { Memory } from '../core/memory.ts';
import type { Desired } from '../core/model/desired.ts';
import type { Incident } from '../core/model/incident.ts';
import type { PolicySnapshot, Revision } from '../core/model/revision.ts';
import type { Observed } from '../core/observed.ts';
import type { Millis } from '../core/units.ts';
import { Database, parseJson as parse, type SqlValue, textOf as text } from './database.ts';
import { eventOf } from './event-row.ts';
import { chainHash, GENESIS } from './hash-chain.ts';
import { History } from './history.ts';
import { unlockStore } from './lock.ts';
import { MemoryRows } from './memory-rows.ts';
import { Projection } from './projection.ts';
import { ProjectionFeed } from './projection-feed.ts';
import { StoreError } from './store-error.ts';
import { type ChainVerdict, type LogHead, verifyChain } from './verify-chain.ts';

export type LogRecord = { readonly seq: number; readonly actor: string; readonly hash: string; readonly event: Event };

/** The inputs of a decision, as they were. */
export type Decision = {
  readonly desired: Desired;
  readonly observed: Observed;
  readonly memory: Memory;
  readonly now: Millis;
};

export type Commit = {
  readonly events: readonly Event[];
  readonly actor: string;
  readonly memory: Memory;
  /** Kept when it led to actions. */
  readonly decision?: Decision;
};

/** Decisions older than the newest so many are dropped; the events that they led to stay. */
const DECISIONS_KEPT = 2_000;
/** More are looked through for those that no decision names any more. */
const DESIRED_STATES_KEPT = 50;
const REVISIONS_KEPT = 50;

/**
 * The event log of one host and its projections, in one SQLite file that belongs to one process at a time.
 * A commit is durable when it returns (`synchronous=FULL`).
 */
export class Store {
  readonly folder: string;
  readonly history: History;
  readonly feed: ProjectionFeed;
  readonly #database: Database;
  readonly #readOnly: boolean;
  readonly #memory: MemoryRows;
  readonly #projection: Projection;
  readonly #desiredDigests = new WeakMap<Desired, string>();
  #head: { seq: number; hash: string };

  /**
   * @throws StoreError `locked` when another daemon has it, `newer` when a later version wrote it, `unusable` when
   *   the folder or the file cannot be used.
   */
  constructor(folder: string, options: { readOnly?: boolean } = {}) {
    this.folder = folder;
    this.#readOnly = options.readOnly ?? false;
    this.#database = new Database(folder, this.#readOnly);
    this.history = new History(this.#database);
    this.#memory = new MemoryRows(this.#database);
    this.#projection = new Projection(this.#database);
    this.feed = new ProjectionFeed(this.#database);
    if (!this.#readOnly) this.#projection.catchUp();
    this.#head = this.#readHead();
  }

  get head(): { readonly seq: number; readonly hash: string } {
    return this.#head;
  }

  /** Events, memory and projections in one transaction; nothing of it is there if it throws. */
  commit({ events, actor, memory, decision }: Commit): void {
    const head = this.#head;
    let committed = (): void => undefined;
    try {
      this.#database.transaction(() => {
        const firstSeq = head.seq + 1;
        for (const event of events) this.#append(event, actor);
        this.#projectIncidents(events, memory);
        const changed = Object.values(memory.points).filter((point) => !this.#memory.has('points', point.id, point));
        committed = this.#memory.save(memory, events.length === 0);
        const numbered = events.map((event, index) => ({ seq: firstSeq + index, event }));
        this.#projection.take(
          numbered,
          changed.map(({ id }) => id),
        );
        if (decision !== undefined && events.length > 0) this.#keepDecision(firstSeq, decision);
      });
    } catch (error) {
      this.#head = head;
      throw error;
    }
    committed();
  }

  memory(): Memory {
    return this.#memory.load();
  }

  saveRevision(snapshot: PolicySnapshot, at: Millis): void {
    const files = snapshot.files.map(({ path, bytes }) => [path, Buffer.from(bytes).toString('base64')]);
    this.#database.run(
      'INSERT OR REPLACE INTO revisions (revision, accepted_at, subject, author, files) VALUES (?, ?, ?, ?, ?)',
      snapshot.revision,
      at,
      snapshot.subject ?? null,
      snapshot.author ?? null,
      JSON.stringify(files),
    );
    this.#database.run(
      'DELETE FROM revisions WHERE revision NOT IN (SELECT revision FROM revisions ORDER BY rowid DESC LIMIT ?)',
      REVISIONS_KEPT,
    );
  }

  revision(revision: Revision): PolicySnapshot | undefined {
    const row = this.#database.get('SELECT * FROM revisions WHERE revision = ?', revision);
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
  events(filter: EventFilter & { limit?: number } = {}): LogRecord[] {
    const { clauses, values } = where(filter);
    // By way of the subject's own rows, in their order: of a million events of one flag only the newest are looked at.
    const from = filter.subject === undefined ? 'events e' : 'event_subjects s CROSS JOIN events e ON e.seq = s.seq';
    const order = filter.subject === undefined ? 'e.seq' : 's.seq';
    const rows = this.#database.all(
      `SELECT * FROM (SELECT e.* FROM ${from} ${clauses} ORDER BY ${order} DESC LIMIT ?) ORDER BY seq`,
      ...values,
      filter.limit ?? -1,
    );
    return rows.map((row) => ({
      seq: Number(row['seq']),
      actor: text(row['actor']),
      hash: text(row['hash']),
      event: eventOf(row),
    }));
  }

  decisions(): (Decision & { readonly seq: number })[] {
    return this.#database
      .all('SELECT d.*, s.json FROM decisions d JOIN desired_states s ON s.digest = d.desired ORDER BY d.seq')
      .map((row) => ({
        seq: Number(row['seq']),
        now: Number(row['at']),
        desired: unpack<Desired>(row['json']),
        observed: unpack<Observed>(row['observed']),
        memory: unpack<Memory>(row['memory']),
      }));
  }

  incidents(limit = 100): Incident[] {
    return this.#database
      .all('SELECT json FROM incidents ORDER BY opened_at DESC, id DESC LIMIT ?', limit)
      .map((row) => parse<Incident>(text(row['json'])));
  }

  incident(id: string): Incident | undefined {
    const row = this.#database.get('SELECT json FROM incidents WHERE id = ?', id);
    return row === undefined ? undefined : parse<Incident>(text(row['json']));
  }

  /** What the log and its projections take up, in bytes; and how much is in them. */
  size(): { readonly bytes: number; readonly events: number; readonly readings: number } {
    const pages = 'SELECT page_count * page_size AS bytes FROM pragma_page_count(), pragma_page_size()';
    return {
      bytes: Number(this.#database.get(pages)?.['bytes']),
      events: this.#head.seq,
      readings: this.history.buckets,
    };
  }

  /** Whether the log is what was written, and has the heads that were said elsewhere; all at once. */
  verifyChain(heads: readonly LogHead[] = []): ChainVerdict {
    const walk = verifyChain(this.#database, heads);
    for (;;) {
      const { done, value } = walk.next();
      if (done === true) return value;
    }
  }

  /** The same, and everything else has its turn meanwhile. */
  async verifyChainInTurns(heads: readonly LogHead[] = []): Promise<ChainVerdict> {
    const walk = verifyChain(this.#database, heads);
    for (;;) {
      const { done, value } = walk.next();
      if (done === true) return value;
      await nextTurn();
    }
  }

  /** Copies the whole store as it is when the copy ends. */
  async copyTo(path: string, onProgress: (done: number, total: number) => void): Promise<void> {
    if (!this.#readOnly) this.history.flush();
    await this.#database.copyTo(path, onProgress);
  }

  close(): void {
    try {
      if (!this.#readOnly) this.history.flush();
    } finally {
      this.#database.close();
    }
    if (!this.#readOnly) unlockStore(this.folder);
  }

  #append(event: Event, actor: string): void {
    const { at, type, ...rest } = event;
    const seq = this.#head.seq + 1;
    const data = JSON.stringify(rest);
    const hash = chainHash(this.#head.hash, { seq, at, type, actor, data });
    const sql = 'INSERT INTO events (seq, at, type, actor, data, hash) VALUES (?, ?, ?, ?, ?, ?)';
    this.#database.run(sql, seq, at, type, actor, data, hash);
    for (const subject of new Set(subjectsOf(event))) {
      this.#database.run('INSERT OR IGNORE INTO event_subjects (subject, seq) VALUES (?, ?)', subject, seq);
    }
    this.#head = { seq, hash };
  }

  #projectIncidents(events: readonly Event[], memory: Memory): void {
    if (events.length === 0) return;
    for (const incident of Object.values(memory.incidents)) {
      if (this.#memory.has('incidents', incident.id, incident)) continue;
      const { id, openedAt, policy, phase } = incident;
      const closed = phase.kind === 'closed';
      this.#database.run(
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
    const digest = this.#keepDesired(desired);
    this.#database.run(
      'INSERT INTO decisions (seq, at, desired, observed, memory) VALUES (?, ?, ?, ?, ?)',
      seq,
      now,
      digest,
      pack(observed),
      pack(memory),
    );
    this.#database.run(
      'DELETE FROM decisions WHERE seq <= (SELECT seq FROM decisions ORDER BY seq DESC LIMIT 1 OFFSET ?)',
      DECISIONS_KEPT,
    );
    this.#database.run(
      'DELETE FROM desired_states WHERE (SELECT count(*) FROM desired_states) > ? AND digest NOT IN (SELECT desired FROM decisions)',
      DESIRED_STATES_KEPT,
    );
  }

  /** Stored once for all decisions that rest on it. */
  #keepDesired(desired: Desired): string {
    const known = this.#desiredDigests.get(desired);
    const isStored = 'SELECT 1 FROM desired_states WHERE digest = ?';
    if (known !== undefined && this.#database.get(isStored, known) !== undefined) return known;
    const json = JSON.stringify(desired);
    const digest = createHash('sha256').update(json).digest('hex');
    const sql = 'INSERT OR IGNORE INTO desired_states (digest, json) VALUES (?, ?)';
    this.#database.run(sql, digest, deflateSync(json));
    this.#desiredDigests.set(desired, digest);
    return digest;
  }

  #readHead(): { seq: number; hash: string } {
    const row = this.#database.get('SELECT seq, hash FROM events ORDER BY seq DESC LIMIT 1');
    return row === undefined ? { seq: 0, hash: GENESIS } : { seq: Number(row['seq']), hash: text(row['hash']) };
  }
}

export type EventFilter = {
  readonly subject?: string;
  readonly types?: readonly string[];
  /** Only with a higher number. */
  readonly after?: number;
  /** Only from this instant on, in ms since the epoch. */
  readonly from?: Millis;
};

function where(filter: EventFilter): {
  clauses: string;
  values: SqlValue[];
} {
  const clauses: string[] = [];
  const values: SqlValue[] = [];
  if (filter.subject !== undefined) {
    clauses.push('s.subject = ?');
    values.push(filter.subject);
  }
  if (filter.types !== undefined) {
    clauses.push(`e.type IN (${filter.types.map(() => '?').join(', ')})`);
    values.push(...filter.types);
  }
  if (filter.after !== undefined) {
    clauses.push(filter.subject === undefined ? 'e.seq > ?' : 's.seq > ?');
    values.push(filter.after);
  }
  if (filter.from !== undefined) {
    clauses.push('e.at >= ?');
    values.push(filter.from);
  }
  return { clauses: clauses.length === 0 ? '' : `WHERE ${clauses.join(' AND ')}`, values };
}

function pack(value: unknown): Uint8Array {
  // What a decision rests on is packed before its action starts: quickly, not tightly.
  return deflateSync(JSON.stringify(value), { level: 1 });
}

function unpack<T>(value: unknown): T {
  if (!(value instanceof Uint8Array)) throw new StoreError('unusable', 'a recorded decision is not binary');
  return parse<T>(inflateSync(value).toString('utf8'));
}

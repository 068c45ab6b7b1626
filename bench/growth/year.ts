import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Event } from '../../src/core/event.ts';
import { EMPTY_MEMORY, type Memory } from '../../src/core/memory.ts';
import type { Point } from '../../src/core/model/point.ts';
import { STORE_FILE } from '../../src/store/database.ts';
import { chainHash, GENESIS } from '../../src/store/hash-chain.ts';
import { Store } from '../../src/store/store.ts';
import { aPoint, ORIGIN } from '../../test/support/policies.ts';

export type Year = { readonly points: number; readonly operations: number; readonly readings: number };

const YEAR_MS = 365 * 86_400_000;
const BUCKET_MS = 600_000;
/** Most of them are where readings of some days are coarser than a year's. */
const TRIGGERS = 200;
const AT_ONCE = 50_000;

/** Makes a store as a year leaves it, which ends at `until`. It is written without waiting for the disk; nothing is lost if it is. */
export function makeYear(folder: string, { points, operations, readings }: Year, until: number): void {
  new Store(folder).close();
  const database = new DatabaseSync(join(folder, STORE_FILE));
  database.exec('PRAGMA synchronous = OFF; PRAGMA cache_size = -200000');
  fillLog(database, pointsOf(points, until), operations, until);
  fillReadings(database, readings, until);
  database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  database.close();
}

/** Valid points of one target, at even distances. */
export function pointsOf(count: number, until: number): Point[] {
  return Array.from({ length: count }, (_one, index) =>
    aPoint(until - Math.round(((count - index) / count) * YEAR_MS), { policy: 'hourly', targets: ['settings'] }),
  );
}

function fillLog(database: DatabaseSync, points: readonly Point[], operations: number, until: number): void {
  const insert = database.prepare('INSERT INTO events (seq, at, type, actor, data, hash) VALUES (?, ?, ?, ?, ?, ?)');
  const about = database.prepare('INSERT OR IGNORE INTO event_subjects (subject, seq) VALUES (?, ?)');
  let [seq, hash] = [0, GENESIS];
  const add = ({ at, type, ...rest }: Event, subject?: string): void => {
    seq += 1;
    const record = { seq, at, type, actor: 'revertd', data: JSON.stringify(rest) };
    hash = chainHash(hash, record);
    insert.run(seq, at, type, record.actor, record.data, hash);
    if (subject !== undefined) about.run(subject, seq);
  };
  inBatches(database, operations, (index) => {
    const at = until - YEAR_MS + Math.round((index / operations) * YEAR_MS);
    for (const event of operationAt(at, index))
      add(event, event.type === 'operation.planned' ? 'Flag/fast-path' : undefined);
  });
  const remember = database.prepare('INSERT INTO memory (field, key, json) VALUES (?, ?, ?)');
  const memory: Memory = { ...EMPTY_MEMORY, nextOperation: operations + 1 };
  inBatches(database, 1, () => {
    for (const point of points) remember.run('points', point.id, JSON.stringify(point));
    remember.run('nextOperation', '', JSON.stringify(memory.nextOperation));
  });
}

function operationAt(at: number, index: number): readonly Event[] {
  const id = `deliver:file:/etc/app.env#${index + 1}`;
  const change = {
    flag: 'fast-path',
    place: 'envFile:/etc/app.env#FAST_PATH',
    entry: 'FAST_PATH',
    before: 'true',
    after: 'false',
  };
  const operation = {
    id,
    action: {
      kind: 'deliver' as const,
      key: 'deliver:file:/etc/app.env',
      sign: '~' as const,
      reason: 'git says so',
      losesData: false,
      preconditions: [],
      document: { driver: 'envFile' as const, path: '/etc/app.env', origin: ORIGIN },
      changes: [change],
      takeUp: [],
    },
    plannedAt: at,
    state: 'planned' as const,
    fingerprint: null,
  };
  // What is in it matters little here; that there is as much of it as in life does.
  const planned: unknown = { at, type: 'operation.planned', operation };
  const finished: Event = {
    at: at + 5,
    type: 'operation.finished',
    id,
    outcome: 'done',
    detail: 'written',
    durationMs: 5,
  };
  return [planned as Event, finished];
}

/** Buckets of ten minutes, each trigger's in a row; triggers and the index by age come afterwards, which is quicker. */
function fillReadings(database: DatabaseSync, count: number, until: number): void {
  const later = database
    .prepare(
      "SELECT name, type, sql FROM sqlite_schema WHERE tbl_name = 'readings' AND sql IS NOT NULL AND type <> 'table'",
    )
    .all();
  for (const { name, type } of later) database.exec(`DROP ${String(type)} ${String(name)}`);
  const insert = database.prepare(
    'INSERT INTO readings (trigger, at, bucket_ms, low, high, sum, count, state) VALUES (?, ?, ?, ?, ?, ?, ?, 1)',
  );
  const each = Math.ceil(count / TRIGGERS);
  const last = Math.floor(until / BUCKET_MS) * BUCKET_MS - 4 * 86_400_000;
  inBatches(database, each * TRIGGERS, (index) => {
    const trigger = `service-${String(Math.floor(index / each)).padStart(3, '0')}/slow`;
    insert.run(trigger, last - (each - (index % each)) * BUCKET_MS, BUCKET_MS, 0.1, 0.5, 120.5, 600);
  });
  for (const { sql } of later) database.exec(String(sql));
  database.exec('UPDATE readings_total SET rows = (SELECT count(*) FROM readings)');
}

function inBatches(database: DatabaseSync, count: number, make: (index: number) => void): void {
  for (let from = 0; from < count; from += AT_ONCE) {
    database.exec('BEGIN');
    for (let index = from; index < Math.min(count, from + AT_ONCE); index += 1) make(index);
    database.exec('COMMIT');
  }
}

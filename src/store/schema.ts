import type { DatabaseSync } from 'node:sqlite';
import { StoreError } from './store-error.ts';

/** Forward only: a step, once released, is never changed. The index plus one is the schema's version. */
const MIGRATIONS: readonly string[] = [
  `
  -- Everything that happened. Each hash covers the record and the hash before it.
  CREATE TABLE events (
    seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, type TEXT NOT NULL, actor TEXT NOT NULL, data TEXT NOT NULL,
    hash TEXT NOT NULL
  ) STRICT;
  CREATE INDEX events_by_type ON events (type, seq);
  CREATE TABLE event_subjects (subject TEXT NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (subject, seq)) STRICT, WITHOUT ROWID;

  -- The fold of the events up to seq.
  CREATE TABLE memory (id INTEGER PRIMARY KEY CHECK (id = 1), seq INTEGER NOT NULL, json TEXT NOT NULL) STRICT;

  -- The policy files of each accepted revision: the last good one is here when git is not.
  CREATE TABLE revisions (
    revision TEXT PRIMARY KEY, accepted_at INTEGER NOT NULL, subject TEXT, author TEXT, files TEXT NOT NULL
  ) STRICT;

  -- The inputs of each decision that had actions, to recompute it.
  CREATE TABLE desired_states (digest TEXT PRIMARY KEY, json BLOB NOT NULL) STRICT;
  CREATE TABLE decisions (
    seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, desired TEXT NOT NULL, observed BLOB NOT NULL, memory BLOB NOT NULL
  ) STRICT;

  CREATE TABLE incidents (
    id TEXT PRIMARY KEY, policy TEXT NOT NULL, opened_at INTEGER NOT NULL, closed_at INTEGER, state TEXT NOT NULL,
    json TEXT NOT NULL
  ) STRICT;

  -- What triggers read, as it was taken (bucket_ms 0) or in buckets of time; state by gravity: unknown, inactive,
  -- pending, firing.
  CREATE TABLE readings (
    trigger TEXT NOT NULL, at INTEGER NOT NULL, bucket_ms INTEGER NOT NULL, value TEXT, low REAL, high REAL, sum REAL,
    count INTEGER NOT NULL, state INTEGER NOT NULL, PRIMARY KEY (trigger, at)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX readings_by_age ON readings (at);
  `,
];

export const SCHEMA_VERSION = MIGRATIONS.length;

/**
 * Brings the schema up to date, in one transaction.
 * @throws StoreError `newer` when a later version of revertd wrote it.
 */
export function migrate(database: DatabaseSync): void {
  const version = schemaVersion(database);
  if (version > SCHEMA_VERSION) {
    const message = `the store has schema ${version}, this revertd knows ${SCHEMA_VERSION}; use the newer revertd that wrote it, or restore a backup from before`;
    throw new StoreError('newer', message);
  }
  if (version === SCHEMA_VERSION) return;
  database.exec('BEGIN IMMEDIATE');
  for (const step of MIGRATIONS.slice(version)) database.exec(step);
  database.exec(`PRAGMA user_version = ${SCHEMA_VERSION}`);
  database.exec('COMMIT');
}

function schemaVersion(database: DatabaseSync): number {
  const row = database.prepare('PRAGMA user_version').get();
  return Number(row?.['user_version'] ?? 0);
}

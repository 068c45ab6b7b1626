import type { DatabaseSync } from 'node:sqlite';
import { PROJECTION_SCHEMA } from './projection-schema.ts';
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
  `
  -- Memory as a row for each entry, so that a commit writes what it changed. The ids keep the order of the entries.
  ALTER TABLE memory RENAME TO whole_memory;
  CREATE TABLE memory (
    id INTEGER PRIMARY KEY, field TEXT NOT NULL, key TEXT NOT NULL, json TEXT NOT NULL, UNIQUE (field, key)
  ) STRICT;
  INSERT INTO memory (field, key, json)
    SELECT field.key, entry.key, entry.value FROM whole_memory, json_each(whole_memory.json) field, json_each(field.value) entry
    WHERE field.key IN ('triggers', 'places', 'documents', 'holds', 'incidents', 'brakes', 'operations', 'outbox', 'reportsOwed');
  INSERT INTO memory (field, key, json)
    SELECT field.key, '', coalesce(whole_memory.json -> field.fullkey, 'null') FROM whole_memory, json_each(whole_memory.json) field
    WHERE field.key IN ('revision', 'startedAt', 'halt', 'triggersRecordedAt', 'rollbacks', 'nextIncident', 'nextOperation');
  DROP TABLE whole_memory;

  -- What triggers read in the last hours, as it was taken: all of ten seconds together, [[ms since slot, value, state], ...].
  -- By time first, because everything is written and aged in the order of time.
  CREATE TABLE recent_readings (
    slot INTEGER NOT NULL, trigger TEXT NOT NULL, data TEXT NOT NULL, PRIMARY KEY (slot, trigger)
  ) STRICT, WITHOUT ROWID;
  -- How many of its rows were written, so that counting them reads little.
  CREATE TABLE recent_slots (slot INTEGER PRIMARY KEY, written INTEGER NOT NULL) STRICT;
  INSERT INTO recent_readings (slot, trigger, data)
    SELECT at - at % 10000, trigger, json_group_array(json_array(at % 10000, json(value), state) ORDER BY at)
    FROM readings WHERE bucket_ms = 0 GROUP BY at - at % 10000, trigger;
  INSERT INTO recent_slots (slot, written) SELECT slot, count(*) FROM recent_readings GROUP BY slot;
  DELETE FROM readings WHERE bucket_ms = 0;
  DROP INDEX readings_by_age;
  CREATE INDEX readings_by_age ON readings (bucket_ms, at);
  ALTER TABLE readings DROP COLUMN value;
  `,
  PROJECTION_SCHEMA,
  `
  -- How many buckets there are: to count ten million takes half a second each time.
  CREATE TABLE readings_total (id INTEGER PRIMARY KEY CHECK (id = 1), rows INTEGER NOT NULL) STRICT;
  INSERT INTO readings_total (id, rows) SELECT 1, count(*) FROM readings;
  CREATE TRIGGER readings_added AFTER INSERT ON readings BEGIN UPDATE readings_total SET rows = rows + 1; END;
  CREATE TRIGGER readings_dropped AFTER DELETE ON readings BEGIN UPDATE readings_total SET rows = rows - 1; END;
  -- The newest hundred are shown, of all that there ever were.
  CREATE INDEX incidents_by_opening ON incidents (opened_at, id);
  `,
];

export const SCHEMA_VERSION = MIGRATIONS.length;

/**
 * Brings the schema up to date (or to an earlier version, for tests), in one transaction.
 * @throws StoreError `newer` when a later version of revertd wrote it.
 */
export function migrate(database: DatabaseSync, to = SCHEMA_VERSION): void {
  const version = knownVersion(database);
  if (version >= to) return;
  database.exec('BEGIN IMMEDIATE');
  for (const step of MIGRATIONS.slice(version, to)) database.exec(step);
  database.exec(`PRAGMA user_version = ${to}`);
  database.exec('COMMIT');
}

/**
 * Refuses what a reader, which changes nothing, cannot read.
 * @throws StoreError `newer`, or `unusable` for a store that its daemon has not brought up to date yet.
 */
export function requireCurrent(database: DatabaseSync): void {
  const version = knownVersion(database);
  if (version === SCHEMA_VERSION) return;
  const message = `the store has schema ${version}, of an earlier revertd; start the daemon once, which brings it to ${SCHEMA_VERSION}`;
  throw new StoreError('unusable', message);
}

function knownVersion(database: DatabaseSync): number {
  const version = schemaVersion(database);
  if (version <= SCHEMA_VERSION) return version;
  const message = `the store has schema ${version}, this revertd knows ${SCHEMA_VERSION}; use the newer revertd that wrote it, or restore a backup from before`;
  throw new StoreError('newer', message);
}

function schemaVersion(database: DatabaseSync): number {
  const row = database.prepare('PRAGMA user_version').get();
  return Number(row?.['user_version'] ?? 0);
}

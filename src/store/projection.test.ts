import { mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { LoggedStore, livedLog } from '../../test/support/lived-log.ts';
import { STORE_FILE } from './database.ts';
import { PROJECTED_TABLES } from './projected-tables.ts';
import { migrate } from './schema.ts';

const LOG = livedLog(1_700_000_000_000);

let folder: string;
let logged: LoggedStore;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'revertd-projection-'));
  logged = new LoggedStore(folder);
});

afterEach(() => {
  logged.store.close();
  rmSync(folder, { recursive: true });
});

/** As somebody with any program for SQLite asks, once the daemon has ended. */
function ask(sql: string): Record<string, unknown>[] {
  logged.store.close();
  const reader = new DatabaseSync(join(folder, STORE_FILE), { readOnly: true });
  const rows = reader.prepare(sql).all();
  reader.close();
  logged.open();
  return rows;
}

/** All but when a point was changed last, which only those know that saw it. */
function everything(): Record<string, unknown> {
  return Object.fromEntries(
    Object.values(PROJECTED_TABLES).map(({ name, columns }) => {
      const kept = Object.keys(columns).filter(
        (column) => name === 'rollback_operations' || (column !== 'last_event' && column !== 'updated_at'),
      );
      return [name, ask(`SELECT ${kept.join(', ')} FROM ${name} ORDER BY id`)];
    }),
  );
}

/** The schema that knew nothing of these tables. */
const FORMER_SCHEMA = 2;

/** The store as revertd left it then. */
function asBefore(): void {
  const [path, present] = [join(folder, STORE_FILE), join(folder, 'present.db')];
  renameSync(path, present);
  const database = new DatabaseSync(path);
  migrate(database, FORMER_SCHEMA);
  database.exec(`ATTACH '${present}' AS present`);
  for (const { name } of database.prepare("SELECT name FROM main.sqlite_schema WHERE type = 'table'").all()) {
    database.exec(
      `DELETE FROM main.${String(name)}; INSERT INTO main.${String(name)} SELECT * FROM present.${String(name)}`,
    );
  }
  database.close();
}

test('the views tell of points and snapshots what memory has of them', () => {
  logged.commit(LOG);
  const points = Object.values(logged.memory.points);
  expect(new Set(points.map(({ state }) => state)).size).toBeGreaterThan(1);
  expect(ask('SELECT point, state, session_id FROM rollback_points ORDER BY point')).toEqual(
    points
      .map(({ id, state, session = null }) => ({ point: id, state, session_id: session }))
      .sort((a, b) => (a.point < b.point ? -1 : 1)),
  );
  const [total] = ask('SELECT count(*) AS count, sum(size_bytes) AS bytes FROM rollback_snapshots');
  const snapshots = points.flatMap(({ snapshots: own }) => own);
  expect(total).toEqual({
    count: snapshots.length,
    bytes: snapshots.reduce((sum, { bytes }) => sum + bytes, 0),
  });
});

test('every event is in the audit log once, and every operation has its row', () => {
  logged.commit(LOG);
  expect(ask('SELECT count(*) AS rows, count(DISTINCT id) AS ids, max(event) AS last FROM rollback_audit_log')).toEqual(
    [{ rows: LOG.length, ids: LOG.length, last: LOG.length }],
  );
  const outcomes = LOG.flatMap((event) => (event.type === 'operation.finished' ? [event.outcome] : []));
  const counted = Object.entries(Object.groupBy(outcomes, (outcome) => outcome));
  expect(ask('SELECT status, count(*) AS count FROM rollback_operations GROUP BY status ORDER BY status')).toEqual(
    counted.map(([status, found]) => ({ status, count: found.length })).sort((a, b) => (a.status < b.status ? -1 : 1)),
  );
  expect(
    ask(
      "SELECT DISTINCT type, strategy FROM rollback_operations WHERE target_rollback_point_id IS NOT NULL OR type = 'restore' ORDER BY 1",
    ),
  ).toContainEqual({ type: 'restore', strategy: 'immediate' });
});

test('figures tell what was measured, and of what', () => {
  logged.commit(LOG);
  const names = ask('SELECT DISTINCT metric_name AS name, metric_unit AS unit FROM rollback_metrics ORDER BY 1');
  expect(names).toEqual([
    { name: 'incident_duration', unit: 'ms' },
    { name: 'operation_duration', unit: 'ms' },
    { name: 'snapshot_size', unit: 'bytes' },
    { name: 'trigger_value', unit: null },
  ]);
});

test('the statistics are those of the tables', () => {
  logged.commit(LOG);
  const [statistics] = ask('SELECT * FROM rollback_statistics');
  expect(statistics).toMatchObject({
    total_points: Object.keys(logged.memory.points).length,
    pending_operations: Object.keys(logged.memory.operations).length,
    total_operations: LOG.filter(({ type }) => type === 'operation.planned').length,
    audit_entries: LOG.length,
  });
});

test('an older store gets the rows of its log when it is opened, and they are the same', () => {
  logged.commit(LOG);
  const before = everything();
  logged.store.close();
  asBefore();
  logged = new LoggedStore(folder);
  expect(everything()).toEqual(before);
  expect(ask('SELECT * FROM projection_owed')).toEqual([]);
});

test.each([1, 7])('how many events a commit has (%i) makes no difference', (each) => {
  logged.commit(LOG, each);
  const own = everything();
  logged.store.close();
  rmSync(folder, { recursive: true });
  logged = new LoggedStore(folder);
  logged.commit(LOG, 3);
  expect(everything()).toEqual(own);
});

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, expect, test } from 'vitest';
import { createAllowList } from '../allow-list.ts';
import { createSecretResolver } from '../secrets.ts';
import { countRows } from './count-rows.ts';

const folder = mkdtempSync(join(tmpdir(), 'revertd-count-'));
afterAll(() => rmSync(folder, { recursive: true }));
const path = join(folder, 'app.db');
{
  using database = new DatabaseSync(path);
  database.exec(`CREATE TABLE memory (at TEXT);
    INSERT INTO memory VALUES ('2026-01-01T00:00:00.000Z'), ('2026-01-02T00:00:00.000Z'), ('2026-01-03T00:00:00.000Z');`);
}

const host = { allow: createAllowList({}), secrets: createSecretResolver({}) };
const count = (query: string, pointAt: number | null = null, timeoutMs = 5_000) =>
  countRows({ database: { kind: 'sqlite', path }, query, pointAt, timeoutMs }, host, new AbortController().signal);
const NEW = 'SELECT count(*) FROM memory WHERE at > :point';
const ENDLESS = 'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n';

test.each([
  ['all', 'SELECT count(*) FROM memory', null, 3, 'counted'],
  ['what came after the point', NEW, Date.UTC(2026, 0, 1), 2, 'counted'],
  ['nothing without a point', NEW, null, null, 'nothing was captured yet'],
  ['no number', "SELECT 'many'", null, null, 'expected one number'],
  ['no row', 'SELECT 1 WHERE false', null, null, 'gave 0 rows of 1 columns'],
  ['NULL', 'SELECT max(at) FROM memory WHERE false', null, null, 'expected one number'],
  ['a fault', 'SELECT count(*) FROM no_such', null, null, 'no such table'],
  ['what would write', 'DELETE FROM memory RETURNING 1', null, null, 'readonly'],
])('counts %s', async (_what, query, pointAt, value, detail) => {
  expect(await count(query, pointAt)).toEqual({ value, detail: expect.stringContaining(detail) });
});

test('gives up on a database that does not answer', async () => {
  expect(await count(ENDLESS, null, 200)).toEqual({ value: null, detail: 'had not answered after 200ms' });
});

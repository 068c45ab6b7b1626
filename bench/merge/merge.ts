/**
 * The difference and the merge of many rows: of SQLite, and of PostgreSQL where it is installed. A twentieth of the rows was
 * changed in the point, another twentieth live. `npm run bench:merge -- [ROWS] [RUNS]`
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Snapshot } from '../../src/core/model/point.ts';
import type { RowsTarget, Target } from '../../src/core/model/target.ts';
import { createAllowList } from '../../src/drivers/allow-list.ts';
import { createTargetDrivers } from '../../src/drivers/targets/registry.ts';
import { openContentStore } from '../../src/store/content/content-store.ts';
import { POSTGRES_BIN, psql, startPostgres } from '../../test/support/postgres.ts';
import { type Aim, aimsTable } from '../support/aims.ts';
import { report, table } from '../support/report.ts';
import { median } from '../support/statistics.ts';

const [rows = 100_000, runs = 5] = process.argv.slice(2).map(Number);
const folder = mkdtempSync(join(tmpdir(), 'revertd-bench-merge-'));
const { signal } = new AbortController();

type Side = { readonly database: RowsTarget['database']; readonly run: (...statements: readonly string[]) => void };
type Measured = Readonly<Record<'capture' | 'diff' | 'merge' | 'peak', number>>;

const TABLE = 'CREATE TABLE entities (id integer PRIMARY KEY, name text, kind integer, facts text)';
/** Of the point and live; they meet in few rows, which are left. */
const BAD = 'UPDATE entities SET kind = -1 WHERE id % 20 = 1';
const LIVE = "UPDATE entities SET name = name || '!' WHERE id % 20 = 2";

function sqlite(): Side {
  const path = join(folder, 'graph.db');
  rmSync(path, { force: true });
  const database = new DatabaseSync(path);
  database.exec('PRAGMA journal_mode = WAL');
  const run = (...statements: readonly string[]) => statements.forEach((statement) => database.exec(statement));
  run(
    TABLE,
    `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${rows})
     INSERT INTO entities SELECT i, 'entity ' || i, i % 7, hex(randomblob(50)) FROM n`,
  );
  return { database: { kind: 'sqlite', path }, run };
}

function postgres(dsn: (database?: string) => string): Side {
  psql(dsn(), 'DROP DATABASE IF EXISTS graph', 'CREATE DATABASE graph');
  const file = join(folder, 'dsn');
  writeFileSync(file, dsn('graph'));
  const run = (...statements: readonly string[]) => void psql(dsn('graph'), ...statements);
  run(
    TABLE,
    `INSERT INTO entities SELECT i, 'entity ' || i, i % 7, repeat(md5(i::text), 3) FROM generate_series(1, ${rows}) i`,
  );
  return { database: { kind: 'postgres', dsn: { file } }, run };
}

async function measured({ database, run }: Side): Promise<Measured> {
  const store = await openContentStore(mkdtempSync(join(folder, 'points-')), { compression: 'zstd' });
  const type = { kind: 'rows', database, tables: ['entities'] } as const;
  const origin = { file: 'bench', line: 1, column: 1 };
  const target: Target = { name: 'graph', origin, suspend: false, type, quiesce: [], checks: [] };
  const driver = createTargetDrivers(createAllowList({})).rows;
  const progress = () => undefined;
  const [now, log] = [() => 0, () => undefined];
  const taken = async (operation: string): Promise<Snapshot> => {
    const outcome = await driver.points.capture(target, { store, signal, operation, progress, now, log });
    if (outcome.outcome === 'failed') throw new Error(outcome.detail);
    store.release(operation);
    return { ...outcome.snapshot, target: 'graph', type: 'rows' };
  };
  const timed = async (work: () => Promise<unknown>): Promise<number> => {
    const begun = performance.now();
    await work();
    return Math.round(performance.now() - begun);
  };
  let snapshot: Snapshot | undefined;
  const capture = await timed(async () => (snapshot = await taken('good')));
  run(BAD);
  const ancestor = await taken('bad');
  run(LIVE);
  if (snapshot === undefined) throw new Error('nothing was captured');
  const point = snapshot;
  let peak = 0;
  const watch = setInterval(() => (peak = Math.max(peak, process.memoryUsage.rss())), 10);
  const before = process.memoryUsage.rss();
  const diff = await timed(() => driver.points.diff(target, point, 'live', { store, signal, progress }));
  const merge = await timed(async () => {
    const order = { target, to: 'point', paths: [], snapshot: point, merge: { conflicts: 'skip', ancestor } as const };
    const perform = () => Promise.resolve({ outcome: 'done', detail: '' } as const);
    const done = await driver.restore(order, { store, signal, operation: 'merge', log, perform });
    if (done.merge?.end !== 'completed') throw new Error(done.detail);
  });
  clearInterval(watch);
  return { capture, diff, merge, peak: Math.round((peak - before) / 2 ** 20) };
}

async function series(make: () => Side): Promise<Measured> {
  const found: Measured[] = [];
  for (let turn = 0; turn < runs; turn += 1) found.push(await measured(make()));
  const of = (key: keyof Measured) => median(found.map((one) => one[key]));
  return {
    capture: of('capture'),
    diff: of('diff'),
    merge: of('merge'),
    peak: Math.max(...found.map(({ peak }) => peak)),
  };
}

mkdirSync(folder, { recursive: true });
const found: Record<string, Measured> = { SQLite: await series(sqlite) };
if (POSTGRES_BIN !== undefined) {
  const server = await startPostgres();
  found['PostgreSQL'] = await series(() => postgres(server.dsn));
  await server[Symbol.asyncDispose]();
}
rmSync(folder, { recursive: true });

const figures = table(
  [`${rows} rows, ms`, 'capture', 'diff', 'merge', 'memory MiB'],
  Object.entries(found).map(([name, { capture, diff, merge, peak }]) => [name, capture, diff, merge, peak].map(String)),
);
const aims: Aim[] = Object.entries(found).map(([name, { diff, merge }]) => ({
  what: `${name}: difference and merge`,
  atMost: 3,
  figure: (diff + merge) / 1_000,
  unit: ' s',
  digits: 1,
}));
report(`${figures}\n${aimsTable(aims)}`, found);

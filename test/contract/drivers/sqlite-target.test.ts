import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CapturedStage } from '../../support/points/captured-stage.ts';

let stage: CapturedStage;
let path: string;
const open: DatabaseSync[] = [];

beforeEach(async () => {
  stage = await CapturedStage.open((live) => ({ kind: 'sqlite', path: join(live, 'app.db') }));
  path = join(stage.live, 'app.db');
});
afterEach(() => {
  for (const database of open.splice(0)) if (database.isOpen) database.close();
  stage.close();
});

function database(...statements: readonly string[]): DatabaseSync {
  const opened = new DatabaseSync(path);
  open.push(opened);
  for (const statement of statements) opened.exec(statement);
  return opened;
}

function rows(sql = 'SELECT name FROM t ORDER BY id'): unknown[] {
  const opened = new DatabaseSync(path);
  try {
    return opened
      .prepare(sql)
      .all()
      .map((row) => Object.values(row)[0]);
  } finally {
    opened.close();
  }
}

const TABLE = 'CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT)';
const WAL = 'PRAGMA journal_mode = WAL';

/** Another process that does something with the database, and has it open until it is ended. */
async function peer(...statements: readonly string[]) {
  const program = `
    import { DatabaseSync } from 'node:sqlite';
    const database = new DatabaseSync(${JSON.stringify(path)});
    for (const statement of ${JSON.stringify(statements)}) database.exec(statement);
    console.log('open');
    setInterval(() => database, 1_000);`;
  const child = spawn(process.execPath, ['--no-warnings', '--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  return {
    pid: child.pid,
    kill: async () => {
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    },
  };
}

describe('a capture', () => {
  test('has what is committed, also what is still in the -wal, and nothing else', async () => {
    const service = database(WAL, TABLE, "INSERT INTO t VALUES (1, 'committed')");
    service.exec("BEGIN; INSERT INTO t VALUES (2, 'not committed')");
    expect(statSync(`${path}-wal`).size).toBeGreaterThan(0);
    const snapshot = await stage.capture();
    service.exec('COMMIT');
    service.close();
    await stage.restore(snapshot);
    expect(rows()).toStrictEqual(['committed']);
  });

  test('goes on while others write', async () => {
    const service = database(WAL, TABLE);
    const insert = service.prepare('INSERT INTO t (name) VALUES (?)');
    for (let index = 0; index < 500; index += 1) insert.run('x'.repeat(1_000));
    const over = new AbortController();
    const capturing = stage.capture().finally(() => over.abort());
    while (!over.signal.aborted) {
      insert.run('while it is captured');
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
    }
    const snapshot = await capturing;
    service.close();
    await stage.restore(snapshot);
    expect(rows('PRAGMA integrity_check')).toStrictEqual(['ok']);
    expect(rows().length).toBeGreaterThanOrEqual(500);
  });

  test('of a damaged database fails, and says what is damaged', async () => {
    database(TABLE, 'CREATE INDEX i ON t (name)');
    const insert = open[0]?.prepare('INSERT INTO t (name) VALUES (?)');
    for (let index = 0; index < 2_000; index += 1) insert?.run(`name ${index}`);
    open[0]?.close();
    const bytes = readFileSync(path);
    bytes.fill(0x5a, 3 * 4_096, 4 * 4_096);
    writeFileSync(path, bytes);
    const outcome = await stage.points.capture(stage.target, stage.captureContext());
    expect(outcome.outcome).toBe('failed');
    expect(outcome.detail).toContain('is damaged');
  });

  test('of what is no database fails', async () => {
    writeFileSync(path, 'no database at all'.repeat(100));
    expect((await stage.points.capture(stage.target, stage.captureContext())).detail).toContain('not a database');
    const outcome = await stage.points.capture(stage.target, stage.captureContext({ recover: true }));
    expect(outcome).toMatchObject({ outcome: 'failed', detail: expect.stringContaining('no row of it can be read') });
  });

  test.each([
    ['a leaf', 4, 1],
    ['the header and the schema', 1, 1],
  ])('of a database with %s overwritten keeps what can be read of it, where it may', async (_what, page, pages) => {
    const service = database(WAL, TABLE);
    const insert = service.prepare('INSERT INTO t (name) VALUES (?)');
    for (let index = 0; index < 2_000; index += 1) insert.run(`name ${index}`);
    service.close();
    const sound = await stage.capture();
    const bytes = readFileSync(path);
    bytes.fill(0x5a, (page - 1) * 4_096, page * 4_096);
    writeFileSync(path, bytes);
    const { recovered, detail, fingerprint, ...snapshot } = await stage.capture({ recover: true, previous: sound });
    expect(detail).toContain('what could be read of a damaged database');
    expect(recovered).toMatchObject({ unreadablePages: pages, unmade: [] });
    expect((recovered?.rows ?? 0) + (recovered?.lostAndFound ?? 0)).toBeGreaterThan(1_500);
    expect(readFileSync(path)).toStrictEqual(bytes);
    expect((await stage.restore({ ...snapshot, fingerprint })).outcome).toBe('done');
    expect(rows('PRAGMA integrity_check')).toStrictEqual(['ok']);
    expect(rows(`SELECT count(*) FROM ${page === 1 ? 'lost_and_found' : 't'}`)[0]).toBeGreaterThan(1_500);
  });

  test('of a damaged database ends when it is to', async () => {
    writeFileSync(path, Buffer.alloc(4_096 * 1_000, 0x0d));
    const over = new AbortController();
    const capturing = stage.points.capture(stage.target, stage.captureContext({ recover: true, signal: over.signal }));
    over.abort();
    expect(await capturing).toMatchObject({ outcome: 'failed' });
  });

  test('says how many rows refer to rows that are not there', async () => {
    database(
      'PRAGMA foreign_keys = OFF',
      TABLE,
      'CREATE TABLE u (t REFERENCES t)',
      'INSERT INTO u VALUES (7), (8)',
    ).close();
    expect((await stage.capture()).detail).toContain('2 rows refer to rows that are not there');
  });

  test('of a locked database fails, and says who has it open', async () => {
    database(TABLE).close();
    const holder = await peer('PRAGMA locking_mode = EXCLUSIVE', 'BEGIN EXCLUSIVE');
    const outcome = await stage.points.capture(stage.target, stage.captureContext());
    await holder.kill();
    expect(outcome.detail).toContain(`was locked for 10 s by somebody else; it is open in ${holder.pid} (`);
  });

  test('of a link fails', async () => {
    database(TABLE).close();
    renameSync(path, `${path}.real`);
    symlinkSync('app.db.real', path);
    expect((await stage.points.capture(stage.target, stage.captureContext())).detail).toContain('is a link');
  });

  test('stores only the pieces that changed', async () => {
    const service = database(TABLE);
    const insert = service.prepare('INSERT INTO t (name) VALUES (hex(randomblob(2000)))');
    service.exec('BEGIN');
    for (let index = 0; index < 3_000; index += 1) insert.run();
    service.exec('COMMIT');
    const first = await stage.capture();
    service.exec("UPDATE t SET name = 'changed' WHERE id = 3000");
    const second = await stage.capture({ previous: first });
    expect(first.bytes).toBeGreaterThan(12_000_000);
    expect(second.storedBytes).toBeLessThan(first.storedBytes * 0.8);
  });
});

describe('a restore', () => {
  test('keeps mode, and leaves nothing old beside the new file', async () => {
    database(WAL, TABLE, "INSERT INTO t VALUES (1, 'old')").close();
    chmodSync(path, 0o640);
    const snapshot = await stage.capture();
    chmodSync(path, 0o600);
    const service = await peer("INSERT INTO t VALUES (2, 'new')");
    await service.kill();
    expect(existsSync(`${path}-wal`)).toBe(true);
    expect(await stage.restore(snapshot)).toMatchObject({ outcome: 'done' });
    expect(readdirSync(stage.live)).toStrictEqual(['app.db']);
    expect(statSync(path).mode & 0o777).toBe(0o640);
    expect(rows()).toStrictEqual(['old']);
  });

  test('is refused while somebody has it open, and changes nothing', async () => {
    database(WAL, TABLE, "INSERT INTO t VALUES (1, 'old')").close();
    const snapshot = await stage.capture();
    const service = await peer("INSERT INTO t VALUES (2, 'new')");
    const outcome = await stage.restore(snapshot);
    expect(outcome.outcome).toBe('failed');
    expect(outcome.detail).toContain(`is still open in ${service.pid} (`);
    expect(stage.remains()).toStrictEqual([]);
    await service.kill();
    expect(rows()).toStrictEqual(['old', 'new']);
    expect(await stage.restore(snapshot)).toMatchObject({ outcome: 'done' });
    expect(rows()).toStrictEqual(['old']);
  });

  test('over a hot journal does not play that back into the new file', async () => {
    database(TABLE, "INSERT INTO t VALUES (1, 'old')").close();
    const snapshot = await stage.capture();
    const service = await peer(
      'PRAGMA cache_spill = 1',
      'PRAGMA cache_size = 1',
      'BEGIN',
      'INSERT INTO t (name) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000) SELECT hex(randomblob(500)) FROM n',
    );
    await service.kill();
    expect(statSync(`${path}-journal`).size).toBeGreaterThan(0);
    expect(await stage.restore(snapshot)).toMatchObject({ outcome: 'done' });
    expect([rows(), rows('PRAGMA integrity_check')]).toStrictEqual([['old'], ['ok']]);
  });

  test('over a file that is no database any more', async () => {
    database(TABLE, "INSERT INTO t VALUES (1, 'old')").close();
    const snapshot = await stage.capture();
    writeFileSync(path, 'x'.repeat(10_000));
    writeFileSync(`${path}-wal`, 'y'.repeat(10_000));
    expect(await stage.restore(snapshot)).toMatchObject({ outcome: 'done' });
    expect(rows()).toStrictEqual(['old']);
  });

  test('of paths is refused', async () => {
    database(TABLE).close();
    expect(await stage.restore(await stage.capture(), ['t'])).toMatchObject({ outcome: 'failed' });
  });
});

test('a diff counts rows and shows what changed of them', async () => {
  const service = database(
    'CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, n)',
    'CREATE TABLE pair (a, b, v, PRIMARY KEY (a, b)) WITHOUT ROWID',
    'CREATE TABLE bare (x)',
    'CREATE TABLE gone (x)',
    "INSERT INTO t VALUES (1, 'one', 1), (2, 'two', NULL), (3, 'three', x'00ff')",
    "INSERT INTO pair VALUES (1, 'x', 1), (1, 'y', 2)",
    "INSERT INTO bare VALUES ('a'), ('b')",
  );
  const snapshot = await stage.capture();
  service.exec(
    "UPDATE t SET name = 'ONE', n = NULL WHERE id = 1; UPDATE t SET n = x'00fe' WHERE id = 3; DELETE FROM t WHERE id = 2",
  );
  service.exec("INSERT INTO pair VALUES (2, 'x', 3); UPDATE bare SET x = 'c' WHERE x = 'b'; DROP TABLE gone");
  service.exec('CREATE TABLE fresh (x); INSERT INTO fresh VALUES (1), (2); ALTER TABLE t ADD COLUMN extra');
  const { groups } = await stage.diff(snapshot);
  expect(groups.map(({ name, added, removed, changed }) => [name, added, removed, changed])).toStrictEqual([
    ['bare', 0, 0, 1],
    ['fresh', 2, 0, 0],
    ['gone', 0, 0, 0],
    ['pair', 1, 0, 0],
    ['t', 0, 1, 2],
  ]);
  expect(groups.find(({ name }) => name === 't')).toMatchObject({
    note: 'new columns: extra',
    items: [
      { kind: 'removed', what: 'id=2' },
      { kind: 'changed', what: 'id=1', detail: 'name: "one" → "ONE", n: 1 → NULL' },
      { kind: 'changed', what: 'id=3', detail: "n: x'00ff' → x'00fe'" },
    ],
  });
  expect(groups.find(({ name }) => name === 'pair')?.items).toStrictEqual([
    { kind: 'added', what: 'a=2, b="x"', detail: '' },
  ]);
});

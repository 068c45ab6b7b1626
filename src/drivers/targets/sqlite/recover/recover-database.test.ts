import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Recovered } from '../../../../core/model/point.ts';
import { recoverDatabase } from './recover-database.ts';

let folder: string;
let path: string;
let to: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'revertd-recover-'));
  [path, to] = [join(folder, 'damaged.db'), join(folder, 'recovered.db')];
});
afterEach(() => rmSync(folder, { recursive: true }));

function made(...statements: readonly string[]): void {
  const database = new DatabaseSync(path);
  for (const statement of statements) database.exec(statement);
  database.close();
}

function damage(pages: readonly number[], pageSize = 4096): void {
  const bytes = readFileSync(path);
  for (const page of pages) bytes.fill(0x5a, (page - 1) * pageSize, page * pageSize);
  writeFileSync(path, bytes);
}

function all(file: string, sql: string): unknown[] {
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    return database
      .prepare(sql)
      .all()
      .map((row) => ({ ...row }));
  } finally {
    database.close();
  }
}

function column(file: string, sql: string): unknown[] {
  return all(file, sql).map((row) => Object.values(row ?? {})[0]);
}

/** The pages with the rows of a table, in their order: sqlite.org/dbstat.html. */
function leavesOf(name: string): readonly number[] {
  return column(path, `SELECT pageno FROM dbstat WHERE name = '${name}' AND pagetype = 'leaf' ORDER BY path`).map(
    Number,
  );
}

const NOTHING: Pick<Recovered, 'lostAndFound' | 'unreadablePages' | 'unreadableRows' | 'unmade'> = {
  lostAndFound: 0,
  unreadablePages: 0,
  unreadableRows: 0,
  unmade: [],
};

const MANY = 'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)';
const ITEMS = [
  'CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT)',
  `${MANY} INSERT INTO items SELECT i, 'item ' || i FROM n`,
];

describe('of a database that is whole', () => {
  test('everything is there again', () => {
    made(
      'PRAGMA page_size = 1024',
      'PRAGMA user_version = 7',
      'PRAGMA application_id = 99',
      ...ITEMS,
      'CREATE INDEX by_name ON items (name)',
      'CREATE TABLE words (b INT, word TEXT, a INT, PRIMARY KEY (a, b)) WITHOUT ROWID',
      `${MANY} INSERT INTO words SELECT i, 'word ' || i, i % 7 FROM n`,
      'CREATE TABLE odd ("rowid" TEXT, "a ""quoted"" one", big BLOB, r REAL, twice INT AS (a * 2), kept INT AS (a + 1) STORED, a INT)',
      `INSERT INTO odd ("rowid", "a ""quoted"" one", big, r, a) VALUES ('x', NULL, zeroblob(70000), 3, 4), ('y', 9223372036854775807, x'', -0.5, -9223372036854775808)`,
      "ALTER TABLE odd ADD COLUMN late TEXT DEFAULT 'later'",
      'CREATE TABLE counted (id INTEGER PRIMARY KEY AUTOINCREMENT, v)',
      "INSERT INTO counted VALUES (50, 'gone')",
      'DELETE FROM counted',
      'CREATE VIEW few AS SELECT * FROM items WHERE id < 5',
      "CREATE TRIGGER watch AFTER DELETE ON items BEGIN INSERT INTO counted (v) VALUES ('; END;'); END",
      'CREATE VIRTUAL TABLE texts USING fts5(body)',
      "INSERT INTO texts VALUES ('hello world')",
      'ANALYZE',
    );
    const found = recoverDatabase(path, to);
    expect(found).toMatchObject(NOTHING);
    const schema =
      "SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_stat%' ORDER BY type, name";
    expect(all(to, schema)).toStrictEqual(all(path, schema));
    for (const table of ['items', 'words', 'odd', 'counted', 'few', 'texts', 'sqlite_sequence']) {
      expect(dump(to, table)).toStrictEqual(dump(path, table));
    }
    expect(column(to, "SELECT body FROM texts WHERE texts MATCH 'hello'")).toStrictEqual(['hello world']);
    for (const pragma of ['page_size', 'user_version', 'application_id', 'encoding', 'auto_vacuum']) {
      expect(column(to, `PRAGMA ${pragma}`)).toStrictEqual(column(path, `PRAGMA ${pragma}`));
    }
    expect(column(to, 'PRAGMA integrity_check')).toStrictEqual(['ok']);
  });

  test.each(['UTF-8', 'UTF-16le', 'UTF-16be'])('rows of any values come back as they were, in %s', (encoding) => {
    const cell = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ minLength: 600, maxLength: 3000 }),
      fc.uint8Array({ maxLength: 2000 }),
      fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
      fc.double({ noNaN: true }),
      fc.constant(null),
    );
    const rows = fc.array(fc.tuple(cell, cell, cell), { maxLength: 40 });
    fc.assert(
      fc.property(rows, fc.constantFrom(512, 4096, 65_536), (content, pageSize) => {
        for (const file of [path, to]) rmSync(file, { force: true });
        made(`PRAGMA page_size = ${pageSize}`, `PRAGMA encoding = '${encoding}'`, 'CREATE TABLE t (a, b TEXT, c)');
        const database = new DatabaseSync(path);
        const insert = database.prepare('INSERT INTO t VALUES (?, ?, ?)');
        for (const row of content) insert.run(...row);
        database.close();
        expect(recoverDatabase(path, to)).toStrictEqual({ ...NOTHING, tables: 1, rows: content.length });
        expect(dump(to, 't')).toStrictEqual(dump(path, 't'));
      }),
      { numRuns: 60 },
    );
  });

  test('rows that were deleted stay deleted', () => {
    made('PRAGMA secure_delete = OFF', ...ITEMS, 'DELETE FROM items WHERE id > 100');
    expect(recoverDatabase(path, to)).toMatchObject({ ...NOTHING, rows: 100 });
  });

  test('one in WAL mode is so again', () => {
    made('PRAGMA journal_mode = WAL', ...ITEMS);
    recoverDatabase(path, to);
    expect(column(to, 'PRAGMA journal_mode')).toStrictEqual(['wal']);
  });
});

/** Every cell with its type, as SQLite writes it. */
function dump(file: string, table: string): unknown[] {
  const names = column(file, `SELECT name FROM pragma_table_xinfo('${table}') WHERE hidden <> 1`).map(
    (name) => `quote("${String(name).replaceAll('"', '""')}")`,
  );
  return all(file, `SELECT ${names.join(` || ',' || `)} AS cells FROM "${table}" ORDER BY 1`);
}

describe('of a damaged database', () => {
  test('what is lost is what was on the pages that were overwritten', () => {
    made(...ITEMS, 'CREATE INDEX by_name ON items (name)');
    const before = new Set(column(path, 'SELECT id FROM items'));
    const [, second = 0, , fourth = 0] = leavesOf('items');
    damage([second, fourth]);
    const found = recoverDatabase(path, to);
    const left = column(to, 'SELECT id FROM items');
    expect(found).toStrictEqual({ ...NOTHING, tables: 1, rows: left.length, unreadablePages: 2 });
    expect(left.every((id) => before.has(id))).toBe(true);
    expect(left.length).toBeGreaterThan(1_000);
    expect(left.length).toBeLessThan(2_000);
    expect(column(to, "SELECT count(*) FROM items WHERE name = 'item ' || id")).toStrictEqual([left.length]);
    expect(column(to, 'PRAGMA integrity_check')).toStrictEqual(['ok']);
  });

  test('rows to which no way leads any more stand in lost_and_found', () => {
    made(...ITEMS);
    const [root = 0] = column(path, "SELECT rootpage FROM sqlite_schema WHERE name = 'items'").map(Number);
    damage([root]);
    const found = recoverDatabase(path, to);
    expect(found).toStrictEqual({ ...NOTHING, tables: 1, rows: 0, lostAndFound: 2_000, unreadablePages: 1 });
    expect(all(to, 'SELECT nfield, c0, c1 FROM lost_and_found WHERE id = 1999')).toStrictEqual([
      { nfield: 2, c0: null, c1: 'item 1999' },
    ]);
  });

  test('without its schema and header all rows stand in lost_and_found, those of the widest table too', () => {
    made('PRAGMA page_size = 8192', ...ITEMS, 'CREATE TABLE wide (a, b, c, d)', 'INSERT INTO wide VALUES (1, 2, 3, 4)');
    damage([1], 8192);
    expect(recoverDatabase(path, to)).toStrictEqual({
      ...NOTHING,
      tables: 0,
      rows: 0,
      lostAndFound: 2_001,
      unreadablePages: 1,
    });
    expect(column(to, 'SELECT c3 FROM lost_and_found WHERE nfield = 4')).toStrictEqual([4]);
  });

  test('a file that was cut off gives what is left', () => {
    made(...ITEMS);
    truncateSync(path, 4096 * 5);
    const { rows, lostAndFound, unreadablePages } = recoverDatabase(path, to);
    expect(rows + lostAndFound).toBeGreaterThan(300);
    expect(unreadablePages).toBeGreaterThan(0);
  });

  test('a table whose name is taken does not keep lost rows out', () => {
    made(...ITEMS, 'CREATE TABLE lost_and_found (mine)', "INSERT INTO lost_and_found VALUES ('own')");
    const [root = 0] = column(path, "SELECT rootpage FROM sqlite_schema WHERE name = 'items'").map(Number);
    damage([root]);
    expect(recoverDatabase(path, to)).toMatchObject({ rows: 1, lostAndFound: 2_000 });
    expect(column(to, 'SELECT mine FROM lost_and_found')).toStrictEqual(['own']);
    expect(column(to, 'SELECT count(*) FROM lost_and_found_0')).toStrictEqual([2_000]);
  });

  test('an index that cannot be made anew is named, and the rows stay', () => {
    made('CREATE TABLE t (a, b)', 'CREATE UNIQUE INDEX once ON t (a)', "INSERT INTO t VALUES ('AAAA', 1), ('BBBB', 2)");
    const bytes = readFileSync(path);
    const at = bytes.lastIndexOf('BBBB', 4096 * 2 - 1);
    bytes.write('AAAA', at);
    writeFileSync(path, bytes);
    expect(recoverDatabase(path, to)).toStrictEqual({ ...NOTHING, tables: 1, rows: 2, unmade: ['once'] });
  });

  test('a statement of the schema that is none of a table does nothing else', () => {
    made('CREATE TABLE t (a)', 'INSERT INTO t VALUES (1)');
    const database = new DatabaseSync(path, { allowExtension: false });
    database.enableDefensive(false);
    database.exec(`PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = 'ATTACH ''${folder}/other.db'' AS o'`);
    database.close();
    expect(recoverDatabase(path, to)).toStrictEqual({ ...NOTHING, tables: 1, rows: 0, lostAndFound: 1, unmade: ['t'] });
  });

  test('whatever is overwritten, it ends, invents no row in its table, and what it makes is whole', () => {
    made(
      'PRAGMA page_size = 1024',
      ...ITEMS,
      'CREATE TABLE big (id INTEGER PRIMARY KEY, body TEXT)',
      `${MANY} INSERT INTO big SELECT i, printf('%.*c', i * 3, 'x') FROM n WHERE i % 100 = 0`,
      'CREATE TABLE words (word TEXT PRIMARY KEY, n INT) WITHOUT ROWID',
      `${MANY} INSERT INTO words SELECT 'word ' || i, i FROM n`,
    );
    const sound = readFileSync(path);
    const write = fc.tuple(
      fc.integer({ min: 0, max: sound.length - 1 }),
      fc.uint8Array({ minLength: 1, maxLength: 600 }),
    );
    fc.assert(
      fc.property(fc.array(write, { minLength: 1, maxLength: 12 }), (writes) => {
        rmSync(to, { force: true });
        const bytes = Buffer.from(sound);
        for (const [at, piece] of writes) bytes.set(piece.subarray(0, bytes.length - at), at);
        writeFileSync(path, bytes);
        const { rows, lostAndFound } = recoverDatabase(path, to);
        expect(rows + lostAndFound).toBeLessThan(20_000);
        expect(column(to, 'PRAGMA integrity_check')).toStrictEqual(['ok']);
      }),
      { numRuns: 150 },
    );
  });
});

import { closeSync, openSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import type { Recovered } from '../../../../core/model/point.ts';
import { LostRows } from './lost-rows.ts';
import { openPages, type PageFile } from './page-file.ts';
import { writerFor } from './row-writer.ts';
import { type FoundRow, type Reading, rowsBelow, skipFreePages, strayRows, Visited } from './tree-pages.ts';

/** One line of `sqlite_schema`. */
type SchemaEntry = {
  readonly type: string;
  readonly name: string;
  readonly root: number;
  readonly sql: string | null;
};

const SCHEMA_ROOT = 1;
const SQLITE_OWN = /^sqlite_/i;

/**
 * Makes a new database of what can be read of a damaged one, page by page, as SQLite's `.recover` does: each row goes to
 * the table from whose root it is reached, what is reached from none into `lost_and_found`. Nobody else may change the
 * damaged file meanwhile. In bounded memory, but for the largest single row. Throws errors of system calls and of SQLite.
 */
export function recoverDatabase(damaged: string, to: string): Recovered {
  const fd = openSync(damaged, 'r');
  const database = new DatabaseSync(to, { enableForeignKeyConstraints: false });
  try {
    return rebuild(database, openPages(fd));
  } finally {
    database.close();
    closeSync(fd);
  }
}

function rebuild(database: DatabaseSync, file: PageFile): Recovered {
  prepareFile(database, file);
  const reading: Reading = { file, visited: new Visited(file.count), losses: { pages: 0, rows: 0 } };
  const schema = schemaOf(reading);
  skipFreePages(reading);
  database.exec('BEGIN');
  const lost = new LostRows(database);
  let rows = 0;
  const tables = schema
    .filter(({ type }) => type === 'table')
    .toSorted((a, b) => Number(isSequence(a)) - Number(isSequence(b)));
  for (const entry of tables) makeTable(database, entry);
  for (const entry of tables) rows += fillTable(database, reading, entry, lost);
  // What stands in an index stands in its table too; it is met only so that it is not taken for something lost.
  for (const { type, root } of schema) if (type === 'index' && root > 0) for (const _row of rowsBelow(reading, root));
  const withIndexes = tables.length === 0 || tables.some(({ sql }) => /WITHOUT\s+ROWID/i.test(sql ?? ''));
  for (const row of strayRows(reading, withIndexes)) lost.put(null, row);
  const unmade = makeRest(database, schema);
  database.exec('COMMIT');
  const unfit = finishFile(database, file);
  return {
    tables: tables.filter(({ root }) => root > 0).length,
    rows,
    lostAndFound: lost.count,
    unreadablePages: reading.losses.pages,
    unreadableRows: reading.losses.rows,
    unmade: [...unmade, ...unfit],
  };
}

function prepareFile(database: DatabaseSync, { pageSize, header }: PageFile): void {
  // The schema is written as it stands, also what refers to modules that are not here.
  database.enableDefensive(false);
  database.exec(`PRAGMA page_size = ${pageSize}; PRAGMA encoding = '${header.encoding}';
    PRAGMA auto_vacuum = ${header.autoVacuum}; PRAGMA user_version = ${header.userVersion};
    PRAGMA application_id = ${header.applicationId}; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;
    PRAGMA writable_schema = ON`);
}

/** Gives the names of what does not fit to what was recovered: indexes of words, of places, whose own tables lost rows. */
function finishFile(database: DatabaseSync, { header }: PageFile): readonly string[] {
  database.exec('PRAGMA writable_schema = RESET');
  const unfit = isSound(database) ? [] : dropVirtual(database);
  // The last one to close it removes its -wal.
  if (header.isWal) database.exec('PRAGMA journal_mode = WAL');
  return unfit;
}

function isSound(database: DatabaseSync): boolean {
  return Object.values(database.prepare('PRAGMA quick_check(1)').get() ?? {})[0] === 'ok';
}

/** The tables in which they keep their content stay. */
function dropVirtual(database: DatabaseSync): readonly string[] {
  database.exec('PRAGMA writable_schema = ON');
  const gone = database.prepare("DELETE FROM main.sqlite_schema WHERE type = 'table' AND rootpage = 0 RETURNING name");
  const names = gone.all().map(({ name }) => String(name));
  database.exec('PRAGMA writable_schema = RESET');
  return names;
}

function schemaOf(reading: Reading): readonly SchemaEntry[] {
  const entries: SchemaEntry[] = [];
  const roots = new Set<number>();
  for (const { values } of rowsBelow(reading, SCHEMA_ROOT)) {
    const [type, name, , root, sql] = values;
    if (values.length !== 5 || typeof type !== 'string' || typeof name !== 'string') {
      reading.losses.rows += 1;
      continue;
    }
    const number = typeof root === 'bigint' && root > 0n && root <= BigInt(reading.file.count) ? Number(root) : 0;
    // Of two that claim the same tree only one can be right.
    const isTaken = number > 0 && roots.has(number);
    roots.add(number);
    entries.push({ type, name, root: isTaken ? 0 : number, sql: typeof sql === 'string' ? sql : null });
  }
  return entries;
}

/** A table whose statement is damaged is not made; its rows go to `lost_and_found`. */
function makeTable(database: DatabaseSync, { name, root, sql }: SchemaEntry): void {
  if (sql === null || root === 0 || SQLITE_OWN.test(name)) return;
  attempt(database, sql);
}

/** Just the first statement of a text, if it is one that makes something. */
function attempt(database: DatabaseSync, sql: string): boolean {
  if (!/^\s*CREATE\s/i.test(sql)) return false;
  try {
    database.prepare(sql).run();
    return true;
  } catch {
    return false;
  }
}

function fillTable(database: DatabaseSync, reading: Reading, { name, root }: SchemaEntry, lost: LostRows): number {
  if (root === 0) return 0;
  let rows = 0;
  if (SQLITE_OWN.test(name)) {
    // Other figures of its own, such as those of ANALYZE, are no content; they are met, and left.
    for (const { values } of rowsBelow(reading, root)) if (isSequence({ name })) keepSequence(database, values);
    return rows;
  }
  const write = writerFor(database, name);
  for (const row of rowsBelow(reading, root)) {
    if (write?.(row) === true) rows += 1;
    else lost.put(root, row);
  }
  return rows;
}

function isSequence({ name }: Pick<SchemaEntry, 'name'>): boolean {
  return name.toLowerCase() === 'sqlite_sequence';
}

/** Where an AUTOINCREMENT stands; filling the table has moved it up to the largest row that is still there. */
function keepSequence(database: DatabaseSync, [table, sequence]: FoundRow['values']): void {
  if (typeof table !== 'string' || typeof sequence !== 'bigint' || !hasTable(database, 'sqlite_sequence')) return;
  const moved = database.prepare('UPDATE main.sqlite_sequence SET seq = max(seq, ?) WHERE name = ?');
  if (moved.run(sequence, table).changes > 0 || !hasTable(database, table)) return;
  database.prepare('INSERT INTO main.sqlite_sequence (name, seq) VALUES (?, ?)').run(table, sequence);
}

function hasTable(database: DatabaseSync, name: string): boolean {
  return database.prepare('SELECT 1 FROM main.sqlite_schema WHERE name = ?').get(name) !== undefined;
}

/** Indexes, views, triggers and virtual tables, once the rows are there. Gives the names of what could not be made. */
function makeRest(database: DatabaseSync, schema: readonly SchemaEntry[]): readonly string[] {
  const unmade: string[] = [];
  for (const { type, name, root, sql } of schema) {
    // What SQLite makes by itself has no statement.
    if (sql === null || SQLITE_OWN.test(name)) continue;
    if (type === 'table' && root > 0) {
      if (!hasTable(database, name)) unmade.push(name);
    } else if (type === 'table' && /^\s*CREATE\s+VIRTUAL\s/i.test(sql)) {
      // Its own tables are there already, which making it anew would trip over.
      database.prepare("INSERT INTO main.sqlite_schema VALUES ('table', ?, ?, 0, ?)").run(name, name, sql);
    } else if (!attempt(database, sql)) unmade.push(name);
  }
  return unmade;
}

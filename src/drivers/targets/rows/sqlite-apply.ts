import type { DatabaseSync } from 'node:sqlite';
import type { Cell } from '../../../core/merge/cell.ts';
import { quoted } from '../sqlite/row-condition.ts';
import { MOST_ORPHANS, type Orphan, type RowChange, type StagedRow, type TableShape } from './rows-session.ts';
import { keyExpression } from './sqlite-tables.ts';

/** The savepoint before anything was applied. */
export const SAVED = 'before_rows';

/** Where changes wait: a temporary table for each table, whose columns have no types, so that cells keep their own. */
function stageOf(table: string): string {
  return `temp.${quoted(`staged ${table}`)}`;
}

/** Inserts without some columns wait apart by which they are without. */
export function stageRows(database: DatabaseSync, { name, columns }: TableShape, changes: readonly RowChange[]): void {
  const cells = columns.map((_column, index) => `c${index}`);
  database.exec(
    `CREATE TABLE IF NOT EXISTS ${stageOf(name)} (kind, key PRIMARY KEY, given, ${cells.join(', ')}) WITHOUT ROWID`,
  );
  const marks = cells.map(() => '?').join(', ');
  const insert = database.prepare(`INSERT INTO ${stageOf(name)} VALUES (?, ?, ?, ${marks})`);
  for (const { kind, key, row } of changes) {
    const given = columns.map((_column, index) => (row[index] === undefined ? '0' : '1')).join('');
    insert.run(kind, key, given, ...columns.map((_column, index) => toInput(row[index])));
  }
}

function toInput(cell: Cell | undefined): null | number | bigint | string | Uint8Array {
  if (cell === undefined) return null;
  return typeof cell === 'boolean' ? Number(cell) : cell;
}

export function unstage(database: DatabaseSync, rows: readonly StagedRow[]): void {
  for (const { table, key } of rows) database.prepare(`DELETE FROM ${stageOf(table)} WHERE key = ?`).run(key);
}

/** Does what is staged; gives what refers to nothing for it. Triggers do not fire. */
export function applyStaged(database: DatabaseSync, tables: readonly TableShape[]): readonly Orphan[] {
  const watched = tablesAround(database, tables);
  const before = new Set(faultsOf(database, watched).map(identityOf));
  const triggers = tables.flatMap(({ name }) => triggersOf(database, name));
  for (const { name } of triggers) database.exec(`DROP TRIGGER main.${quoted(name)}`);
  for (const table of tables) removeRows(database, table);
  for (const table of tables) insertRows(database, table);
  for (const { sql } of triggers) database.exec(sql);
  const faults = faultsOf(database, watched).filter((fault) => !before.has(identityOf(fault)));
  return faults.slice(0, MOST_ORPHANS).map((fault) => orphanOf(database, fault));
}

/** A row that changes goes too, so that two rows can take over each other's unique values. */
function removeRows(database: DatabaseSync, { name, columns, key }: TableShape): void {
  const staged = key.map((column) => `c${columns.findIndex((one) => one.name === column)}`).join(', ');
  database.exec(
    `DELETE FROM main.${quoted(name)} WHERE (${key.map(quoted).join(', ')})
     IN (SELECT ${staged} FROM ${stageOf(name)} WHERE kind <> 'insert')`,
  );
}

function insertRows(database: DatabaseSync, { name, columns }: TableShape): void {
  const kinds = database.prepare(`SELECT DISTINCT given FROM ${stageOf(name)} WHERE kind <> 'delete'`).all();
  for (const { given } of kinds) {
    const marks = String(given);
    const used = columns.map((column, index) => ({ column, index })).filter(({ index }) => marks[index] === '1');
    const into = used.map(({ column }) => quoted(column.name)).join(', ');
    const from = used.map(({ index }) => `c${index}`).join(', ');
    database
      .prepare(
        `INSERT INTO main.${quoted(name)} (${into}) SELECT ${from} FROM ${stageOf(name)}
         WHERE kind <> 'delete' AND given = ?`,
      )
      .run(marks);
  }
}

function triggersOf(database: DatabaseSync, table: string): readonly { readonly name: string; readonly sql: string }[] {
  const rows = database
    .prepare("SELECT name, sql FROM main.sqlite_schema WHERE type = 'trigger' AND lower(tbl_name) = lower(?)")
    .all(table);
  return rows.map(({ name, sql }) => ({ name: String(name), sql: String(sql) }));
}

/** The tables, and those that refer to them. */
function tablesAround(database: DatabaseSync, tables: readonly TableShape[]): readonly string[] {
  const names = new Set(tables.map(({ name }) => name));
  const lower = new Set([...names].map((name) => name.toLowerCase()));
  const all = database
    .prepare(
      'SELECT l.name, f."table" AS parent FROM pragma_table_list l, pragma_foreign_key_list(l.name) f WHERE l.schema = \'main\'',
    )
    .all();
  for (const { name, parent } of all) if (lower.has(String(parent).toLowerCase())) names.add(String(name));
  return [...names];
}

type Fault = {
  readonly table: string;
  readonly rowid: number | bigint | null;
  readonly parent: string;
  readonly fkid: number;
};

function faultsOf(database: DatabaseSync, tables: readonly string[]): readonly Fault[] {
  return tables.flatMap((table) =>
    database
      .prepare(`PRAGMA main.foreign_key_check(${quoted(table)})`)
      .all()
      .map((row) => ({
        table: String(row['table']),
        rowid: typeof row['rowid'] === 'number' || typeof row['rowid'] === 'bigint' ? row['rowid'] : null,
        parent: String(row['parent']),
        fkid: Number(row['fkid']),
      })),
  );
}

function identityOf({ table, rowid, fkid }: Fault): string {
  return `${fkid} ${String(rowid)} ${table}`;
}

function orphanOf(database: DatabaseSync, { table, rowid, parent, fkid }: Fault): Orphan {
  const columns = database
    .prepare('SELECT "from", "to" FROM pragma_foreign_key_list(?) WHERE id = ? ORDER BY seq')
    .all(table, fkid)
    .map((row) => ({ from: String(row['from']), to: typeof row['to'] === 'string' ? row['to'] : undefined }));
  const parentKey = keyColumnsOf(database, parent);
  // Without columns a foreign key refers to the primary key.
  const isWhole = columns.every(({ to }) => to === undefined);
  const from = isWhole
    ? columns.map((one) => one.from)
    : parentKey.flatMap((name) =>
        columns.filter(({ to }) => to?.toLowerCase() === name.toLowerCase()).map((one) => one.from),
      );
  const refersToKey = from.length === parentKey.length && columns.length === parentKey.length;
  return {
    table,
    key: keyIn(database, { table, rowid }, keyColumnsOf(database, table)),
    parent,
    parentKey: refersToKey ? keyIn(database, { table, rowid }, from) : undefined,
  };
}

function keyColumnsOf(database: DatabaseSync, table: string): readonly string[] {
  const rows = database.prepare('SELECT name FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk').all(table);
  return rows.map(({ name }) => String(name));
}

/** The texts of some columns of a row; undefined for a row that has no rowid to be found by. */
function keyIn(
  database: DatabaseSync,
  { table, rowid }: Pick<Fault, 'table' | 'rowid'>,
  columns: readonly string[],
): string | undefined {
  if (rowid === null || columns.length === 0) return undefined;
  const list = columns.map((column, index) => `${keyExpression(quoted(column))} AS k${index}`).join(', ');
  const row = database.prepare(`SELECT ${list} FROM main.${quoted(table)} WHERE rowid = ?`).get(rowid);
  return row === undefined ? undefined : JSON.stringify(columns.map((_column, index) => String(row[`k${index}`])));
}

import type { DatabaseSync } from 'node:sqlite';
import type { RowSelection } from '../../../core/model/target.ts';
import { keyCondition, quoted } from './row-condition.ts';

type Column = { readonly name: string; readonly type: string; readonly key: number; readonly isGenerated: boolean };

/**
 * Makes the rows those of another file, in one transaction: triggers do not fire, and no row may refer to one that is not
 * there when it did not before. Gives how many rows were put in. Throws an error for people; then nothing was changed.
 */
export function replaceRows(database: DatabaseSync, from: string, { tables, keys }: RowSelection): number {
  // What a deletion would take along by its foreign keys is none of what is put back.
  database.exec('PRAGMA foreign_keys = OFF');
  const url = `file:${encodeURI(from).replaceAll('?', '%3f').replaceAll('#', '%23')}?mode=ro&immutable=1`;
  database.prepare('ATTACH ? AS "kept"').run(url);
  database.exec('BEGIN IMMEDIATE');
  try {
    const before = foreignKeyFaults(database).count;
    let rows = 0;
    for (const table of tables) rows += replaceIn(database, table, keys);
    const { count, first } = foreignKeyFaults(database);
    if (count > before) throw new Error(`${first}; nothing was changed. Put back that table too`);
    database.exec('COMMIT');
    return rows;
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}

function replaceIn(database: DatabaseSync, table: string, keys: readonly string[]): number {
  const [live, kept] = [columnsOf(database, 'main', table), columnsOf(database, 'kept', table)];
  refuseOtherColumns(table, kept, live);
  const key = live.filter((column) => column.key > 0).sort((a, b) => a.key - b.key);
  const names = key.map(({ name }) => name);
  const meant = (side: string) => (keys.length === 0 ? '1' : keyCondition(table, side, names, keys));
  const columns = live.filter(({ isGenerated }) => !isGenerated).map(({ name }) => quoted(name));
  // Without a key of its own a row is found again by its rowid.
  const written = (key.length === 0 ? ['rowid', ...columns] : columns).join(', ');
  const name = quoted(table);
  const triggers = triggersOf(database, table);
  for (const trigger of triggers) database.exec(`DROP TRIGGER main.${quoted(trigger.name)}`);
  database.exec(`DELETE FROM main.${name} AS live WHERE ${meant('live')}`);
  const { changes } = database
    .prepare(`INSERT INTO main.${name} (${written}) SELECT ${written} FROM kept.${name} AS old WHERE ${meant('old')}`)
    .run();
  for (const { sql } of triggers) database.exec(sql);
  return Number(changes);
}

function columnsOf(database: DatabaseSync, schema: string, table: string): readonly Column[] {
  const rows = database
    .prepare('SELECT name, type, pk, hidden FROM pragma_table_xinfo(?, ?) ORDER BY cid')
    .all(table, schema);
  return rows.map(({ name, type, pk, hidden }) => ({
    name: String(name),
    type: String(type),
    key: Number(pk),
    isGenerated: Number(hidden) !== 0,
  }));
}

function refuseOtherColumns(table: string, kept: readonly Column[], live: readonly Column[]): void {
  if (kept.length === 0) throw new Error(`the point has no table "${table}"; nothing was changed`);
  if (live.length === 0) {
    throw new Error(`the table "${table}" is not there any more; restore the whole database. Nothing was changed`);
  }
  const text = ({ name, type, key }: Column) => `${name} ${type}${key > 0 ? ' (key)' : ''}`.trim();
  const added = live.map(text).filter((column) => !kept.map(text).includes(column));
  const gone = kept.map(text).filter((column) => !live.map(text).includes(column));
  if (added.length + gone.length === 0) return;
  const parts = [
    ...(added.length === 0 ? [] : [`now has ${added.join(', ')}`]),
    ...(gone.length === 0 ? [] : [`then had ${gone.join(', ')}`]),
  ];
  const message = `the columns of ${table} have changed since the point: it ${parts.join(', and ')}. Its rows are not put back, and nothing was changed`;
  throw new Error(message);
}

function triggersOf(database: DatabaseSync, table: string): readonly { readonly name: string; readonly sql: string }[] {
  const rows = database
    .prepare("SELECT name, sql FROM main.sqlite_schema WHERE type = 'trigger' AND lower(tbl_name) = lower(?)")
    .all(table);
  return rows.map(({ name, sql }) => ({ name: String(name), sql: String(sql) }));
}

function foreignKeyFaults(database: DatabaseSync): { readonly count: number; readonly first: string } {
  let count = 0;
  let first = '';
  for (const { table, parent } of database.prepare('PRAGMA main.foreign_key_check').iterate()) {
    count += 1;
    first = `a row of ${String(table)} would refer to a row of ${String(parent)} that is not there`;
  }
  return { count, first };
}

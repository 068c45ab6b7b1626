import { DatabaseSync } from 'node:sqlite';
import type { RowSelection } from '../../../core/model/target.ts';
import type { DiffCounts, DiffItem } from '../captured-target.ts';
import { hasOtherKey, noteOfShape } from '../changed-shape.ts';
import { keyCondition } from './row-condition.ts';

/** What is different in a table of two database files. */
export type TableDiff = DiffCounts & {
  readonly name: string;
  readonly items: readonly DiffItem[];
  readonly note?: string;
};

/** Rows of each kind that are shown of a table. */
const ROWS_SHOWN = 20;
const LONGEST_VALUE = 60;

type Table = { readonly columns: readonly string[]; readonly key: readonly string[] };

/**
 * Rows by primary key, or by rowid where there is none, column by column. Both files must be nobody else's. Tables
 * without a difference are left out; the tables behind virtual ones go with those.
 */
export function compareDatabases(before: string, after: string, rows?: RowSelection): TableDiff[] {
  const database = new DatabaseSync(':memory:');
  try {
    for (const [name, path] of [
      ['before', before],
      ['after', after],
    ] as const) {
      database
        .prepare(`ATTACH ? AS "${name}"`)
        .run(`file:${encodeURI(path).replaceAll('?', '%3f').replaceAll('#', '%23')}?mode=ro&immutable=1`);
    }
    const [older, newer] = [tablesOf(database, 'before'), tablesOf(database, 'after')];
    const names = [...new Set([...older.keys(), ...newer.keys()])].sort();
    return names
      .filter((name) => rows === undefined || rows.tables.includes(name))
      .flatMap((name) => compareTable(database, name, older.get(name), newer.get(name), rows?.keys) ?? []);
  } finally {
    database.close();
  }
}

function tablesOf(database: DatabaseSync, schema: string): Map<string, Table> {
  const rows = database.prepare(`SELECT name FROM pragma_table_list WHERE schema = ? AND type = 'table'`).all(schema);
  const names = rows.map(({ name }) => String(name)).filter((name) => !name.startsWith('sqlite_'));
  return new Map(names.map((name) => [name, tableOf(database, schema, name)]));
}

function tableOf(database: DatabaseSync, schema: string, name: string): Table {
  const rows = database.prepare(`SELECT name, pk FROM pragma_table_info(?, ?) ORDER BY cid`).all(name, schema);
  const key = rows.filter(({ pk }) => Number(pk) > 0).sort((a, b) => Number(a['pk']) - Number(b['pk']));
  return {
    columns: rows.map((row) => String(row['name'])),
    key: key.length > 0 ? key.map((row) => String(row['name'])) : ['rowid'],
  };
}

function compareTable(
  database: DatabaseSync,
  name: string,
  older: Table | undefined,
  newer: Table | undefined,
  keys: readonly string[] = [],
): TableDiff | undefined {
  if (older === undefined || newer === undefined) {
    const rows = countOf(
      database,
      `SELECT count(*) AS n FROM ${older === undefined ? 'after' : 'before'}.${quoted(name)}`,
    );
    return older === undefined
      ? { name, added: rows, removed: 0, changed: 0, items: [], note: 'the table is new' }
      : { name, added: 0, removed: rows, changed: 0, items: [], note: 'the table is gone' };
  }
  const note = noteOfShape(older, newer);
  if (note !== undefined && hasOtherKey(older, newer)) {
    return { name, added: 0, removed: 0, changed: 0, items: [], note };
  }
  const found = compareRows(
    database,
    name,
    newer.key,
    newer.columns.filter((column) => older.columns.includes(column)),
    keys,
  );
  if (found.added + found.removed + found.changed === 0 && note === undefined) return undefined;
  return { name, ...found, ...(note === undefined ? {} : { note }) };
}

function compareRows(
  database: DatabaseSync,
  table: string,
  key: readonly string[],
  columns: readonly string[],
  wanted: readonly string[],
) {
  const meant = (side: string) => (wanted.length === 0 ? '' : ` AND ${keyCondition(table, side, key, wanted)}`);
  const name = quoted(table);
  const match = key.map((column) => `a.${quoted(column)} IS b.${quoted(column)}`).join(' AND ');
  const others = columns.filter((column) => !key.includes(column));
  const differ = others.map((column) => `a.${quoted(column)} IS NOT b.${quoted(column)} COLLATE BINARY`).join(' OR ');
  const added = `FROM after.${name} b WHERE NOT EXISTS (SELECT 1 FROM before.${name} a WHERE ${match})${meant('b')}`;
  const removed = `FROM before.${name} a WHERE NOT EXISTS (SELECT 1 FROM after.${name} b WHERE ${match})${meant('a')}`;
  const changed = `FROM before.${name} a JOIN after.${name} b ON ${match} WHERE (${differ === '' ? '0' : differ})${meant('b')}`;
  const keys = (side: string) => key.map((column, index) => `${side}.${quoted(column)} AS k${index}`).join(', ');
  const rows = (text: string) => readRows(database, text);
  const pairs = others.map((column, index) => `a.${quoted(column)} AS a${index}, b.${quoted(column)} AS b${index}`);
  const changes = rows(`SELECT ${[keys('a'), ...pairs].join(', ')} ${changed} LIMIT ${ROWS_SHOWN}`);
  const items: DiffItem[] = [
    ...rows(`SELECT ${keys('b')} ${added} LIMIT ${ROWS_SHOWN}`).map((row) => itemOf('added', key, row, '')),
    ...rows(`SELECT ${keys('a')} ${removed} LIMIT ${ROWS_SHOWN}`).map((row) => itemOf('removed', key, row, '')),
    ...changes.map((row) => itemOf('changed', key, row, changedCells(others, row))),
  ];
  return {
    added: countOf(database, `SELECT count(*) AS n ${added}`),
    removed: countOf(database, `SELECT count(*) AS n ${removed}`),
    changed: countOf(database, `SELECT count(*) AS n ${changed}`),
    items,
  };
}

type Row = Readonly<Record<string, unknown>>;

function readRows(database: DatabaseSync, text: string): Row[] {
  const statement = database.prepare(text);
  statement.setReadBigInts(true);
  return statement.all();
}

function countOf(database: DatabaseSync, text: string): number {
  return Number(database.prepare(text).get()?.['n'] ?? 0);
}

function itemOf(kind: DiffItem['kind'], key: readonly string[], row: Row, detail: string): DiffItem {
  return { kind, what: key.map((column, index) => `${column}=${shown(row[`k${index}`])}`).join(', '), detail };
}

function changedCells(columns: readonly string[], row: Row): string {
  const cells = columns.map((column, index) => [column, shown(row[`a${index}`]), shown(row[`b${index}`])] as const);
  const different = cells.filter(([, before, after]) => before !== after);
  return different.map(([column, before, after]) => `${column}: ${before} → ${after}`).join(', ');
}

/** As in SQL, and not too long. */
function shown(value: unknown): string {
  if (value === null || value === undefined) return 'NULL';
  if (value instanceof Uint8Array) {
    const hex = Buffer.from(value.subarray(0, LONGEST_VALUE / 2)).toString('hex');
    return `x'${hex}${value.length > LONGEST_VALUE / 2 ? '…' : ''}'`;
  }
  const text = typeof value === 'bigint' ? value.toString() : JSON.stringify(value);
  return text.length > LONGEST_VALUE ? `${text.slice(0, LONGEST_VALUE)}…` : text;
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

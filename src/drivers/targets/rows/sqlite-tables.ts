import { isUtf8 } from 'node:buffer';
import type { DatabaseSync } from 'node:sqlite';
import { quoted } from '../sqlite/row-condition.ts';
import { LONGEST_CELL, type TableShape } from './rows-session.ts';

/** Something that people have to see to; nothing is wrong with the database. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly refused: 'missing' | 'format';

  constructor(refused: 'missing' | 'format', message: string) {
    super(message);
    this.refused = refused;
  }
}

/** @throws {Refusal} */
export function shapesOf(database: DatabaseSync, tables: readonly string[]): readonly TableShape[] {
  return tables.map((table) => shapeOf(database, table));
}

/** @throws {Refusal} */
export function shapeOf(database: DatabaseSync, table: string): TableShape {
  const found = database
    .prepare("SELECT name, type FROM pragma_table_list WHERE schema = 'main' AND lower(name) = lower(?)")
    .get(table);
  if (found === undefined) throw new Refusal('missing', `the table ${table} does not exist in the database`);
  const [name, type] = [String(found['name']), String(found['type'])];
  if (type !== 'table') throw new Refusal('format', `${name} is a ${type}; rows are of tables alone`);
  const rows = database.prepare('SELECT name, type, pk, hidden FROM pragma_table_xinfo(?) ORDER BY cid').all(name);
  const key = rows.filter(({ pk }) => Number(pk) > 0).sort((a, b) => Number(a['pk']) - Number(b['pk']));
  if (key.length === 0) {
    const message = `${name} has no primary key, so its rows cannot be told apart; use a target of type sqlite`;
    throw new Refusal('format', message);
  }
  // What is generated is computed again.
  const columns = rows.filter(({ hidden }) => Number(hidden) === 0);
  return {
    name,
    columns: columns.map((column) => ({
      name: String(column['name']),
      type: String(column['type']).toUpperCase(),
      isJson: /^JSON$/i.test(String(column['type'])),
    })),
    key: key.map((column) => String(column['name'])),
  };
}

/** In the order of the texts of their keys. @throws {Refusal} */
export function selectRows(database: DatabaseSync, shape: TableShape): Iterator<unknown> {
  const { name, columns, key } = shape;
  const table = `main.${quoted(name)}`;
  const tooLong = columns.map((column) => `octet_length(${quoted(column.name)}) > ${LONGEST_CELL}`).join(' OR ');
  if (database.prepare(`SELECT 1 FROM ${table} WHERE ${tooLong} LIMIT 1`).get() !== undefined) {
    const most = `${LONGEST_CELL / 1024 ** 2} MiB`;
    throw new Refusal('format', `${name} has a cell of more than ${most}; use a target of type sqlite`);
  }
  const order = key.map((column) => keyExpression(quoted(column))).join(', ');
  const list = columns.map((column) => quoted(column.name)).join(', ');
  const statement = database.prepare(`SELECT ${list} FROM ${table} ORDER BY ${order}`);
  statement.setReadBigInts(true);
  statement.setReturnArrays(true);
  return withoutBrokenText(database, shape, statement.iterate());
}

/** What a decoder writes for bytes that are no text; others may mean it. */
const REPLACEMENT = '\ufffd';

/** Text that is no UTF-8 would come back as other text: whoever reads to the end hears of it. */
function* withoutBrokenText(database: DatabaseSync, shape: TableShape, rows: Iterable<unknown>): Generator {
  let isSuspect = false;
  for (const row of rows) {
    isSuspect ||= Array.isArray(row) && row.some((cell) => typeof cell === 'string' && cell.includes(REPLACEMENT));
    yield row;
  }
  if (isSuspect) refuseBrokenText(database, shape);
}

function refuseBrokenText(database: DatabaseSync, { name, columns }: TableShape): void {
  if (database.prepare('PRAGMA encoding').get()?.['encoding'] !== 'UTF-8') {
    throw new Refusal('format', `${name} has text that may be broken (U+FFFD); use a target of type sqlite`);
  }
  for (const { name: column } of columns) {
    const cells = database
      .prepare(
        `SELECT CAST(${quoted(column)} AS BLOB) AS bytes FROM main.${quoted(name)} WHERE typeof(${quoted(column)}) = 'text'`,
      )
      .iterate();
    for (const { bytes } of cells) {
      if (!(bytes instanceof Uint8Array) || isUtf8(bytes)) continue;
      throw new Refusal('format', `${name}.${column} has text that is not UTF-8; use a target of type sqlite`);
    }
  }
}

/** The text of a key's column, as `textOf` makes it of a cell; ordered by its bytes. */
export function keyExpression(column: string): string {
  return `CASE typeof(${column}) WHEN 'blob' THEN 'x' || hex(${column}) ELSE CAST(${column} AS TEXT) END COLLATE BINARY`;
}

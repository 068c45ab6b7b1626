import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import { quoted } from '../row-condition.ts';
import type { FoundRow } from './tree-pages.ts';

type Field = {
  readonly name: string;
  /** It is computed, so nothing is written to it. */
  readonly isGenerated: boolean;
  /** The table's only INTEGER PRIMARY KEY: its value is the rowid, and the record has NULL for it. */
  readonly isRowid: boolean;
};

/** Puts a row into its table; false where the table does not take it. */
export type RowWriter = (row: FoundRow) => boolean;

/** Undefined if there is no such table. */
export function writerFor(database: DatabaseSync, table: string): RowWriter | undefined {
  const fields = fieldsOf(database, table);
  if (fields.length === 0) return undefined;
  const rowidName = fields.some(({ isRowid }) => isRowid) ? undefined : unusedRowidName(fields);
  const inserts = new Map<string, StatementSync>();
  return ({ rowid, values }) => {
    if (values.length > fields.length) return false;
    const isKept = rowid !== null && rowidName !== undefined;
    const present = fields.slice(0, values.length);
    const key = `${isKept}/${values.length}`;
    const insert = inserts.get(key) ?? insertInto(database, table, isKept ? rowidName : undefined, present);
    inserts.set(key, insert);
    const cells = present.flatMap(({ isGenerated, isRowid }, index): SQLInputValue[] => {
      if (isGenerated) return [];
      const value = values[index] ?? null;
      return [isRowid && value === null ? rowid : value];
    });
    try {
      return Number(insert.run(...(isKept ? [rowid] : []), ...cells).changes) > 0;
    } catch {
      // A STRICT table refuses some values with an error, whatever the conflict clause says.
      return false;
    }
  };
}

/** In the order in which a record has them: of a table without rowids its key goes first. */
function fieldsOf(database: DatabaseSync, table: string): readonly Field[] {
  const all = database
    .prepare('SELECT cid, name, type, pk, hidden FROM pragma_table_xinfo(?) ORDER BY cid')
    .all(table)
    .map(({ cid, name, type, pk, hidden }) => ({
      cid: Number(cid),
      name: String(name),
      isInteger: String(type).toUpperCase() === 'INTEGER',
      key: Number(pk),
      isVirtual: Number(hidden) === 2,
      isGenerated: Number(hidden) === 3,
    }))
    .filter(({ isVirtual }) => !isVirtual);
  const keys = all.filter(({ key }) => key > 0);
  const hasRowids = isRowidTable(database, table);
  const isAlias = hasRowids && keys.length === 1 && keys[0]?.isInteger === true;
  const ordered = hasRowids ? all : [...keys.toSorted((a, b) => a.key - b.key), ...all.filter(({ key }) => key === 0)];
  return ordered.map(({ name, isGenerated, key }) => ({ name, isGenerated, isRowid: isAlias && key > 0 }));
}

function isRowidTable(database: DatabaseSync, table: string): boolean {
  const found = database.prepare("SELECT wr FROM pragma_table_list WHERE schema = 'main' AND name = ?").get(table);
  return Number(found?.['wr'] ?? 0) === 0;
}

function unusedRowidName(fields: readonly Field[]): string | undefined {
  const names = new Set(fields.map(({ name }) => name.toLowerCase()));
  return ['rowid', '_rowid_', 'oid'].find((name) => !names.has(name));
}

function insertInto(
  database: DatabaseSync,
  table: string,
  rowidName: string | undefined,
  present: readonly Field[],
): StatementSync {
  const names = present.flatMap(({ name, isGenerated }) => (isGenerated ? [] : [quoted(name)]));
  const columns = rowidName === undefined ? names : [rowidName, ...names];
  const places = columns.map(() => '?').join(', ');
  return database.prepare(`INSERT OR IGNORE INTO main.${quoted(table)} (${columns.join(', ')}) VALUES (${places})`);
}

import { type Connection, literal, quoted } from '../postgres/connection.ts';
import { keyOf, quotedTable, shownTable, type TableName, tableNamed } from '../postgres/contents.ts';
import { MOST_ORPHANS, type Orphan, type RowChange, type StagedRow, type TableShape } from './rows-session.ts';

/** The savepoint before anything was applied. */
export const SAVED = 'before_rows';

/** Where changes wait: a temporary table for each table, with all cells as texts. */
function stageOf(table: string): string {
  return `pg_temp.${quoted(`staged ${table}`.slice(0, 63))}`;
}

export async function stageRows(
  { rows }: Connection,
  table: TableShape,
  changes: readonly RowChange[],
  isFirst: boolean,
): Promise<void> {
  const stage = stageOf(table.name);
  if (isFirst) {
    const columns = 'kind text, key text PRIMARY KEY, given text, cells text[]';
    await rows(`CREATE TEMPORARY TABLE ${stage.replace('pg_temp.', '')} (${columns}) ON COMMIT DROP`);
  }
  const lines = changes.map(({ kind, key, row }) => [
    kind,
    key,
    table.columns.map((_column, index) => (row[index] === undefined ? '0' : '1')).join(''),
    table.columns.map((_column, index) => row[index] ?? null),
  ]);
  await rows(
    `INSERT INTO ${stage} SELECT e->>0, e->>1, e->>2, ARRAY(SELECT json_array_elements_text(e->3))
     FROM json_array_elements($1::json) e`,
    [JSON.stringify(lines)],
  );
}

export async function unstage({ rows }: Connection, without: readonly StagedRow[]): Promise<void> {
  for (const { table, key } of without) await rows(`DELETE FROM ${stageOf(table)} WHERE key = $1`, [key]);
}

type ForeignKey = {
  readonly child: TableName;
  readonly name: string;
  readonly definition: string;
  readonly columns: readonly string[];
  readonly parent: TableName;
  readonly parentColumns: readonly string[];
  readonly isValidated: boolean;
};

/**
 * Does what is staged. The foreign keys of the tables are taken away for it and made anew, which holds every row of them
 * against it; triggers do not fire. Where a row would refer to nothing they are not made anew, so that nothing can be committed
 * before it is applied once more. Rejects with TargetError.
 */
export async function applyStaged(connection: Connection, tables: readonly TableShape[]): Promise<readonly Orphan[]> {
  const names = tables.map((table) => tableNamed(table.name));
  const foreignKeys = await foreignKeysOf(connection, names);
  const triggers = await triggersOf(connection, names);
  const { rows } = connection;
  for (const { child, name } of foreignKeys) {
    await rows(`ALTER TABLE ${quotedTable(child)} DROP CONSTRAINT ${quoted(name)}`);
  }
  for (const { table, name } of triggers) await rows(`ALTER TABLE ${table} DISABLE TRIGGER ${quoted(name)}`);
  for (const table of tables) await removeRows(connection, table);
  for (const table of tables) await insertRows(connection, table);
  const orphans: Orphan[] = [];
  for (const key of foreignKeys) orphans.push(...(await orphansOf(connection, key)));
  if (orphans.length > 0) return orphans.slice(0, MOST_ORPHANS);
  // What is deferred is checked now: a table with checks that are still due cannot be altered.
  await rows('SET CONSTRAINTS ALL IMMEDIATE');
  for (const { table, name, enable } of triggers) await rows(`ALTER TABLE ${table} ${enable} ${quoted(name)}`);
  for (const { child, name, definition } of foreignKeys) {
    await rows(`ALTER TABLE ${quotedTable(child)} ADD CONSTRAINT ${quoted(name)} ${definition}`);
  }
  return [];
}

/** A row that changes goes too, so that two rows can take over each other's unique values. */
async function removeRows({ rows }: Connection, { name, columns, key }: TableShape): Promise<void> {
  const matches = key.map((column) => {
    const index = columns.findIndex((one) => one.name === column);
    return `t.${quoted(column)} = s.cells[${index + 1}]::${unbounded(columns[index]?.type ?? 'text')}`;
  });
  await rows(
    `DELETE FROM ONLY ${quotedTable(tableNamed(name))} t USING ${stageOf(name)} s
     WHERE s.kind <> 'insert' AND ${matches.join(' AND ')}`,
  );
}

async function insertRows({ rows }: Connection, { name, columns }: TableShape): Promise<void> {
  const kinds = await rows(`SELECT DISTINCT given FROM ${stageOf(name)} WHERE kind <> 'delete'`);
  for (const [given] of kinds) {
    const used = columns
      .map(({ name: column, type }, index) => ({ column, type, index }))
      .filter(({ index }) => given?.[index] === '1');
    const into = used.map(({ column }) => quoted(column)).join(', ');
    const from = used.map(({ index, type }) => `cells[${index + 1}]::${unbounded(type)}`).join(', ');
    await rows(
      `INSERT INTO ${quotedTable(tableNamed(name))} (${into}) OVERRIDING SYSTEM VALUE
       SELECT ${from} FROM ${stageOf(name)} WHERE kind <> 'delete' AND given = ${literal(given ?? '')}`,
    );
  }
}

/** The constraints that a partition has from its parent are those of the parent. */
const FOREIGN_KEYS = `
  SELECT n.nspname, r.relname, c.conname, pg_get_constraintdef(c.oid), pn.nspname, p.relname, c.convalidated,
    (SELECT json_agg(a.attname ORDER BY k.place) FROM unnest(c.conkey) WITH ORDINALITY k (num, place)
      JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.num),
    (SELECT json_agg(a.attname ORDER BY k.place) FROM unnest(c.confkey) WITH ORDINALITY k (num, place)
      JOIN pg_attribute a ON a.attrelid = c.confrelid AND a.attnum = k.num)
  FROM pg_constraint c
  JOIN pg_class r ON r.oid = c.conrelid JOIN pg_namespace n ON n.oid = r.relnamespace
  JOIN pg_class p ON p.oid = c.confrelid JOIN pg_namespace pn ON pn.oid = p.relnamespace
  WHERE c.contype = 'f' AND c.conparentid = 0
    AND (c.conrelid = ANY ($1::regclass[]) OR c.confrelid = ANY ($1::regclass[])) ORDER BY 1, 2, 3`;

async function foreignKeysOf({ rows }: Connection, tables: readonly TableName[]): Promise<readonly ForeignKey[]> {
  return (await rows(FOREIGN_KEYS, [listOf(tables)])).map((row) => ({
    child: { schema: row[0] ?? '', name: row[1] ?? '' },
    name: row[2] ?? '',
    definition: row[3] ?? '',
    parent: { schema: row[4] ?? '', name: row[5] ?? '' },
    isValidated: row[6] === 't',
    columns: namesIn(row[7]),
    parentColumns: namesIn(row[8]),
  }));
}

function listOf(tables: readonly TableName[]): string {
  return `{${tables.map((table) => JSON.stringify(quotedTable(table))).join(',')}}`;
}

function namesIn(json: string | null | undefined): readonly string[] {
  const names: unknown = JSON.parse(json ?? '[]');
  return Array.isArray(names) ? names.map(String) : [];
}

const TRIGGERS = `
  SELECT n.nspname, r.relname, g.tgname, g.tgenabled FROM pg_trigger g JOIN pg_class r ON r.oid = g.tgrelid
  JOIN pg_namespace n ON n.oid = r.relnamespace
  WHERE g.tgrelid = ANY ($1::regclass[]) AND NOT g.tgisinternal AND g.tgenabled IN ('O', 'A') ORDER BY 1, 2, 3`;

async function triggersOf({ rows }: Connection, tables: readonly TableName[]) {
  return (await rows(TRIGGERS, [listOf(tables)])).map((row) => ({
    table: quotedTable({ schema: row[0] ?? '', name: row[1] ?? '' }),
    name: row[2] ?? '',
    enable: row[3] === 'A' ? 'ENABLE ALWAYS TRIGGER' : 'ENABLE TRIGGER',
  }));
}

/** Rows whose columns are all given, and refer to nothing. What was never checked is not checked now either. */
async function orphansOf(connection: Connection, key: ForeignKey): Promise<readonly Orphan[]> {
  if (!key.isValidated) return [];
  const { child, parent, columns, parentColumns } = key;
  const [childKey, parentKey] = [await keyOf(connection, child), await keyOf(connection, parent)];
  const given = columns.map((column) => `c.${quoted(column)} IS NOT NULL`);
  const match = columns.map((column, index) => `p.${quoted(parentColumns[index] ?? '')} = c.${quoted(column)}`);
  const from = parentKey.map((column) => columns[parentColumns.indexOf(column)]).filter((one) => one !== undefined);
  const refersToKey = from.length === parentKey.length && columns.length === parentKey.length && from.length > 0;
  const found = await connection.rows(
    `SELECT ${textsOf(childKey)}, ${textsOf(refersToKey ? from : [])} FROM ${quotedTable(child)} c
     WHERE ${given.join(' AND ')} AND NOT EXISTS (SELECT FROM ${quotedTable(parent)} p WHERE ${match.join(' AND ')})
     LIMIT ${MOST_ORPHANS}`,
  );
  return found.map(([own, its]) => ({
    table: shownTable(child),
    key: keyOfTexts(own),
    parent: shownTable(parent),
    parentKey: keyOfTexts(its),
  }));
}

function textsOf(columns: readonly string[]): string {
  return columns.length === 0
    ? 'NULL'
    : `json_build_array(${columns.map((one) => `c.${quoted(one)}::text`).join(', ')})`;
}

/** As `keyText` writes it, whatever white space the server puts between. */
function keyOfTexts(json: string | null | undefined): string | undefined {
  return json === null || json === undefined ? undefined : JSON.stringify(namesIn(json));
}

/**
 * The type without its bounds: a cast to a bounded one cuts texts and rounds numbers in silence, where putting them into a
 * column is refused. `character` alone would be one of length 1.
 */
function unbounded(type: string): string {
  if (type.includes('"')) return type;
  const bare = type.replace(/\([^)]*\)/, '');
  return bare.replace(/^character(?! varying)/, 'bpchar').replace(/^bit(?! varying)/, 'bit varying');
}

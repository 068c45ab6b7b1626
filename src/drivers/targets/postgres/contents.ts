import { createHash } from 'node:crypto';
import type { PostgresTarget } from '../../../core/model/target.ts';
import { TargetError } from '../target-driver.ts';
import { type Connection, quoted } from './connection.ts';
import { isWhole } from './target.ts';

/** A table, and what was in it in one state of the database. */
export type TableContent = TableName & {
  readonly rows: number;
  /** Two sums over hashes of every row, which do not depend on their order. */
  readonly digest: string;
  /** The columns of its primary key; empty if it has none. */
  readonly key: readonly string[];
};

export type TableName = { readonly schema: string; readonly name: string };

/** Tables with rows of their own that pg_dump writes: partitions count, what they are partitions of does not. */
const TABLES = `
  SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
  ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C"`;

/** Everything until the connection ends is read from one state, which others can read from too: its name. */
export async function beginState({ rows }: Connection): Promise<string> {
  await rows('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  const [[state] = []] = await rows('SELECT pg_export_snapshot()');
  return state ?? '';
}

export async function tablesOf({ rows }: Connection): Promise<readonly TableName[]> {
  return (await rows(TABLES)).map(([schema, name]) => ({ schema: schema ?? '', name: name ?? '' }));
}

/** Those that the target is about. Rejects with TargetError `missing` if one that it names is not there. */
export function chosenTables(type: PostgresTarget, all: readonly TableName[]): readonly TableName[] {
  if (isWhole(type)) return all;
  const wanted = type.tables.map(tableNamed);
  for (const schema of type.schemas) {
    if (all.every((table) => table.schema !== schema)) {
      throw new TargetError('missing', `the schema "${schema}" does not exist in the database, or has no tables`);
    }
  }
  for (const table of wanted) {
    if (all.every((one) => !isSameTable(one, table)))
      throw new TargetError('missing', `the table ${shownTable(table)} does not exist in the database`);
  }
  return all.filter((table) => type.schemas.includes(table.schema) || wanted.some((one) => isSameTable(one, table)));
}

/** `schema.table`, or `table` of the schema public. */
export function tableNamed(text: string): TableName {
  const dot = text.indexOf('.');
  return dot < 0 ? { schema: 'public', name: text } : { schema: text.slice(0, dot), name: text.slice(dot + 1) };
}

export function isSameTable(one: TableName, other: TableName): boolean {
  return one.schema === other.schema && one.name === other.name;
}

/** As people write it in a policy. */
export function shownTable({ schema, name }: TableName): string {
  return schema === 'public' ? name : `${schema}.${name}`;
}

export function quotedTable({ schema, name }: TableName): string {
  return `${quoted(schema)}.${quoted(name)}`;
}

/** Reads every row, in the server: only sums come over. */
export async function contentOf(connection: Connection, table: TableName): Promise<TableContent> {
  const sum = (seed: number) => `coalesce(sum(hashtextextended(t::text, ${seed})::numeric), 0)`;
  const query = `SELECT count(*), ${sum(0)} || '/' || ${sum(1)} FROM ONLY ${quotedTable(table)} t`;
  const [[count, digest] = []] = await connection.rows(query);
  return { ...table, rows: Number(count), digest: digest ?? '', key: await keyOf(connection, table) };
}

export async function contentsOf(
  connection: Connection,
  tables: readonly TableName[],
  onTable: (done: number) => void = () => undefined,
): Promise<readonly TableContent[]> {
  const contents: TableContent[] = [];
  for (const table of tables) {
    contents.push(await contentOf(connection, table));
    onTable(contents.length);
  }
  return contents;
}

/** Where the sequences stand. Unlike rows they are not part of a state: others move them on meanwhile. */
export async function sequencesOf({ rows }: Connection): Promise<string> {
  const found = await rows(
    'SELECT schemaname, sequencename, last_value FROM pg_sequences ORDER BY schemaname COLLATE "C", sequencename COLLATE "C"',
  );
  return sumOf(found);
}

/** The columns of tables, their types and their order. */
export async function columnsDigest(connection: Connection, tables: readonly TableName[]): Promise<string> {
  const columns = [];
  for (const table of tables) columns.push([quotedTable(table), await columnsOf(connection, table)]);
  return sumOf(columns);
}

export type Column = {
  readonly name: string;
  readonly type: string;
  readonly isRequired: boolean;
  /** It is computed from others, so nothing is written to it. */
  readonly isGenerated: boolean;
};

export async function columnsOf({ rows }: Connection, table: TableName): Promise<readonly Column[]> {
  const found = await rows(
    `SELECT a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attgenerated
     FROM pg_attribute a WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`,
    [quotedTable(table)],
  );
  return found.map(([name, type, required, generated]) => ({
    name: name ?? '',
    type: type ?? '',
    isRequired: required === 't',
    isGenerated: (generated ?? '') !== '',
  }));
}

/** The columns of the primary key in its order; empty if there is none. */
export async function keyOf({ rows }: Connection, table: TableName): Promise<readonly string[]> {
  const found = await rows(
    `SELECT a.attname FROM pg_index i CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS k (attnum, place)
     JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
     WHERE i.indrelid = to_regclass($1) AND i.indisprimary ORDER BY k.place`,
    [quotedTable(table)],
  );
  return found.map(([name]) => name ?? '');
}

export function sumOf(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex');
}

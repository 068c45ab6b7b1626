import { PassThrough } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { PostgresTarget, RowSelection } from '../../../core/model/target.ts';
import { TargetError } from '../target-driver.ts';
import { type Connection, literal, quoted, withConnection } from './connection.ts';
import {
  type Column,
  columnsOf,
  isSameTable,
  quotedTable,
  shownTable,
  type TableContent,
  type TableName,
  tableNamed,
} from './contents.ts';
import type { DatabaseRecord } from './manifest.ts';
import { discard, type ProgramSpec, runProgram } from './program.ts';
import { programsFor } from './programs.ts';
import { keyCondition } from './row-keys.ts';
import type { ScratchMeans } from './scratch.ts';

/** Which rows are put back. `keys` empty: all of the tables. */
export type ChosenRows = { readonly tables: readonly TableContent[]; readonly keys: readonly string[] };

type TableWork = {
  readonly table: TableContent;
  readonly columns: readonly Column[];
  /** What rows are meant, in SQL. */
  readonly condition: string;
};

type Surroundings = {
  readonly foreignKeys: readonly { readonly table: string; readonly name: string; readonly definition: string }[];
  readonly triggers: readonly { readonly table: string; readonly name: string; readonly enable: string }[];
};

/** Without a selection all that the record has rows of, as far as the target still is about it. */
export function chosenRows(type: PostgresTarget, record: DatabaseRecord, rows: RowSelection | undefined): ChosenRows {
  if (rows === undefined) return { tables: record.tables.filter((table) => isOf(type, table)), keys: [] };
  const tables = rows.tables.map((text) => {
    const found = record.tables.find((table) => isSameTable(table, tableNamed(text)));
    if (found !== undefined) return found;
    const there = record.tables.map(shownTable).join(', ');
    throw new TargetError('snapshot', `the point has no table "${text}"; it has ${there || 'none'}`);
  });
  return { tables, keys: rows.keys };
}

function isOf({ schemas, tables }: PostgresTarget, table: TableName): boolean {
  if (schemas.length === 0 && tables.length === 0) return true;
  return schemas.includes(table.schema) || tables.some((text) => isSameTable(tableNamed(text), table));
}

/**
 * Makes the rows in the live database those of the scratch one, in one transaction: its foreign keys are taken away, and
 * made anew before the commit, which checks every row of them; triggers do not fire. Rejects with TargetError; then
 * nothing was changed.
 */
export async function replaceRows(chosen: ChosenRows, scratch: string, means: ScratchMeans): Promise<string> {
  const { place, host, signal } = means;
  const shown = chosen.tables.map(shownTable).join(', ');
  return await withConnection(place, place.database, signal, async (live) => {
    const programs = await programsFor(live.version, host.secrets, signal);
    const work = await withConnection(place, scratch, signal, (other) => workOf(chosen, live, other));
    const around = await surroundingsOf(live, chosen.tables);
    const data = (one: TableWork): AsyncIterable<Buffer> =>
      outputOf(
        { program: programs.shell, args: SHELL, place, database: scratch, input: onlyText(copyOut(one)) },
        signal,
      );
    const input = scriptOf(work, around, data);
    try {
      await runProgram(
        { program: programs.shell, args: SHELL, place, database: place.database, input },
        signal,
        discard,
      );
    } catch (error) {
      if (!(error instanceof TargetError)) throw error;
      throw new TargetError(
        error.code,
        `the rows of ${shown} were not put back, and are as they were: ${error.message}`,
      );
    }
    const what = chosen.keys.length === 0 ? 'the rows' : `${chosen.keys.length} rows`;
    return `${what} of ${shown} put in place`;
  });
}

const SHELL = ['--no-psqlrc', '--quiet', '--no-password', '--set=ON_ERROR_STOP=1', '--file=-'];

async function* onlyText(text: string): AsyncGenerator<string> {
  yield await Promise.resolve(text);
}

async function workOf({ tables, keys }: ChosenRows, live: Connection, scratch: Connection): Promise<TableWork[]> {
  const work: TableWork[] = [];
  for (const table of tables) {
    const [columns, before] = [await columnsOf(live, table), await columnsOf(scratch, table)];
    refuseOtherColumns(table, before, columns);
    const condition = keys.length === 0 ? 'true' : keyCondition(shownTable(table), table.key, keys);
    work.push({ table, columns, condition });
  }
  return work;
}

function refuseOtherColumns(table: TableName, before: readonly Column[], now: readonly Column[]): void {
  const name = shownTable(table);
  if (now.length === 0) {
    const message = `${name} is not there any more, and a part of a restore makes no tables; restore the whole database, or make it first. Nothing was changed`;
    throw new TargetError('missing', message);
  }
  const text = ({ name: column, type, isRequired }: Column) => `${column} ${type}${isRequired ? ' NOT NULL' : ''}`;
  const gone = before.map(text).filter((column) => !now.map(text).includes(column));
  const added = now.map(text).filter((column) => !before.map(text).includes(column));
  if (gone.length + added.length === 0) return;
  const parts = [
    ...(added.length === 0 ? [] : [`now has ${added.join(', ')}`]),
    ...(gone.length === 0 ? [] : [`then had ${gone.join(', ')}`]),
  ];
  const message = `the columns of ${name} have changed since the point: it ${parts.join(', and ')}. Its rows are not put back, and nothing was changed`;
  throw new TargetError('snapshot', message);
}

/** The constraints that a partition has from its parent are those of the parent. */
const FOREIGN_KEYS = `
  WITH RECURSIVE touched AS (
    SELECT c.oid, c.conparentid FROM pg_constraint c
    WHERE c.contype = 'f' AND (c.conrelid = ANY ($1::regclass[]) OR c.confrelid = ANY ($1::regclass[]))
    UNION SELECT p.oid, p.conparentid FROM pg_constraint p JOIN touched t ON p.oid = t.conparentid
  )
  SELECT n.nspname, r.relname, c.conname, pg_get_constraintdef(c.oid) FROM touched t
  JOIN pg_constraint c ON c.oid = t.oid JOIN pg_class r ON r.oid = c.conrelid JOIN pg_namespace n ON n.oid = r.relnamespace
  WHERE c.conparentid = 0 ORDER BY 1, 2, 3`;

const TRIGGERS = `
  SELECT n.nspname, r.relname, g.tgname, g.tgenabled FROM pg_trigger g JOIN pg_class r ON r.oid = g.tgrelid
  JOIN pg_namespace n ON n.oid = r.relnamespace
  WHERE g.tgrelid = ANY ($1::regclass[]) AND NOT g.tgisinternal AND g.tgenabled IN ('O', 'A') ORDER BY 1, 2, 3`;

async function surroundingsOf({ rows }: Connection, tables: readonly TableName[]): Promise<Surroundings> {
  const names = `{${tables.map((table) => JSON.stringify(quotedTable(table))).join(',')}}`;
  const tableIn = ([schema, name]: readonly (string | null)[]) =>
    quotedTable({ schema: schema ?? '', name: name ?? '' });
  const [foreignKeys, triggers] = [await rows(FOREIGN_KEYS, [names]), await rows(TRIGGERS, [names])];
  return {
    foreignKeys: foreignKeys.map((row) => ({ table: tableIn(row), name: row[2] ?? '', definition: row[3] ?? '' })),
    triggers: triggers.map((row) => ({
      table: tableIn(row),
      name: row[2] ?? '',
      enable: row[3] === 'A' ? 'ENABLE ALWAYS TRIGGER' : 'ENABLE TRIGGER',
    })),
  };
}

/** What psql is given. If the data breaks off, so does the text, and nothing is committed. */
async function* scriptOf(
  work: readonly TableWork[],
  { foreignKeys, triggers }: Surroundings,
  data: (one: TableWork) => AsyncIterable<Buffer>,
): AsyncGenerator<Buffer | string> {
  const touched = [
    ...new Set([...work.map(({ table }) => quotedTable(table)), ...foreignKeys.map(({ table }) => table)]),
  ];
  yield `BEGIN;
SET LOCAL search_path = pg_catalog; SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = '30s';
SET LOCAL datestyle = 'ISO, YMD'; SET LOCAL intervalstyle = 'postgres'; SET LOCAL row_security = off;
LOCK TABLE ${touched.join(', ')} IN ACCESS EXCLUSIVE MODE;
`;
  for (const { table, name } of foreignKeys) yield `ALTER TABLE ${table} DROP CONSTRAINT ${quoted(name)};\n`;
  for (const { table, name } of triggers) yield `ALTER TABLE ${table} DISABLE TRIGGER ${quoted(name)};\n`;
  for (const one of work) {
    yield `DELETE FROM ONLY ${quotedTable(one.table)} WHERE ${one.condition};\n`;
    yield `COPY ${quotedTable(one.table)} (${writtenColumns(one)}) FROM STDIN;\n`;
    yield* data(one);
    yield `\\.\n${one.condition === 'true' ? countedBlock(one) : ''}`;
  }
  for (const { table, name, enable } of triggers) yield `ALTER TABLE ${table} ${enable} ${quoted(name)};\n`;
  for (const { table, name, definition } of foreignKeys) {
    yield `ALTER TABLE ${table} ADD CONSTRAINT ${quoted(name)} ${definition};\n`;
  }
  yield 'COMMIT;\n';
}

function countedBlock({ table }: TableWork): string {
  const message = literal(`${shownTable(table)} has not the ${table.rows} rows that were captured`);
  return `DO ${literal(
    `BEGIN IF (SELECT count(*) FROM ONLY ${quotedTable(table)}) <> ${table.rows} THEN RAISE EXCEPTION USING MESSAGE = ${message}; END IF; END`,
  )};\n`;
}

function writtenColumns({ columns }: TableWork): string {
  return columns.flatMap(({ name, isGenerated }) => (isGenerated ? [] : [quoted(name)])).join(', ');
}

function copyOut(one: TableWork): string {
  const rows = `SELECT ${writtenColumns(one)} FROM ONLY ${quotedTable(one.table)} WHERE ${one.condition}`;
  return `SET search_path = pg_catalog; SET datestyle = 'ISO, YMD'; SET intervalstyle = 'postgres';\nSET extra_float_digits = 1; SET bytea_output = 'hex';\nCOPY (${rows}) TO STDOUT;\n`;
}

async function* outputOf(spec: ProgramSpec, signal: AbortSignal): AsyncGenerator<Buffer> {
  const through = new PassThrough();
  const running = runProgram(spec, signal, (output) => pipeline(output, through));
  running.catch(() => through.destroy());
  try {
    for await (const piece of through) {
      if (Buffer.isBuffer(piece)) yield piece;
    }
  } catch (error) {
    await running;
    throw error;
  }
  await running;
}

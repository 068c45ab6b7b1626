import type { Millis } from '../units.ts';
import type { PostgresDatabase, SqliteDatabase } from './metric-source.ts';
import type { Repetition } from './step.ts';
import { formatThreshold, type Threshold } from './trigger.ts';

export type SqlDatabase = PostgresDatabase | SqliteDatabase;
export type SqlValue = null | boolean | number | string;

export type SqlStep = {
  readonly kind: 'sql';
  readonly database: SqlDatabase;
  readonly script: SqlScript;
  /** Stand for `:NAME` in the statements and conditions. */
  readonly params: Readonly<Record<string, SqlValue>>;
  /** All statements take effect together or not at all. Without it each one takes effect by itself. */
  readonly transaction: boolean;
  /** Held against the result before it is committed; without a transaction, after the last statement. */
  readonly require: readonly SqlCondition[];
  /** How long a lock of somebody else's is waited for; absent: as long as the step may take. */
  readonly lockTimeoutMs?: Millis;
} & Repetition;

export type SqlScript =
  | { readonly kind: 'statements'; readonly statements: readonly SqlStatement[] }
  | { readonly kind: 'file'; readonly path: string };

/** One statement, and how many rows it may change, or give if it only reads. */
export type SqlStatement = {
  readonly text: string;
  readonly rows?: RowBounds;
  /** Besides at most as many as people agreed to lose: by that label of the rung's counts, or its only one. */
  readonly atMostCounted?: true | string;
};
export type RowBounds = { readonly atLeast?: number; readonly atMost?: number };

export type SqlCondition = { readonly query: string; readonly expect: SqlExpectation };

/** `value`: of the first column of the only row. */
export type SqlExpectation =
  | { readonly kind: 'value'; readonly is: Threshold | { readonly kind: 'equals'; readonly value: SqlValue } }
  | { readonly kind: 'rows'; readonly bounds: RowBounds };

/** The part of a check that asks a database one question. */
export type SqlCheckSpec = {
  readonly kind: 'sql';
  readonly database: SqlDatabase;
  readonly query: string;
  readonly expect: SqlExpectation;
  readonly timeoutMs: Millis;
};

/** `intact`: the file is a database without faults, and every foreign key has its row. `corrupt`: it is there, and is not that. */
export type SqliteCheckSpec = {
  readonly kind: 'sqlite';
  readonly path: string;
  readonly is: 'intact' | 'corrupt';
  readonly timeoutMs: Millis;
};

const LONGEST_SHOWN = 100;

/** A connection string is secret, so its name stands for the database. */
export function nameDatabase(database: SqlDatabase): string {
  if (database.kind === 'sqlite') return database.path;
  const { dsn } = database;
  return `PostgreSQL ${'credential' in dsn ? dsn.credential : 'file' in dsn ? dsn.file : dsn.env}`;
}

export function describeSql({ database, script }: Pick<SqlStep, 'database' | 'script'>): string {
  const where = `on ${nameDatabase(database)}`;
  if (script.kind === 'file') return `run the SQL of ${script.path} ${where}`;
  const [first, ...others] = script.statements;
  const more = others.length === 0 ? '' : ` and ${others.length} more statement${others.length === 1 ? '' : 's'}`;
  return `${shorten(first?.text ?? '')}${more} ${where}`;
}

export function describeExpectation(expect: SqlExpectation): string {
  if (expect.kind === 'rows') return `gives ${describeRows(expect.bounds)}`;
  return expect.is.kind === 'equals' ? `= ${JSON.stringify(expect.is.value)}` : formatThreshold(expect.is);
}

export function describeRows({ atLeast, atMost }: RowBounds): string {
  if (atLeast !== undefined && atLeast === atMost) return `${atLeast} row${atLeast === 1 ? '' : 's'}`;
  const parts = [
    ...(atLeast === undefined ? [] : [`at least ${atLeast}`]),
    ...(atMost === undefined ? [] : [`at most ${atMost}`]),
  ];
  return `${parts.join(' and ')} rows`;
}

/** On one line, however the author wrote it. */
export function shorten(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').trim();
  return line.length <= LONGEST_SHOWN ? line : `${line.slice(0, LONGEST_SHOWN - 1)}…`;
}

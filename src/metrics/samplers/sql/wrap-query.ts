import type { SqlQuery } from '../../../core/model/metric-source.ts';
import { type Row, SqlFault } from './database.ts';

/** A gauge is a figure or a handful, not a table. */
const MOST_ROWS = 1000;
const LONGEST_LABEL = 1024;

/** How a kind of database writes the parts of the statement around the author's query. */
export type Dialect = {
  /** The column as a floating point number, or NULL. */
  readonly value: (column: string) => string;
  /** At most so many characters of the column as text. */
  readonly label: (column: string, length: number) => string;
};

/** A statement that gives the query's columns and no row. */
export function describeStatement(query: SqlQuery): string {
  return `SELECT * FROM ${inner(query)} LIMIT 0`;
}

export type Wrapped = { readonly text: string; readonly labels: readonly string[] };

/**
 * A statement whose first column is the value and whose others are the labels. That it reads the author's query as a
 * table rules out everything but a SELECT, and lets the database itself bound what it sends.
 */
export function selectStatement(query: SqlQuery, columns: readonly string[], dialect: Dialect): Wrapped {
  const value = valueColumn(query, columns);
  const labels = query.labels ?? columns.filter((column) => column !== value);
  for (const label of labels) requireLabel(label, columns);
  const parts = [
    dialect.value(`q.${quoted(value)}`),
    ...labels.map((column) => dialect.label(`q.${quoted(column)}`, LONGEST_LABEL + 1)),
  ];
  return { text: `SELECT ${parts.join(', ')} FROM ${inner(query)} LIMIT ${MOST_ROWS + 1}`, labels };
}

/** The rows of a select statement. Throws a SqlFault if they are too many or too long. */
export function readRows(rows: readonly (readonly unknown[])[], labels: readonly string[]): Row[] {
  if (rows.length > MOST_ROWS) {
    throw new SqlFault('too_many_rows', `more than ${MOST_ROWS} rows; group them, or select fewer`);
  }
  return rows.map(([value, ...texts]) => ({
    value: readValue(value),
    labels: Object.fromEntries(labels.map((label, index) => [label, readLabel(label, texts[index])])),
  }));
}

/** After a line end, so that a comment at the end of the query hides nothing. */
function inner({ query }: SqlQuery): string {
  return `(${query.replace(/[\s;]+$/, '')}\n) AS q`;
}

function valueColumn({ value, labels }: SqlQuery, columns: readonly string[]): string {
  const left = columns.filter((column) => labels?.includes(column) !== true);
  const found = value ?? (left.includes('value') ? 'value' : left.length === 1 ? left[0] : undefined);
  if (found !== undefined && columns.includes(found)) return found;
  const expected = found === undefined ? 'one column called value, or name it with `value`' : `a column "${found}"`;
  throw new SqlFault('bad_columns', `expected ${expected}; the query gives ${columns.join(', ')}`);
}

function requireLabel(label: string, columns: readonly string[]): void {
  if (!columns.includes(label)) {
    throw new SqlFault('bad_columns', `expected a column "${label}" as a label; the query gives ${columns.join(', ')}`);
  }
  if (!/^(?!__)[A-Za-z_][A-Za-z0-9_]*$/.test(label) || label === 'job' || label === 'instance') {
    throw new SqlFault('bad_columns', `the column "${label}" cannot be a label; rename it with AS, or name the labels`);
  }
}

function quoted(column: string): string {
  return `"${column.replaceAll('"', '""')}"`;
}

function readValue(value: unknown): number | null {
  if (value === null || typeof value === 'number') return value;
  throw new SqlFault(
    'bad_columns',
    `expected a number as the value, found ${typeof value === 'string' ? JSON.stringify(value.slice(0, 60)) : 'something else'}`,
  );
}

function readLabel(label: string, text: unknown): string {
  const read = typeof text === 'string' ? text : '';
  if (read.length <= LONGEST_LABEL) return read;
  throw new SqlFault('label_too_long', `a value of the label ${label} is longer than ${LONGEST_LABEL} characters`);
}

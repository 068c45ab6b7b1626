import { keyValues } from '../row-keys.ts';

/** Rows of a table by their primary keys, as a condition; `side` is what the table is called there. */
export function keyCondition(table: string, side: string, columns: readonly string[], keys: readonly string[]): string {
  const named = columns.join() === 'rowid' ? [] : columns;
  const rows = keyValues(table, named, keys).map((values) => `(${values.map(literal).join(', ')})`);
  const texts = columns.map((column) => `CAST(${side}.${quoted(column)} AS TEXT)`).join(', ');
  return `(${texts}) IN (VALUES ${rows.join(', ')})`;
}

export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

import { keyValues } from '../row-keys.ts';
import { literal, quoted } from './connection.ts';

/** Rows of a table by their primary keys, as a condition. @throws {TargetError} `snapshot` */
export function keyCondition(table: string, columns: readonly string[], keys: readonly string[]): string {
  const rows = keyValues(table, columns, keys).map((values) => `(${values.map(literal).join(', ')})`);
  const texts = columns.map((column) => `${quoted(column)}::text`).join(', ');
  return `(${texts}) IN (${rows.join(', ')})`;
}

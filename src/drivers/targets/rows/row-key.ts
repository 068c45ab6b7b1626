import type { Cell, Row } from '../../../core/merge/cell.ts';
import { compareBytes, spanOf } from '../compare-bytes.ts';
import { TargetError } from '../target-driver.ts';
import type { TableShape } from './rows-session.ts';

/** The texts of a row's key, by which rows are ordered and told apart. @throws {TargetError} `format` */
export function keyTexts(table: TableShape, row: Row): readonly string[] {
  return table.key.map((name) => textOf(table, name, row[table.columns.findIndex((column) => column.name === name)]));
}

/** The same as one text. */
export function keyText(texts: readonly string[]): string {
  return JSON.stringify(texts);
}

/** `id=42`, for people. */
export function shownKey({ key }: Pick<TableShape, 'key'>, texts: readonly string[]): string {
  return key.map((name, index) => `${name}=${texts[index] ?? ''}`).join(', ');
}

function textOf(table: TableShape, name: string, cell: Cell | undefined): string {
  if (typeof cell === 'string') return cell;
  if (typeof cell === 'bigint') return String(cell);
  if (cell instanceof Uint8Array) return `x${Buffer.from(cell).toString('hex').toUpperCase()}`;
  const found = cell === null || cell === undefined ? 'NULL' : 'a number that is not whole';
  const message = `a row of ${table.name} has ${found} in ${name} of its primary key; such rows cannot be told apart`;
  throw new TargetError('format', message);
}

/** Keys in the order of their UTF-8 bytes, which databases can order by too. */
export function compareKeys(a: readonly string[], b: readonly string[]): number {
  for (let index = 0; index < a.length; index += 1) {
    const order = compareBytes(spanOf(a[index] ?? ''), spanOf(b[index] ?? ''));
    if (order !== 0) return order;
  }
  return 0;
}

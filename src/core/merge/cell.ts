/**
 * A cell of a row. Of SQLite: `bigint` is its integer, `number` its real. Of PostgreSQL every value is the text that the server
 * writes.
 */
export type Cell = null | boolean | number | bigint | string | Uint8Array;

/** Cells by the positions of their columns; undefined where the state has no such column, which is not the same as NULL. */
export type Row = readonly (Cell | undefined)[];

/** Whether they are the same, type and all. */
export function isSameCell(a: Cell | undefined, b: Cell | undefined): boolean {
  if (a === b) return true;
  return a instanceof Uint8Array && b instanceof Uint8Array && isSameBytes(a, b);
}

/** The same whatever type it is written as: a pure change of type is no change. Rule: Dolt's merges. */
export function isSameContent(a: Cell | undefined, b: Cell | undefined): boolean {
  if (isSameCell(a, b)) return true;
  if (a === undefined || b === undefined || a === null || b === null) return false;
  if (a instanceof Uint8Array || b instanceof Uint8Array) return false;
  return String(a) === String(b);
}

export function typeOfCell(cell: Cell): string {
  if (cell === null) return 'null';
  return cell instanceof Uint8Array ? 'bytes' : typeof cell;
}

function isSameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

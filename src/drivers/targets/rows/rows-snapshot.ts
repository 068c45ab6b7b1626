import { createHash } from 'node:crypto';
import type { Cell, Row } from '../../../core/merge/cell.ts';
import type { Batches } from '../../../core/merge/join-sorted.ts';
import type { Snapshot } from '../../../core/model/point.ts';
import type { BlobRef } from '../../../store/content/blob-ref.ts';
import type { ManifestLine } from '../../../store/content/content-reader.ts';
import type { ContentStore } from '../../../store/content/content-store.ts';
import { refuseOtherFormat } from '../captured-target.ts';
import { TargetError } from '../target-driver.ts';
import { BATCH_ROWS, type ColumnShape, type TableShape } from './rows-session.ts';

const FORMAT = 'rows/1';

/** A table as it was captured: its rows, one a line, in the order of their keys. */
export type KeptTable = TableShape & { readonly rows: number; readonly content: BlobRef };

export type KeptRows = {
  /** What database it was. */
  readonly identity: string;
  readonly tables: readonly KeptTable[];
};

export function* keptLines({ identity, tables }: KeptRows): Generator<ManifestLine> {
  for (const { content, ...table } of tables) yield { format: FORMAT, identity, ...table, content };
}

export function fingerprintOf({ tables }: Pick<KeptRows, 'tables'>): string {
  const parts = tables.map(({ name, columns, key, content }) => [name, columns, key, content.sha256]);
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

/** Rejects with TargetError `snapshot`, and with ContentError. */
export async function keptRows(store: ContentStore, { manifest }: Pick<Snapshot, 'manifest'>): Promise<KeptRows> {
  const tables: KeptTable[] = [];
  let identity: string | undefined;
  for await (const line of store.manifest(manifest)) {
    refuseOtherFormat(line['format'], FORMAT);
    tables.push(toTable(line));
    identity = typeof line['identity'] === 'string' ? line['identity'] : undefined;
  }
  if (identity === undefined) throw senseless();
  return { identity, tables };
}

function toTable({ name, columns, key, rows, content }: ManifestLine): KeptTable {
  if (typeof name !== 'string' || typeof rows !== 'number' || content === undefined) throw senseless();
  if (!Array.isArray(columns) || !columns.every(isColumn)) throw senseless();
  if (!Array.isArray(key) || !key.every((column) => typeof column === 'string')) throw senseless();
  return { name, columns, key, rows, content };
}

function isColumn(value: unknown): value is ColumnShape {
  if (typeof value !== 'object' || value === null) return false;
  const { name, type, isJson }: { name?: unknown; type?: unknown; isJson?: unknown } = value;
  return typeof name === 'string' && typeof type === 'string' && typeof isJson === 'boolean';
}

function senseless(): TargetError {
  return new TargetError('snapshot', 'the snapshot of the rows makes no sense; it was written by something else');
}

/** A row as a line. Texts and NULL stand for themselves; what JSON has no type for says which it is. */
export function rowLine(row: Row): string {
  return `${JSON.stringify(row.map(toJson))}\n`;
}

function toJson(cell: Cell | undefined): unknown {
  switch (typeof cell) {
    case 'bigint':
      return Number.isSafeInteger(Number(cell)) ? Number(cell) : { i: String(cell) };
    case 'number':
      // JSON has no infinity, and would write -0 as 0.
      return { r: Object.is(cell, -0) ? '-0' : String(cell) };
    case 'object':
      return cell === null ? null : { b: Buffer.from(cell).toString('base64') };
    default:
      return cell;
  }
}

function toCell(value: unknown): Cell {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number') return BigInt(value);
  if (typeof value !== 'object') throw senseless();
  const { i, r, b }: { i?: unknown; r?: unknown; b?: unknown } = value;
  if (typeof i === 'string') return BigInt(i);
  if (typeof r === 'string') return Number(r);
  if (typeof b === 'string') return Buffer.from(b, 'base64');
  throw senseless();
}

/** The rows that were kept, in their order; each piece of them is verified before it is read. */
export async function* readKept(store: ContentStore, { content }: Pick<KeptTable, 'content'>): Batches<Row> {
  let rest: Buffer = Buffer.alloc(0);
  let batch: Row[] = [];
  for await (const piece of store.read(content)) {
    const bytes = rest.length === 0 ? piece : Buffer.concat([rest, piece]);
    let from = 0;
    for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, from)) {
      batch.push(toRow(bytes.toString('utf8', from, end)));
      from = end + 1;
      if (batch.length < BATCH_ROWS) continue;
      yield batch;
      batch = [];
    }
    // The piece's memory is not kept for the beginning of a line.
    rest = Buffer.from(bytes.subarray(from));
  }
  if (rest.length > 0) throw senseless();
  if (batch.length > 0) yield batch;
}

function toRow(line: string): Row {
  const cells: unknown = JSON.parse(line);
  if (!Array.isArray(cells)) throw senseless();
  return cells.map(toCell);
}

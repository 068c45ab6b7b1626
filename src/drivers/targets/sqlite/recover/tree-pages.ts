import type { SQLInputValue } from 'node:sqlite';
import type { PageFile } from './page-file.ts';
import { readVarint, valuesOf } from './record-values.ts';

/** A row as it stands in a page. `rowid` is null in the trees of indexes and of tables without rowids. */
export type FoundRow = {
  readonly page: number;
  readonly rowid: bigint | null;
  readonly values: readonly SQLInputValue[];
};

/** What could not be read. */
export type Losses = { pages: number; rows: number };

const INTERIOR_INDEX = 0x02;
const INTERIOR_TABLE = 0x05;
const LEAF_INDEX = 0x0a;
const LEAF_TABLE = 0x0d;
/** The first page begins with the header of the file. */
const FILE_HEADER = 100;

/** Which pages were met: each is read once, whatever claims it. */
export class Visited {
  readonly #bits: Uint8Array;

  constructor(pages: number) {
    this.#bits = new Uint8Array(Math.ceil((pages + 1) / 8));
  }

  has(page: number): boolean {
    return ((this.#bits[page >> 3] ?? 0) & (1 << (page & 7))) !== 0;
  }

  /** Whether it was not met before. */
  add(page: number): boolean {
    if (this.has(page)) return false;
    this.#bits[page >> 3] = (this.#bits[page >> 3] ?? 0) | (1 << (page & 7));
    return true;
  }
}

export type Reading = { readonly file: PageFile; readonly visited: Visited; readonly losses: Losses };

/** The rows below a root, as far as the pages on the way can be read. */
export function* rowsBelow(reading: Reading, root: number): Generator<FoundRow> {
  const { file, visited, losses } = reading;
  const waiting = [root];
  for (let number = waiting.pop(); number !== undefined; number = waiting.pop()) {
    const page = file.page(number);
    const tree = page === undefined || !visited.add(number) ? undefined : treePage(file, page, number);
    if (tree === undefined) {
      losses.pages += 1;
      continue;
    }
    waiting.push(...tree.children.toReversed());
    yield* rowsOn(reading, tree);
  }
}

/** The rows of leaves that no tree leads to any more. Those of indexes only where tables may lie in such. */
export function* strayRows(reading: Reading, withIndexes: boolean): Generator<FoundRow> {
  const { file, visited } = reading;
  for (let number = 1; number <= file.count; number += 1) {
    if (visited.has(number)) continue;
    const page = file.page(number);
    const tree = page === undefined ? undefined : treePage(file, page, number);
    if (tree === undefined || tree.children.length > 0 || (tree.kind === LEAF_INDEX && !withIndexes)) continue;
    visited.add(number);
    yield* rowsOn(reading, tree);
  }
}

/** What is free belongs to no table: rows that were deleted stay so. */
export function skipFreePages({ file, visited }: Reading): void {
  for (let trunk = file.header.freelist; trunk !== 0; ) {
    const page = file.page(trunk);
    if (page === undefined || !visited.add(trunk)) return;
    const leaves = Math.min(page.readUInt32BE(4), file.usable / 4 - 2);
    for (let index = 0; index < leaves; index += 1) {
      const leaf = page.readUInt32BE(8 + index * 4);
      if (leaf >= 1 && leaf <= file.count) visited.add(leaf);
    }
    trunk = page.readUInt32BE(0);
  }
}

type TreePage = {
  readonly number: number;
  readonly kind: number;
  readonly page: Buffer;
  /** Where each cell begins. */
  readonly cells: readonly number[];
  readonly children: readonly number[];
};

function treePage({ usable, count }: PageFile, page: Buffer, number: number): TreePage | undefined {
  const head = number === 1 ? FILE_HEADER : 0;
  const kind = page.readUInt8(head);
  const isInterior = kind === INTERIOR_INDEX || kind === INTERIOR_TABLE;
  if (!isInterior && kind !== LEAF_INDEX && kind !== LEAF_TABLE) return undefined;
  const pointers = head + (isInterior ? 12 : 8);
  const cellCount = page.readUInt16BE(head + 3);
  if (pointers + cellCount * 2 > usable) return undefined;
  const cells = Array.from({ length: cellCount }, (_, index) => page.readUInt16BE(pointers + index * 2));
  if (cells.some((cell) => cell < pointers + cellCount * 2 || cell + 4 > usable)) return undefined;
  const children = isInterior ? [...cells.map((cell) => page.readUInt32BE(cell)), page.readUInt32BE(head + 8)] : [];
  if (children.some((child) => child < 1 || child > count)) return undefined;
  return { number, kind, page, cells, children };
}

/** What stands in the inner pages of a table is only the way to its rows. */
function* rowsOn(reading: Reading, { number, kind, page, cells }: TreePage): Generator<FoundRow> {
  if (kind === INTERIOR_TABLE) return;
  for (const cell of cells) {
    const row = rowAt(reading, kind, page, cell);
    if (row === undefined) reading.losses.rows += 1;
    else yield { page: number, ...row };
  }
}

function rowAt(reading: Reading, kind: number, page: Buffer, cell: number): Omit<FoundRow, 'page'> | undefined {
  const { file } = reading;
  const size = readVarint(page, kind === INTERIOR_INDEX ? cell + 4 : cell);
  const rowid = kind === LEAF_TABLE && size !== undefined ? readVarint(page, size.next) : null;
  if (size === undefined || rowid === undefined) return undefined;
  if (size.value < 1n || size.value > BigInt(file.count) * BigInt(file.pageSize)) return undefined;
  const record = recordAt(reading, page, rowid?.next ?? size.next, Number(size.value), kind === LEAF_TABLE);
  const values = record === undefined ? undefined : valuesOf(record, file.header.encoding);
  return values === undefined ? undefined : { rowid: rowid?.value ?? null, values };
}

/** What does not fit goes on in a chain of pages: sqlite.org/fileformat2.html, "Cell Payload Overflow Pages". */
function recordAt(
  { file: { usable, page: pageOf }, visited }: Reading,
  page: Buffer,
  start: number,
  bytes: number,
  isTable: boolean,
): Buffer | undefined {
  const most = isTable ? usable - 35 : Math.floor(((usable - 12) * 64) / 255) - 23;
  const least = Math.floor(((usable - 12) * 32) / 255) - 23;
  const wanted = least + ((bytes - least) % (usable - 4));
  const local = bytes <= most ? bytes : wanted <= most ? wanted : least;
  if (start + local + (local < bytes ? 4 : 0) > usable) return undefined;
  const pieces = [page.subarray(start, start + local)];
  let left = bytes - local;
  let next = left === 0 ? 0 : page.readUInt32BE(start + local);
  while (left > 0) {
    const overflow = pageOf(next);
    if (overflow === undefined || !visited.add(next)) return undefined;
    const piece = overflow.subarray(4, Math.min(usable, 4 + left));
    pieces.push(piece);
    left -= piece.length;
    next = overflow.readUInt32BE(0);
  }
  return Buffer.concat(pieces);
}

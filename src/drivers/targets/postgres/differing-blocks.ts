import type { Connection, Row } from './connection.ts';
import { withCursor } from './cursor.ts';

/** Rows of a table, in SQL: which, what tells them apart, and what they are. */
export type RowSource = {
  readonly table: string;
  readonly condition: string;
  /** A text of one line, that is the same for the same row on both sides. */
  readonly key: string;
  readonly content: string;
};

type Sides = { readonly older: Connection; readonly newer: Connection };

const ROWS_OF_BLOCK = 64;
const MOST_BLOCKS = 65_536;
const SUMS_AT_ONCE = 500;
/** Of a billion rows that all differ these are 25 MB. */
const BLOCKS_AT_ONCE = 16;

/** How many blocks rows are told apart by: a power of two. */
export function blockCount(rows: number): number {
  const wanted = 2 ** Math.ceil(Math.log2(Math.max(1, rows / ROWS_OF_BLOCK)));
  return Math.min(MOST_BLOCKS, wanted);
}

/**
 * Each row belongs to a block by a hash of its key. The server sums the rows of each block up, so that only sums come
 * over, and rows are read of those blocks alone whose sums differ. Both sides must be of one server: its hashes are its own.
 */
export async function differingBlocks(source: RowSource, sides: Sides, blocks: number): Promise<readonly number[]> {
  const found: number[] = [];
  await blockByBlock(sides, { query: sumsOf(source, blocks), batch: SUMS_AT_ONCE }, (a, b) => {
    if (a?.join() !== b?.join()) found.push(Number((a ?? b)?.[0]));
  });
  return found;
}

/**
 * The rows of these blocks on both sides, a block at a time, each a line of its key, a tab and a sum over its content, in the
 * order of the bytes of the keys. However large a row is, its line is not.
 */
export async function linesOfBlocks(
  source: RowSource,
  sides: Sides,
  { found, blocks }: { readonly found: readonly number[]; readonly blocks: number },
  see: (before: string, after: string) => void,
): Promise<void> {
  const query = linesOf(source, found, blocks);
  await blockByBlock(sides, { query, batch: BLOCKS_AT_ONCE }, (a, b) => see(a?.[1] ?? '', b?.[1] ?? ''));
}

function blockOf(key: string, blocks: number): string {
  return `(hashtextextended(${key}, 0) & ${blocks - 1})::int`;
}

function sumsOf({ table, condition, key, content }: RowSource, blocks: number): string {
  const sum = (seed: number) => `sum(hashtextextended(content, ${seed})::numeric)`;
  const rows = `SELECT ${blockOf(key, blocks)} AS block, ${content} AS content FROM ONLY ${table} WHERE ${condition}`;
  return `SELECT block, count(*), ${sum(1)}, ${sum(2)} FROM (${rows} OFFSET 0) r GROUP BY block ORDER BY block`;
}

function linesOf({ table, condition, key, content }: RowSource, found: readonly number[], blocks: number): string {
  // A list is looked through for each row by servers before version 14; what is unnested is hashed.
  const chosen =
    found.length === blocks ? 'true' : `${blockOf(key, blocks)} IN (SELECT unnest('{${found.join(',')}}'::int[]))`;
  const rows = `SELECT ${key} AS key, md5(${content}) AS sum FROM ONLY ${table} WHERE (${condition}) AND ${chosen}`;
  const lines = `string_agg(key || E'\\t' || sum, E'\\n' ORDER BY convert_to(key, 'UTF8'))`;
  return `SELECT ${blockOf('key', blocks)} AS block, ${lines} FROM (${rows} OFFSET 0) r GROUP BY block ORDER BY block`;
}

/** Undefined stands for a block that has no rows on that side. */
async function blockByBlock(
  { older, newer }: Sides,
  asked: { readonly query: string; readonly batch: number },
  see: (before: Row | undefined, after: Row | undefined) => void,
): Promise<void> {
  await withCursor(older, asked, (before) =>
    withCursor(newer, asked, async (after) => {
      let [a, b] = [await before.next(), await after.next()];
      while (a !== undefined || b !== undefined) {
        const [one, other] = [blockIn(a), blockIn(b)];
        see(one <= other ? a : undefined, other <= one ? b : undefined);
        if (one <= other) a = await before.next();
        if (other <= one) b = await after.next();
      }
    }),
  );
}

function blockIn(row: Row | undefined): number {
  return row === undefined ? Infinity : Number(row[0]);
}

import type { Connection, Row } from './connection.ts';

/** What a query gives, in its order: `next` is undefined at the end. */
export type Cursor = { readonly next: () => Row | undefined | Promise<Row | undefined> };

/**
 * Opens it for the time of `use`, in the transaction that the connection is in; a connection has one at a time. `batch`: how
 * many rows are in memory at once.
 */
export async function withCursor<T>(
  { rows }: Connection,
  { query, batch: size }: { readonly query: string; readonly batch: number },
  use: (cursor: Cursor) => Promise<T>,
): Promise<T> {
  await rows(`DECLARE revertd_rows NO SCROLL CURSOR FOR ${query}`);
  let batch: readonly Row[] = [];
  let at = 0;
  let isOver = false;
  const refilled = async (): Promise<Row | undefined> => {
    batch = await rows(`FETCH ${size} FROM revertd_rows`);
    isOver = batch.length < size;
    at = 1;
    return batch[0];
  };
  // Only every so many rows there is something to wait for: a promise for each of millions is memory and time.
  const next = () => {
    if (at < batch.length) return batch[at++];
    return isOver ? undefined : refilled();
  };
  const used = await use({ next });
  await rows('CLOSE revertd_rows');
  return used;
}

import type { Pool, PoolClient } from 'pg';
import type { ProjectionFeed } from '../projection-feed.ts';
import { inTransaction } from './open-pool.ts';
import { ProjectionError } from './projection-error.ts';
import { writeBatch } from './write-batch.ts';

export type CopyOptions = {
  readonly pool: Pool;
  readonly schema: string;
  readonly host: string;
  /** Read while the position is locked; undefined when the store is not to be read any more. */
  readonly feed: () => ProjectionFeed | undefined;
};

/** Up to which event everything is there; `copied` are those that were not before. */
export type Copied = { readonly position: number; readonly copied: number };

/**
 * Copies the next events. Their rows and the position move in one transaction, which holds the position's lock from before
 * it reads it; so each event counts once, whenever the connection or this process ends. Rejects with ProjectionError.
 */
export async function copyEvents({ pool, schema, host, feed }: CopyOptions): Promise<Copied> {
  return await inTransaction(pool, schema, async (client) => {
    const store = feed()?.store();
    if (store === undefined) return { position: 0, copied: 0 };
    const { event, hash } = await lockPosition(client, store, host);
    const source = feed();
    if (source === undefined) return { position: event, copied: 0 };
    requireSameLog(source, { host, event, hash });
    const batch = source.batch(event);
    if (batch === undefined) return { position: event, copied: 0 };
    await writeBatch(client, batch);
    await client.query(
      'UPDATE projection_positions SET event = $2, hash = $3, host = $4, updated_at = now() WHERE store = $1',
      [store, batch.upTo, batch.hash, host],
    );
    return { position: batch.upTo, copied: batch.upTo - event };
  });
}

type Position = { readonly event: number; readonly hash: string };

async function lockPosition(client: PoolClient, store: string, host: string): Promise<Position> {
  await client.query(
    "INSERT INTO projection_positions (store, host, event, hash, updated_at) VALUES ($1, $2, 0, '', now()) ON CONFLICT DO NOTHING",
    [store, host],
  );
  const { rows } = await client.query<{ event: string; hash: string }>(
    'SELECT event, hash FROM projection_positions WHERE store = $1 FOR UPDATE',
    [store],
  );
  const [row] = rows;
  return { event: Number(row?.event ?? 0), hash: row?.hash ?? '' };
}

function requireSameLog(feed: ProjectionFeed, { host, event, hash }: Position & { readonly host: string }): void {
  if (event === 0 || feed.event(event)?.hash === hash) return;
  const message = `PostgreSQL has ${event} events of this host, and the last of them is not in its log: the log was put back to an earlier state; \`SELECT rebuild_projection('${host}')\` in that schema has this log's copied instead`;
  throw new ProjectionError('diverged', message);
}

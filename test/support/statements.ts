import type { Pool, PoolClient } from 'pg';

/** The pool itself; `hook` is told of each statement before it is sent, and counts from 1. */
export function beforeEachStatement(pool: Pool, hook: (count: number, client: PoolClient) => void): Pool {
  let count = 0;
  const watched = new WeakSet<PoolClient>();
  const connect = pool.connect.bind(pool);
  const watch = (client: PoolClient): PoolClient => {
    if (watched.has(client)) return client;
    watched.add(client);
    const query = client.query.bind(client);
    const counted = (...args: Parameters<typeof query>) => {
      count += 1;
      hook(count, client);
      return query(...args);
    };
    return Object.assign(client, { query: counted });
  };
  return Object.assign(pool, { connect: async () => watch(await connect()) });
}

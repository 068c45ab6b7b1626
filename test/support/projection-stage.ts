import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Pool } from 'pg';
import { STORE_FILE } from '../../src/store/database.ts';
import { copyEvents } from '../../src/store/postgres/copy-events.ts';
import { migrate } from '../../src/store/postgres/migrate.ts';
import { openPool } from '../../src/store/postgres/open-pool.ts';
import { PROJECTED_TABLES } from '../../src/store/projected-tables.ts';
import { LoggedStore } from './lived-log.ts';
import type { PostgresServer } from './postgres.ts';

/** A host's store beside a schema of its own in a real PostgreSQL. */
export class ProjectionStage {
  readonly logged: LoggedStore;
  readonly schema: string;
  readonly pool: Pool;
  readonly host: string;

  constructor(server: PostgresServer, schema: string, host = 'test') {
    this.logged = new LoggedStore(mkdtempSync(join(tmpdir(), 'revertd-projection-')));
    this.schema = schema;
    this.host = host;
    this.pool = openPool({ dsn: server.dsn() }, 4);
  }

  async migrate(): Promise<void> {
    const client = await this.pool.connect();
    await migrate(client, this.schema).finally(() => client.release());
  }

  async copyAll(): Promise<number> {
    let total = 0;
    for (;;) {
      const { copied } = await this.copyOnce();
      if (copied === 0) return total;
      total += copied;
    }
  }

  async copyOnce() {
    const { pool, schema, host } = this;
    return await copyEvents({ pool, schema, host, feed: () => this.logged.store.feed });
  }

  /** On the schema's own names. */
  async ask(sql: string): Promise<Record<string, unknown>[]> {
    const client = await this.pool.connect();
    try {
      await client.query(`SET search_path TO "${this.schema}"`);
      const { rows } = await client.query<Record<string, unknown>>(sql);
      return rows;
    } finally {
      client.release(true);
    }
  }

  /** Of each table all rows of this host, as PostgreSQL has them. */
  async here(): Promise<Record<string, unknown>> {
    const tables: [string, unknown][] = [];
    for (const { name } of Object.values(PROJECTED_TABLES)) {
      tables.push([name, await this.ask(`SELECT * FROM ${name} WHERE host = '${this.host}' ORDER BY id`)]);
    }
    return Object.fromEntries(tables);
  }

  /** The same as the store's own views have it, brought into PostgreSQL's types by the server. */
  async there(): Promise<Record<string, unknown>> {
    this.logged.store.close();
    const reader = new DatabaseSync(join(this.logged.folder, STORE_FILE), { readOnly: true });
    const tables: [string, unknown][] = [];
    for (const { name, columns } of Object.values(PROJECTED_TABLES)) {
      const json = JSON.stringify(reader.prepare(`SELECT * FROM ${name} ORDER BY id`).all().map(storable));
      const values = Object.entries(columns).map(([column, type]) => `(r ->> '${column}')::${type} AS ${column}`);
      const sql = `SELECT ${values.join(', ')} FROM jsonb_array_elements($json$${json}$json$::jsonb) AS r ORDER BY id`;
      tables.push([name, await this.ask(sql)]);
    }
    reader.close();
    this.logged.open();
    return Object.fromEntries(tables);
  }

  async close(): Promise<void> {
    await this.pool.end();
    this.logged.store.close();
    rmSync(this.logged.folder, { recursive: true });
  }
}

/** What `jsonb` cannot hold is the replacement character there. */
function storable(row: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(row).map(([column, value]) => [column, typeof value === 'string' ? replaced(value) : value]),
  );
}

function replaced(text: string): string {
  return text
    .replaceAll(/\\u0000|\\ud800/g, '\uFFFD')
    .replaceAll('\u0000', '\uFFFD')
    .toWellFormed();
}

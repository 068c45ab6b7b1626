import type { SqlDatabase } from '../../core/model/sql-step.ts';
import { openPostgres } from './postgres.ts';
import type { SessionOptions, SqlHost, SqlSession } from './session.ts';
import { openSqlite } from './sqlite.ts';

/** Connects. Rejects with SqlError. When the signal aborts, what runs is ended, also in the server. */
export async function openSession(
  database: SqlDatabase,
  host: SqlHost,
  options: SessionOptions,
  signal: AbortSignal,
): Promise<SqlSession> {
  switch (database.kind) {
    case 'postgres':
      return await openPostgres(database, host, options, signal);
    case 'sqlite':
      return await openSqlite(database, host, options, signal);
  }
}

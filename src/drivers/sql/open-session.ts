import type { SqlDatabase } from '../../core/model/sql-step.ts';
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
    case 'postgres': {
      // PostgreSQL's client is loaded on hosts that ask one.
      const { openPostgres } = await import('./postgres.ts');
      return await openPostgres(database, host, options, signal);
    }
    case 'sqlite':
      return await openSqlite(database, host, options, signal);
  }
}

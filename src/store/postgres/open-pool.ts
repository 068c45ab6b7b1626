import { DatabaseError, Pool, type PoolClient } from 'pg';
import type { Millis } from '../../core/units.ts';
import { ProjectionError } from './projection-error.ts';

/** Everything but the password may be shown. */
export type PostgresAddress =
  | { readonly dsn: string }
  | {
      readonly host: string;
      readonly port: number;
      readonly database: string;
      readonly user: string;
      readonly password?: string;
    };

const CONNECT_MS: Millis = 5_000;
const STATEMENT_MS: Millis = 30_000;
const LOCK_MS: Millis = 10_000;
const IDLE_MS: Millis = 30_000;

/** Connects only when it is asked to. @throws ProjectionError `badDsn` */
export function openPool(address: PostgresAddress, poolSize: number): Pool {
  const pool = new Pool({
    ...('dsn' in address ? { connectionString: validated(address.dsn) } : address),
    application_name: 'revertd',
    max: poolSize,
    connectionTimeoutMillis: CONNECT_MS,
    idleTimeoutMillis: IDLE_MS,
    // The server's own limit comes first where it can still speak; the other one is for a network that swallows all.
    statement_timeout: STATEMENT_MS,
    lock_timeout: LOCK_MS,
    idle_in_transaction_session_timeout: STATEMENT_MS,
    query_timeout: STATEMENT_MS + CONNECT_MS,
    keepAlive: true,
  });
  // A connection that breaks while nothing is asked shows in the next question. The pool listens to idle ones alone, and an
  // error that nobody listens to ends the process: also of one that is lent out, or just being closed.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));
  return pool;
}

/** In one transaction, on a connection whose names are those of the schema first. Rejects with ProjectionError. */
export async function inTransaction<T>(
  pool: Pool,
  schema: string,
  work: (client: PoolClient) => Promise<T>,
): Promise<T> {
  const client = await pool.connect().catch((error: unknown) => {
    throw asProjectionError(error);
  });
  try {
    await client.query(`BEGIN; SET LOCAL search_path TO ${client.escapeIdentifier(schema)}`);
    const result = await work(client);
    await client.query('COMMIT');
    client.release();
    return result;
  } catch (error) {
    // Whatever state it is in, a connection that failed is not used again; the server rolls back when it is gone.
    client.release(true);
    throw asProjectionError(error);
  }
}

/** SQLSTATE: PostgreSQL's appendix A. 28: the log-in is refused, 3D: no such database; 57P: it stops or starts. */
export function asProjectionError(error: unknown): ProjectionError {
  if (error instanceof ProjectionError) return error;
  const why = error instanceof Error && error.message !== '' ? error.message : codeOf(error);
  if (!(error instanceof DatabaseError)) {
    return new ProjectionError('unreachable', `no connection to PostgreSQL: ${why}`, error);
  }
  const { code = '' } = error;
  if (code.startsWith('57P') || code === '53300') {
    return new ProjectionError('unreachable', `PostgreSQL takes no connections now: ${why} (${code})`, error);
  }
  if (code.startsWith('28') || code === '3D000') {
    const mend = 'check `postgres` in the configuration';
    return new ProjectionError('loginRefused', `PostgreSQL refuses the log-in: ${why} (${code}); ${mend}`, error);
  }
  return new ProjectionError('refused', `PostgreSQL refused a statement: ${why} (${code})`, error);
}

/** Several addresses that all fail are one error without words of its own. */
function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}

function validated(dsn: string): string {
  const url = URL.canParse(dsn) ? new URL(dsn) : undefined;
  if (url?.protocol === 'postgres:' || url?.protocol === 'postgresql:') return dsn;
  // What parses it may show it in its error, so that it is not passed on.
  throw new ProjectionError(
    'badDsn',
    'the connection string is not valid; expected a URL such as postgres://user:password@host:5432/name',
  );
}

import { Socket } from 'node:net';
import { Client, DatabaseError, Query, type QueryArrayConfig } from 'pg';
import type { PostgresDatabase } from '../../core/model/metric-source.ts';
import type { SqlValue } from '../../core/model/sql-step.ts';
import type { Millis } from '../../core/units.ts';
import { parseDsn } from '../allow-list.ts';
import { SecretError } from '../secrets.ts';
import {
  type BoundValue,
  type SessionOptions,
  SqlError,
  type SqlHost,
  type SqlResult,
  type SqlSession,
} from './session.ts';

/** Ending a statement takes a connection of its own, which must not take long. */
const CANCEL_MS: Millis = 2000;
/** Longer texts of results are cut, for they are only shown and compared. */
const LONGEST_CELL = 4096;

type Connection = { readonly client: Client; readonly socket: Socket; readonly dsn: string };

export async function openPostgres(
  database: PostgresDatabase,
  host: SqlHost,
  options: SessionOptions,
  signal: AbortSignal,
): Promise<SqlSession> {
  const dsn = await revealed(database, host);
  const connection = await connect(dsn, signal);
  try {
    await prepare(connection.client, options);
    return sessionOn(connection, await backendOf(connection.client), options, signal);
  } catch (error) {
    connection.socket.destroy();
    throw asSqlError(error, signal);
  }
}

/**
 * What became of a transaction, by its identity: PostgreSQL's functions for it, "Transaction ID and Snapshot
 * Information", are there since version 10. `unknown` if it is too long ago to be told. Rejects with SqlError.
 */
export async function outcomeOf(
  database: PostgresDatabase,
  identity: string,
  host: SqlHost,
  signal: AbortSignal,
): Promise<'committed' | 'aborted' | 'inProgress' | 'unknown'> {
  const { client, socket } = await connect(await revealed(database, host), signal);
  const end = () => socket.destroy();
  signal.addEventListener('abort', end, { once: true });
  try {
    const { first } = await runQuery(client, 'SELECT txid_status($1::bigint)', [identity]);
    const status = first?.[0];
    return status === 'committed' || status === 'aborted'
      ? status
      : status === 'in progress'
        ? 'inProgress'
        : 'unknown';
  } catch (error) {
    throw asSqlError(error, signal);
  } finally {
    signal.removeEventListener('abort', end);
    socket.destroy();
  }
}

/** The connection string, if the host allows it. Rejects with SqlError. */
export async function revealed(
  { dsn: reference, scratch }: PostgresDatabase,
  { secrets, allow }: SqlHost,
): Promise<string> {
  const dsn = await secrets.resolve(reference).catch((error: unknown) => {
    if (error instanceof SecretError) throw new SqlError('secret', error.message, error);
    throw error;
  });
  if (parseDsn(dsn) === undefined) {
    const expected = 'expected a URL such as postgres://user:password@host:5432/name';
    throw new SqlError('badDsn', `the connection string is not valid; ${expected}`);
  }
  const refused = allow.mayUseDatabase(dsn);
  if (refused !== undefined) throw new SqlError('notAllowed', secrets.redact(refused));
  return scratch === undefined ? dsn : withDatabase(dsn, scratch);
}

/** The same connection to another database of the server. */
export function withDatabase(dsn: string, database: string): string {
  return dsn.replace(/^([^:]+:\/\/[^/?]*)(?:\/[^?]*)?/, `$1/${encodeURIComponent(database)}`);
}

async function connect(dsn: string, signal: AbortSignal): Promise<Connection> {
  const socket = new Socket();
  const abort = () => socket.destroy(new Error('no connection in time'));
  if (signal.aborted) throw new SqlError('stopped', 'stopped before it connected');
  signal.addEventListener('abort', abort, { once: true });
  try {
    const client = new Client({ connectionString: dsn, application_name: 'revertd', stream: () => socket });
    // A connection that breaks while nothing is asked shows in the next question.
    client.on('error', () => socket.destroy());
    await client.connect();
    return { client, socket, dsn };
  } catch (error) {
    socket.destroy();
    throw connectError(error, signal);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/** What parses the connection string may show it in its error; so that one is not passed on. */
function connectError(error: unknown, signal: AbortSignal): SqlError {
  if (signal.aborted) return new SqlError('stopped', 'the server did not complete the log-in in time');
  if (error instanceof DatabaseError) {
    // 57P03: it is starting or stopping; 53300: it has too many connections. Both pass.
    const passes = error.code === '57P03' || error.code === '53300' || error.code === '57P01';
    const what = passes ? 'the server takes no connections now' : 'the server refused the log-in';
    return new SqlError(passes ? 'unreachable' : 'loginRefused', `${what}: ${error.message} (${error.code})`);
  }
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
  const why = error instanceof AggregateError || !(error instanceof Error) ? code : error.message;
  return new SqlError('unreachable', `no connection to the server: ${why}`);
}

/** `client_connection_check_interval` ends what runs for a revertd that is gone; servers before version 14 lack it. */
async function prepare(client: Client, { statementMs, lockMs, access }: SessionOptions): Promise<void> {
  const settings = [
    `SET statement_timeout = ${Math.ceil(statementMs)}`,
    `SET lock_timeout = ${Math.ceil(lockMs)}`,
    `SET idle_in_transaction_session_timeout = ${Math.ceil(statementMs)}`,
    ...(access === 'read' ? ['SET default_transaction_read_only = on'] : []),
  ];
  await client.query(settings.join('; '));
  await client.query("SET client_connection_check_interval = '2s'").catch((error: unknown) => {
    if (!(error instanceof DatabaseError)) throw error;
  });
}

async function backendOf(client: Client): Promise<number> {
  const { first } = await runQuery(client, 'SELECT pg_backend_pid()', []);
  return Number(first?.[0]);
}

function sessionOn(connection: Connection, backend: number, options: SessionOptions, signal: AbortSignal): SqlSession {
  const { client, socket } = connection;
  let busy = false;
  const stop = () => void endBackend(connection, backend, busy);
  signal.addEventListener('abort', stop, { once: true });
  const attempt = async <T>(work: () => Promise<T>): Promise<T> => {
    if (signal.aborted) throw new SqlError('stopped', 'stopped');
    busy = true;
    try {
      return await work();
    } catch (error) {
      throw asSqlError(error, signal);
    } finally {
      busy = false;
    }
  };
  return {
    begin: async () => {
      await attempt(() => client.query(options.access === 'read' ? 'BEGIN TRANSACTION READ ONLY' : 'BEGIN'));
    },
    run: (text, params) => attempt(() => runQuery(client, text, params.map(toParam))),
    identity: async () => {
      const { first } = await attempt(() => runQuery(client, 'SELECT txid_current_if_assigned()', []));
      return typeof first?.[0] === 'number' || typeof first?.[0] === 'string' ? String(first[0]) : undefined;
    },
    commit: () => attempt(() => commit(client)),
    close: async () => {
      signal.removeEventListener('abort', stop);
      await endBackend(connection, backend, busy || signal.aborted);
      socket.destroy();
    },
  };
}

/** COMMIT of a transaction that failed is answered by ROLLBACK, and is no error. */
async function commit(client: Client): Promise<void> {
  try {
    const { command } = await client.query('COMMIT');
    if (command !== 'COMMIT') throw new SqlError('statement', 'the server rolled the transaction back');
  } catch (error) {
    if (error instanceof SqlError) throw error;
    // 57P01, 57P02: the server is stopped or crashed, and may have committed before.
    const answered = error instanceof DatabaseError && !error.code?.startsWith('57P');
    if (answered) throw error;
    throw new SqlError('commitLost', 'the connection broke before the server had answered COMMIT', error);
  }
}

/**
 * Closing the connection alone would leave the statement running in the server, with its locks. Whoever may run it may
 * also cancel it.
 */
async function endBackend({ dsn, socket }: Connection, backend: number, busy: boolean): Promise<void> {
  if (!busy || socket.destroyed) {
    socket.destroy();
    return;
  }
  try {
    const other = await connect(dsn, AbortSignal.timeout(CANCEL_MS));
    const late = setTimeout(() => other.socket.destroy(), CANCEL_MS);
    await other.client.query('SELECT pg_cancel_backend($1)', [backend]).finally(() => clearTimeout(late));
    other.socket.destroy();
  } catch {
    // The server ends it by itself, at its statement_timeout or when it finds nobody at the other end.
  }
  socket.destroy();
}

/** In the extended protocol a text is one statement. Only the first row is kept, however many there are. */
function runQuery(client: Client, text: string, values: readonly (string | null)[]): Promise<SqlResult> {
  const config: QueryArrayConfig & { readonly queryMode: 'extended' } = {
    text,
    values: [...values],
    rowMode: 'array',
    queryMode: 'extended',
  };
  return new Promise((resolve, reject) => {
    const query = new Query<unknown[]>(config);
    let first: readonly SqlValue[] | undefined;
    query.on('row', (row: unknown) => {
      first ??= Array.isArray(row) ? row.map(toCell) : [];
    });
    query.on('error', reject);
    query.on('end', ({ rowCount, fields }) => {
      resolve({ rows: rowCount, columns: fields.map(({ name }) => name), first });
    });
    client.query(query);
  });
}

/** The server gives each parameter the type that its place asks for. */
function toParam({ value }: BoundValue): string | null {
  return value === null ? null : String(value);
}

function toCell(value: unknown): SqlValue {
  if (value === null || typeof value === 'boolean' || typeof value === 'number') return value;
  const text = value instanceof Date ? value.toISOString() : typeof value === 'string' ? value : JSON.stringify(value);
  return text.slice(0, LONGEST_CELL);
}

/** SQLSTATE: PostgreSQL's appendix A. */
function asSqlError(error: unknown, signal: AbortSignal): SqlError {
  if (error instanceof SqlError) return error;
  if (signal.aborted) return new SqlError('stopped', 'ended before it was done', error);
  if (!(error instanceof DatabaseError)) {
    const why = error instanceof Error ? error.message : String(error);
    return new SqlError('connectionLost', `the connection broke: ${why}`, error);
  }
  const { code = '' } = error;
  const detail = error.detail === undefined ? '' : `; ${error.detail}`;
  const message = `${error.message} (${code})${detail}`;
  if (code === '55P03') return new SqlError('locked', `somebody else holds a lock: ${message}`, error);
  if (code === '57014') return new SqlError('stopped', message, error);
  if (code.startsWith('57P')) return new SqlError('connectionLost', message, error);
  return new SqlError('statement', message, error);
}

import { Socket } from 'node:net';
import { Client, DatabaseError, type QueryArrayConfig } from 'pg';
import type { PostgresDatabase, SqlQuery } from '../../../core/model/metric-source.ts';
import type { Millis } from '../../../core/units.ts';
import type { Clock } from '../../clock.ts';
import type { SamplerMeans } from '../../sampler.ts';
import { type Database, type Row, SqlFault } from './database.ts';
import { type Dialect, describeStatement, readRows, selectStatement } from './wrap-query.ts';

const DIALECT: Dialect = {
  value: (column) => `(${column})::float8`,
  label: (column, length) => `left((${column})::text, ${length})`,
};

/** Of the time that a query has, the server gets this much to end it by itself; then the connection is closed. */
const SHARE_OF_THE_SERVER = 0.8;

type Connection = { readonly dsn: string; readonly client: Client; readonly socket: Socket };

/** Keeps one connection from sampling to sampling, as long as it is good. */
export function openPostgres({ dsn: reference }: PostgresDatabase, means: SamplerMeans): Database {
  let connection: Connection | undefined;
  const drop = () => {
    connection?.socket.destroy();
    connection = undefined;
  };
  const connected = async (signal: AbortSignal): Promise<Connection> => {
    const dsn = await revealed(means, reference);
    if (connection?.dsn === dsn && !connection.socket.destroyed) return connection;
    drop();
    connection = await connect(dsn, signal);
    return connection;
  };
  return {
    open: async (signal) => void (await connected(signal)),
    async select(query, spanMs, signal) {
      const { client, socket } = await connected(signal);
      using _guard = guard(means.clock, spanMs, signal, () => socket.destroy());
      try {
        return await selectReadOnly(client, query, spanMs);
      } catch (error) {
        if (error instanceof DatabaseError || error instanceof SqlFault) throw asFault(error, spanMs);
        drop();
        throw asFault(error, spanMs);
      }
    },
    rest: () => {},
    close: drop,
  };
}

async function revealed(means: SamplerMeans, reference: PostgresDatabase['dsn']): Promise<string> {
  const dsn = await means.secret(reference).catch((error: unknown) => {
    const why = error instanceof Error ? error.message : String(error);
    throw new SqlFault('secret', `the connection string cannot be had: ${why}`, { cause: error });
  });
  if (/^postgres(ql)?:\/\//.test(dsn)) return dsn;
  throw new SqlFault('bad_dsn', 'the connection string is not a URL such as postgres://user:password@host:5432/name');
}

async function connect(dsn: string, signal: AbortSignal): Promise<Connection> {
  const socket = new Socket();
  const abort = () => socket.destroy(new Error('no connection in time'));
  signal.addEventListener('abort', abort, { once: true });
  try {
    const client = new Client({ connectionString: dsn, application_name: 'revertd', stream: () => socket });
    // A connection that breaks while nothing is asked is noticed when it is used next.
    client.on('error', () => socket.destroy());
    await client.connect();
    return { dsn, client, socket };
  } catch (error) {
    socket.destroy();
    throw connectFault(error, signal);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/** What parses the connection string may show it in its error; so that one is not passed on. */
function connectFault(error: unknown, signal: AbortSignal): SqlFault {
  if (signal.aborted) return new SqlFault('timeout', 'the server did not complete the log-in in time');
  if (error instanceof DatabaseError) {
    return new SqlFault('login_refused', `the server refused the log-in: ${error.message} (${error.code})`);
  }
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (code === 'ERR_INVALID_URL') return new SqlFault('bad_dsn', 'the connection string is not a valid URL');
  const why = error instanceof AggregateError || !(error instanceof Error) ? code : error.message;
  return new SqlFault('unreachable', `no connection to the server: ${why}`);
}

function guard(clock: Clock, spanMs: Millis, signal: AbortSignal, end: () => void): Disposable {
  const timer = clock.setTimer(spanMs, end);
  signal.addEventListener('abort', end, { once: true });
  return {
    [Symbol.dispose]() {
      timer[Symbol.dispose]();
      signal.removeEventListener('abort', end);
    },
  };
}

/** In the extended protocol a text is one statement, so none can end the transaction and begin another. */
async function selectReadOnly(client: Client, query: SqlQuery, spanMs: Millis): Promise<Row[]> {
  const limit = Math.max(1, Math.floor(spanMs * SHARE_OF_THE_SERVER));
  await client.query(`BEGIN TRANSACTION READ ONLY; SET LOCAL statement_timeout = ${limit}`);
  try {
    const described = await client.query(extended(describeStatement(query)));
    const columns = described.fields.map(({ name }) => name);
    const { text, labels } = selectStatement(query, columns, DIALECT);
    const { rows } = await client.query<unknown[]>(extended(text));
    return readRows(rows, labels);
  } finally {
    await client.query('ROLLBACK');
  }
}

function extended(text: string): QueryArrayConfig & { readonly queryMode: 'extended' } {
  return { text, rowMode: 'array', queryMode: 'extended' };
}

/** SQLSTATE: PostgreSQL's appendix A. */
function asFault(error: unknown, spanMs: Millis): SqlFault {
  if (error instanceof SqlFault) return error;
  if (!(error instanceof DatabaseError)) {
    const why = error instanceof Error ? error.message : String(error);
    return new SqlFault('connection_lost', `no answer within ${spanMs} ms, or the connection broke: ${why}`);
  }
  const message = `${error.message} (${error.code})`;
  switch (error.code) {
    case '57014':
      return new SqlFault('timeout', `ended by the server: ${message}`, { cause: error });
    case '25006':
      return new SqlFault('read_only', `the query would write: ${message}`, { cause: error });
    case '42601':
      return new SqlFault('bad_query', `${message}; expected one SELECT`, { cause: error });
    default:
      return new SqlFault('bad_query', message, { cause: error });
  }
}

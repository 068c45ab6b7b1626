import { Socket } from 'node:net';
import { Client, DatabaseError } from 'pg';
import type { TargetOf } from '../../../core/model/target.ts';
import type { Millis } from '../../../core/units.ts';
import { parseDsn } from '../../allow-list.ts';
import { revealed, withDatabase } from '../../sql/postgres.ts';
import { SqlError, type SqlHost } from '../../sql/session.ts';
import { TargetError } from '../target-driver.ts';

/** Where the database of a target is, and how it is reached. `dsn` is secret. */
export type Place = {
  readonly dsn: string;
  readonly database: string;
  readonly redact: (text: string) => string;
};

/** A connection. Every value is a text, as the server writes it; `rows` rejects with TargetError. */
export type Connection = {
  /** The server's version, such as 150018. */
  readonly version: number;
  readonly rows: (text: string, params?: readonly (string | null)[]) => Promise<readonly Row[]>;
};

export type Row = readonly (string | null)[];

/** Ending a statement takes a connection of its own, which must not take long. */
const CANCEL_MS: Millis = 2000;
const AS_TEXT = { getTypeParser: () => (value: string) => value };

/** How values are written: the same on every server, whatever its settings, so that they can be compared. */
const SETTINGS = [
  'SET statement_timeout = 0',
  'SET idle_in_transaction_session_timeout = 0',
  "SET lock_timeout = '30s'",
  "SET search_path = 'pg_catalog'",
  "SET datestyle = 'ISO, YMD'",
  "SET intervalstyle = 'postgres'",
  "SET timezone = 'UTC'",
  "SET bytea_output = 'hex'",
  'SET extra_float_digits = 1',
  'SET row_security = off',
  "SET client_encoding = 'UTF8'",
].join('; ');

/** Rejects with TargetError `secret`, `notAllowed` or `database`. */
export async function placeOf(
  { type }: { readonly type: Pick<TargetOf<'postgres'>['type'], 'database'> },
  host: SqlHost,
): Promise<Place> {
  try {
    const dsn = await revealed(type.database, host);
    return { dsn, database: databaseIn(dsn), redact: host.secrets.redact };
  } catch (error) {
    if (!(error instanceof SqlError)) throw error;
    const code = error.code === 'notAllowed' || error.code === 'secret' ? error.code : 'database';
    throw new TargetError(code, error.message, error);
  }
}

/** Without a name it is that of the role: libpq's rule. */
function databaseIn(dsn: string): string {
  const url = parseDsn(dsn);
  return decodeURIComponent(url?.pathname.slice(1) ?? '') || decodeURIComponent(url?.username ?? '');
}

/** What PostgreSQL's programs read of their environment: nothing of it stands on their command line. */
export function environmentOf(place: Place, database: string): Readonly<Record<string, string>> {
  const url = parseDsn(place.dsn);
  const given = (name: string): string => url?.searchParams.get(name) ?? '';
  // `local` stands for a host that was left out.
  const host = given('host') || (place.dsn.includes('@/') ? '' : decodeURIComponent(url?.hostname ?? ''));
  const variables = {
    PGHOST: host.replace(/^\[|\]$/g, ''),
    PGPORT: (url?.port ?? '') || given('port'),
    PGUSER: decodeURIComponent(url?.username ?? '') || given('user'),
    PGPASSWORD: decodeURIComponent(url?.password ?? '') || given('password'),
    PGSSLMODE: given('sslmode'),
    PGSSLROOTCERT: given('sslrootcert'),
    PGSSLCERT: given('sslcert'),
    PGSSLKEY: given('sslkey'),
  };
  const named = Object.entries(variables).filter(([, value]) => value !== '');
  return {
    ...Object.fromEntries(named),
    PGDATABASE: database,
    PGAPPNAME: 'revertd',
    PGCLIENTENCODING: 'UTF8',
    PGCONNECT_TIMEOUT: '30',
  };
}

/** Connects for the time of `use`. When the signal aborts, what runs is ended in the server too. */
export async function withConnection<T>(
  place: Place,
  database: string,
  signal: AbortSignal,
  use: (connection: Connection) => Promise<T>,
): Promise<T> {
  if (signal.aborted) throw aborted();
  const { client, socket } = await connect(place, database, signal);
  let backend: string | null | undefined;
  const stop = () => void cancel(place, database, backend).finally(() => socket.destroy());
  signal.addEventListener('abort', stop, { once: true });
  const rows = async (text: string, params: readonly (string | null)[] = []): Promise<readonly Row[]> => {
    if (signal.aborted) throw aborted();
    try {
      const result = await client.query<string[]>({ text, values: [...params], rowMode: 'array', types: AS_TEXT });
      return result.rows;
    } catch (error) {
      throw faultOf(error, place, signal);
    }
  };
  try {
    await rows(SETTINGS);
    await rows("SET client_connection_check_interval = '2s'").catch(passUnknownSetting);
    const [[pid, version] = []] = await rows("SELECT pg_backend_pid(), current_setting('server_version_num')");
    backend = pid;
    return await use({ version: Number(version), rows });
  } finally {
    signal.removeEventListener('abort', stop);
    socket.destroy();
  }
}

/** Servers before version 14 do not know it. */
function passUnknownSetting(error: unknown): readonly Row[] {
  if (error instanceof TargetError && error.code === 'database') return [];
  throw error;
}

async function connect(place: Place, database: string, signal: AbortSignal) {
  const socket = new Socket();
  const abort = () => socket.destroy(new Error('no connection in time'));
  signal.addEventListener('abort', abort, { once: true });
  try {
    const connectionString = withDatabase(place.dsn, database);
    const client = new Client({ connectionString, application_name: 'revertd', stream: () => socket });
    client.on('error', () => socket.destroy());
    await client.connect();
    return { client, socket };
  } catch (error) {
    socket.destroy();
    throw faultOf(error, place, signal);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

async function cancel(place: Place, database: string, backend: string | null | undefined): Promise<void> {
  if (backend === undefined || backend === null) return;
  const late = AbortSignal.timeout(CANCEL_MS);
  try {
    const { client, socket } = await connect(place, database, late);
    const end = () => socket.destroy();
    late.addEventListener('abort', end, { once: true });
    await client.query('SELECT pg_cancel_backend($1)', [backend]).finally(end);
  } catch {
    // The server ends it by itself when it finds nobody at the other end.
  }
}

export function aborted(): TargetError {
  return new TargetError('aborted', 'it was ended before it was done');
}

/** SQLSTATE: PostgreSQL's appendix A. What is none of the server's or the connection's faults passes unchanged. */
function faultOf(error: unknown, { redact }: Place, signal: AbortSignal): unknown {
  if (error instanceof TargetError) return error;
  if (signal.aborted) return new TargetError('aborted', 'it was ended before it was done', error);
  if (!(error instanceof DatabaseError)) {
    const why = error instanceof Error ? error.message || error.name : String(error);
    return new TargetError('unreachable', redact(`the connection to the server failed: ${why}`), error);
  }
  const { code = '' } = error;
  const detail = error.detail === undefined ? '' : `; ${error.detail}`;
  return new TargetError(codeOf(code), redact(`${error.message} (${code})${detail}`), error);
}

function codeOf(state: string): TargetError['code'] {
  if (state === '3D000') return 'missing';
  if (state === '55006') return 'inUse';
  if (state === '55P03') return 'locked';
  if (state === '53100') return 'space';
  if (state === '57014') return 'aborted';
  // Serialization failures and deadlocks: the whole transaction may be tried again.
  if (state === '40001' || state === '40P01') return 'conflicting';
  // Integrity constraint violations.
  if (state.startsWith('23')) return 'constraint';
  return state.startsWith('57P') || state.startsWith('08') ? 'unreachable' : 'database';
}

/** A name within a statement. */
export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A text within a statement, with standard_conforming_strings. */
export function literal(text: string): string {
  const escaped = text.replaceAll("'", "''");
  return escaped.includes('\\') ? `E'${escaped.replaceAll('\\', '\\\\')}'` : `'${escaped}'`;
}

import { createHash, randomBytes } from 'node:crypto';
import { readFile, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { Millis } from '../../../core/units.ts';
import type { ContentStore } from '../../../store/content/content-store.ts';
import type { SqlHost } from '../../sql/session.ts';
import type { Progress } from '../captured-target.ts';
import { TargetError } from '../target-driver.ts';
import { type Connection, literal, type Place, quoted, withConnection } from './connection.ts';
import { contentsOf, keyOf, quotedTable, shownTable, type TableContent } from './contents.ts';
import type { DatabaseRecord } from './manifest.ts';
import { discard, runProgram } from './program.ts';
import { majorOf, type Programs, programsFor } from './programs.ts';
import { createDatabase } from './properties.ts';

/** What a scratch database is made with. */
export type ScratchMeans = {
  readonly place: Place;
  readonly host: SqlHost;
  readonly store: ContentStore;
  readonly signal: AbortSignal;
  readonly progress: (done: Progress) => void;
};

const TIDY_MS: Millis = 60_000;
/** Databases that every server has, in one of which another one can be made and renamed. */
const MAINTENANCE = ['postgres', 'template1'] as const;

/** Connects beside the database. Rejects with TargetError. */
export async function besideDatabase<T>(
  place: Place,
  signal: AbortSignal,
  use: (connection: Connection) => Promise<T>,
): Promise<T> {
  const [first, other] = MAINTENANCE;
  let isIn = false;
  const entered = async (connection: Connection) => {
    isIn = true;
    return await use(connection);
  };
  try {
    return await withConnection(place, first, signal, entered);
  } catch (error) {
    if (isIn || !(error instanceof TargetError) || error.code !== 'missing') throw error;
    return await withConnection(place, other, signal, use);
  }
}

/** What all that revertd makes beside a database is called: `revertd_1a2b3c4d5e_`, and what it is for. */
export function scratchPrefix(database: string): string {
  return `revertd_${createHash('sha256').update(database).digest('hex').slice(0, 10)}_`;
}

/** As long as it is being used its name is locked; when its user is gone the server lets go of it. */
export async function lockName({ rows }: Connection, name: string): Promise<boolean> {
  const key = createHash('sha256').update(name).digest().readBigInt64BE().toString();
  const [[isMine] = []] = await rows('SELECT pg_try_advisory_lock($1::bigint)', [key]);
  return isMine === 't';
}

/** A database with the snapshot's content, verified, for the time of `use`. Leftovers of others are taken away. */
export async function withScratchDatabase<T>(
  record: DatabaseRecord,
  means: ScratchMeans,
  use: (name: string) => Promise<T>,
): Promise<T> {
  const { database, end } = await openScratchDatabase(record, means);
  try {
    return await use(database);
  } finally {
    await end();
  }
}

/** The same for as long as it is needed: until `end`, which never rejects. */
export async function openScratchDatabase(
  record: DatabaseRecord,
  means: ScratchMeans,
): Promise<{ readonly database: string; readonly end: () => Promise<void> }> {
  const { place, signal } = means;
  const name = `${scratchPrefix(place.database)}see_${randomBytes(4).toString('hex')}`;
  const opened = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  const hold = async () => {
    try {
      await besideDatabase(place, signal, async (server) => {
        await lockName(server, name);
        await tidyScratch(server, place.database);
        await fillNew(server, name, record, means);
        opened.resolve();
        await release.promise;
      });
    } finally {
      await dropQuietly(place, name);
    }
  };
  const ended = hold();
  ended.catch((error: unknown) => opened.reject(error));
  await opened.promise;
  const end = async () => {
    release.resolve();
    await ended.catch(() => undefined);
  };
  return { database: name, end };
}

/** Makes it and fills it. Rejects with TargetError and ContentError; what was made by then stays. */
export async function fillNew(
  server: Connection,
  name: string,
  record: DatabaseRecord,
  means: ScratchMeans,
): Promise<void> {
  const { place, host, signal } = means;
  const programs = await programsFor(server.version, host.secrets, signal);
  if (majorOf(server.version) < majorOf(record.version)) {
    const message = `the snapshot is of PostgreSQL ${majorOf(record.version)}, and the server is of version ${majorOf(server.version)}: it may not load there. Nothing was touched`;
    throw new TargetError('tool', message);
  }
  await refuseWithoutSpace(server, record);
  await createDatabase(server, name, record.properties);
  await load(programs, name, record, means);
  await withConnection(place, name, signal, async (connection) => {
    if (record.isPart) await makeKeys(connection, record.tables);
    await connection.rows('ANALYZE');
    refuseDifferences(record, connection.version, await contentsOf(connection, record.tables));
  });
}

/** Of a part only definitions and rows were loaded; rows are compared, and named, by their primary keys. */
async function makeKeys(connection: Connection, tables: readonly TableContent[]): Promise<void> {
  for (const table of tables) {
    if (table.key.length === 0 || (await keyOf(connection, table)).length > 0) continue;
    const columns = table.key.map(quoted).join(', ');
    await connection.rows(`ALTER TABLE ${quotedTable(table)} ADD PRIMARY KEY (${columns})`);
  }
}

/** Has pg_restore read the archive from the store. */
async function load(
  programs: Programs,
  name: string,
  { content, isPart }: DatabaseRecord,
  { place, store, signal, progress }: ScratchMeans,
): Promise<void> {
  let bytes = 0;
  const input = async function* () {
    for await (const piece of store.read(content)) {
      bytes += piece.length;
      progress({ bytes, total: content.bytes });
      yield piece;
    }
  };
  const args = ['--exit-on-error', '--no-password', '--dbname', name];
  // Rows of a part refer to rows that are not among them.
  const sections = isPart ? ['--section=pre-data', '--section=data'] : [];
  const spec = { program: programs.restore, args: [...args, ...sections], place, database: name, input: input() };
  await runProgram(spec, signal, discard);
}

/** Versions may write the same value in another way, so between versions rows are only counted. */
function refuseDifferences(record: DatabaseRecord, version: number, found: readonly TableContent[]): void {
  const isSameVersion = majorOf(version) === majorOf(record.version);
  for (const [index, expected] of record.tables.entries()) {
    const table = found[index];
    if (table?.rows !== expected.rows) {
      const message = `${shownTable(expected)} has ${table?.rows ?? 0} rows after it was loaded, and had ${expected.rows} when it was captured`;
      throw new TargetError('snapshot', message);
    }
    if (isSameVersion && table.digest !== expected.digest) {
      throw new TargetError('snapshot', `${shownTable(expected)} has other rows than when it was captured`);
    }
  }
}

/** Only where the server's files are on this host, and it says where. */
async function refuseWithoutSpace({ rows }: Connection, { sizeBytes }: DatabaseRecord): Promise<void> {
  const [[folder] = []] = await rows(
    `SELECT current_setting('data_directory') WHERE pg_has_role('pg_read_all_settings', 'USAGE')
       AND (inet_server_addr() IS NULL OR inet_server_addr() <<= '127.0.0.0/8' OR inet_server_addr() = '::1')`,
  );
  if (folder === undefined || folder === null) return;
  const isHere = await readFile(join(folder, 'PG_VERSION')).then(
    () => true,
    () => false,
  );
  if (!isHere) return;
  const { bavail, bsize } = await statfs(folder);
  if (bavail * bsize >= sizeBytes) return;
  const message = `the database needs about ${sizeBytes} bytes beside the live one, and ${bavail * bsize} are free in ${folder}; nothing was changed`;
  throw new TargetError('space', message);
}

/** Takes away what nobody uses any more. */
export async function tidyScratch(server: Connection, database: string): Promise<void> {
  const prefix = `${scratchPrefix(database)}see_`;
  const found = await server.rows('SELECT datname FROM pg_database WHERE starts_with(datname::text, $1)', [prefix]);
  for (const [name] of found) {
    if (name !== undefined && name !== null && (await lockName(server, name))) await dropDatabase(server, name);
  }
}

/** Whoever is connected to it is sent away. */
export async function dropDatabase({ rows }: Connection, name: string): Promise<void> {
  await rows(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = ${literal(name)}`);
  await rows(`DROP DATABASE IF EXISTS ${quoted(name)}`);
}

/** What cannot be taken away now is taken away before the next one is made. */
export async function dropQuietly(place: Place, name: string): Promise<void> {
  try {
    await besideDatabase(place, AbortSignal.timeout(TIDY_MS), (server) => dropDatabase(server, name));
  } catch (error) {
    if (!(error instanceof TargetError)) throw error;
  }
}

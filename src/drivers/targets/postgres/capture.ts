import { createHash } from 'node:crypto';
import { createInterface } from 'node:readline';
import type { TargetOf } from '../../../core/model/target.ts';
import type { BlobRef } from '../../../store/content/blob-ref.ts';
import type { CaptureSession, Fill } from '../../../store/content/capture-session.ts';
import { fillFromPieces } from '../../../store/content/fill-from-pieces.ts';
import type { SqlHost } from '../../sql/session.ts';
import type { CaptureContext, CaptureOutcome } from '../captured-target.ts';
import { TargetError } from '../target-driver.ts';
import { type Connection, type Place, placeOf, withConnection } from './connection.ts';
import {
  beginState,
  chosenTables,
  columnsDigest,
  contentsOf,
  isSameTable,
  quotedTable,
  sequencesOf,
  sumOf,
  type TableName,
  tablesOf,
} from './contents.ts';
import { type DatabaseRecord, recordLines, recordOf } from './manifest.ts';
import { runProgram } from './program.ts';
import { type Programs, programsFor } from './programs.ts';
import { propertiesOf } from './properties.ts';
import { isWhole } from './target.ts';

type Described = Omit<DatabaseRecord, 'content'>;

/** One state of the database, and what it is read with. */
type State = {
  readonly place: Place;
  readonly programs: Programs;
  readonly name: string;
  readonly target: TargetOf<'postgres'>;
  readonly all: readonly TableName[];
};

/** Stores what pg_dump writes, and what was counted in the same state. Rejects with TargetError and ContentError. */
export async function captureDatabase(
  target: TargetOf<'postgres'>,
  host: SqlHost,
  context: CaptureContext,
): Promise<CaptureOutcome> {
  const { store, operation, signal, compression = store.compression, previous, now } = context;
  const from = now();
  const place = await placeOf(target, host);
  return await withConnection(place, place.database, signal, async (connection) => {
    const programs = await programsFor(connection.version, host.secrets, signal);
    const options = { operation, signal, compression };
    const session = await store.begin(previous === undefined ? options : { ...options, previous: previous.manifest });
    const name = await beginState(connection);
    const all = await tablesOf(connection);
    const state = { place, programs, name, target, all };
    const described = await describe(connection, state, signal);
    const reused = await unchanged(described, session, context);
    const content = reused ?? (await dump(state, session, context));
    const { manifest, storedBytes } = await session.commit(recordLines({ ...described, content }));
    const { bytes } = content;
    const fingerprint = fingerprintOf(described);
    const encrypted = store.encrypts;
    const snapshot = { manifest, storedBytes, bytes, fingerprint, compression, encrypted, from, to: now() };
    return { outcome: 'done', snapshot, detail: `${detailOf(described)}${reused === undefined ? '' : ', unchanged'}` };
  });
}

function detailOf({ tables }: Described): string {
  const rows = tables.reduce((sum, table) => sum + table.rows, 0);
  return `${rows} rows of ${tables.length} table${tables.length === 1 ? '' : 's'}`;
}

export function fingerprintOf({ definitions, sequences, tables }: Described): string {
  return sumOf([definitions, sequences, tables.map(({ schema, name, rows, digest }) => [schema, name, rows, digest])]);
}

async function describe(connection: Connection, state: State, signal: AbortSignal): Promise<Described> {
  const { place, target, all } = state;
  const chosen = chosenTables(target.type, all);
  const isAll = isWhole(target.type);
  const [[size] = []] = await connection.rows('SELECT pg_database_size(current_database())');
  const [[large] = []] = await connection.rows('SELECT EXISTS (SELECT FROM pg_largeobject_metadata)');
  return {
    database: place.database,
    version: connection.version,
    sizeBytes: Number(size),
    properties: await propertiesOf(connection),
    definitions: isAll ? await definitionsOf(state, signal) : await columnsDigest(connection, chosen),
    isPart: !isAll,
    sequences: isAll ? await sequencesOf(connection) : '',
    hasLargeObjects: isAll && large === 't',
    tables: await contentsOf(connection, chosen),
  };
}

/** What pg_dump writes of the same state beside what is different each time. */
const BY_CHANCE = /^(?:-- Dumped |\\(?:un)?restrict )/;

/** A digest of all that is defined. Rejects with TargetError. */
export async function definitionsOf(
  { place, programs, name }: Pick<State, 'place' | 'programs' | 'name'>,
  signal: AbortSignal,
): Promise<string> {
  const args = ['--schema-only', '--no-password', `--snapshot=${name}`, '--lock-wait-timeout=30s'];
  const spec = { program: programs.dump, args, place, database: place.database };
  return await runProgram(spec, signal, async (output) => {
    const sum = createHash('sha256');
    for await (const line of createInterface({ input: output, crlfDelay: Infinity })) {
      if (!BY_CHANCE.test(line)) sum.update(`${line}\n`);
    }
    return sum.digest('hex');
  });
}

/** The archive of the snapshot before, if it holds the same. */
async function unchanged(
  described: Described,
  session: CaptureSession,
  { store, log }: CaptureContext,
): Promise<BlobRef | undefined> {
  if (session.previous === undefined || described.hasLargeObjects) return undefined;
  try {
    const before = await recordOf(store, { manifest: session.previous });
    if (before.version !== described.version || before.hasLargeObjects) return undefined;
    if (fingerprintOf(before) !== fingerprintOf(described)) return undefined;
    return (await session.reuse(before.content)) ? before.content : undefined;
  } catch (error) {
    log(`it is dumped anew, since the snapshot before cannot be read: ${error instanceof Error ? error.message : ''}`);
    return undefined;
  }
}

/** Without compression of its own: the store compresses. Nothing is written but into the store. */
async function dump(state: State, session: CaptureSession, { signal, progress }: CaptureContext): Promise<BlobRef> {
  const { place, programs, name, target, all } = state;
  const chosen = chosenTables(target.type, all);
  const others = all.filter((table) => !chosen.some((one) => isSameTable(one, table)));
  const args = [
    '--format=custom',
    '--compress=0',
    '--no-password',
    `--snapshot=${name}`,
    '--lock-wait-timeout=30s',
    // Definitions are of the whole database: those of a part alone would not load.
    ...others.map((table) => `--exclude-table-data=${quotedTable(table)}`),
  ];
  const spec = { program: programs.dump, args, place, database: place.database };
  return await runProgram(spec, signal, async (output) => {
    const content = await session.put(counted(fillFromPieces(output), (bytes) => progress({ bytes })));
    if (content.bytes === 0) throw new TargetError('tool', 'pg_dump wrote nothing');
    return content;
  });
}

function counted(fill: Fill, onBytes: (bytes: number) => void): Fill {
  let total = 0;
  return async (buffer) => {
    const filled = await fill(buffer);
    total += filled;
    onBytes(total);
    return filled;
  };
}

/** Whether the live database is what a snapshot has, as far as it holds. */
export async function isAsCaptured(
  target: TargetOf<'postgres'>,
  { record, host, signal }: { readonly record: DatabaseRecord; readonly host: SqlHost; readonly signal: AbortSignal },
): Promise<boolean> {
  const place = await placeOf(target, host);
  return await withConnection(place, place.database, signal, async (connection) => {
    const programs = await programsFor(connection.version, host.secrets, signal);
    const name = await beginState(connection);
    const state = { place, programs, name, target, all: await tablesOf(connection) };
    return fingerprintOf(await describe(connection, state, signal)) === fingerprintOf(record);
  });
}

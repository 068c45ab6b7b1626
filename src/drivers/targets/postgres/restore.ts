import type { Snapshot } from '../../../core/model/point.ts';
import type { TargetOf } from '../../../core/model/target.ts';
import type { AllowList } from '../../allow-list.ts';
import type { SecretResolver } from '../../secrets.ts';
import type { CapturedHost } from '../captured-target.ts';
import type { CapturedContext, CapturedOrder } from '../captured-target-driver.ts';
import { mustQuiesce } from '../quiesce.ts';
import { TargetError } from '../target-driver.ts';
import { isAsCaptured } from './capture.ts';
import { diffDatabases } from './compare.ts';
import { type Connection, literal, placeOf, withConnection } from './connection.ts';
import { type DatabaseRecord, recordOf } from './manifest.ts';
import { applyProperties } from './properties.ts';
import { chosenRows, replaceRows } from './replace-rows.ts';
import {
  besideDatabase,
  dropDatabase,
  dropQuietly,
  fillNew,
  lockName,
  type ScratchMeans,
  scratchPrefix,
  tidyScratch,
  withScratchDatabase,
} from './scratch.ts';
import { swapDatabases } from './swap.ts';
import { isWhole } from './target.ts';

export type PostgresHost = CapturedHost & { readonly allow: AllowList; readonly secrets: SecretResolver };

type Order = CapturedOrder<TargetOf<'postgres'>>;

/** Rejects with TargetError and ContentError. */
export async function restoreTarget(host: PostgresHost, order: Order, context: CapturedContext): Promise<string> {
  const { target, snapshot, paths, rows } = order;
  const { store, signal, progress = () => undefined } = context;
  if (signal.aborted) throw new TargetError('aborted', 'it was ended before anything was changed');
  if (paths.length > 0) throw new TargetError('snapshot', 'a database has no paths; its parts are tables and keys');
  const place = await placeOf(target, host);
  const record = await recordOf(store, snapshot);
  if (record.database !== place.database) {
    const message = `the point has the database ${record.database}, and ${target.name} is ${place.database} now`;
    throw new TargetError('snapshot', message);
  }
  const means = { place, host, store, signal, progress };
  if (rows === undefined && !record.isPart && isWhole(target.type)) {
    return await restoreWhole(host, { target, snapshot, record }, means, context);
  }
  const chosen = chosenRows(target.type, record, rows);
  return await withScratchDatabase(record, means, async (scratch) => {
    host.at?.('verified');
    await mustQuiesce(target, context);
    const done = await replaceRows(chosen, scratch, means);
    host.at?.('placed');
    return done;
  });
}

type Whole = {
  readonly target: TargetOf<'postgres'>;
  readonly snapshot: Pick<Snapshot, 'manifest'>;
  readonly record: DatabaseRecord;
};

/**
 * The new database is made, filled and verified beside the live one, whose services stop only then. The swap is one
 * transaction, so a kill at any moment leaves the old database or the new one in its place.
 */
async function restoreWhole(
  { at = () => undefined }: PostgresHost,
  { target, snapshot, record }: Whole,
  means: ScratchMeans,
  context: CapturedContext,
): Promise<string> {
  const { place, signal } = means;
  const [staged, old] = [stagedName(place.database), oldName(place.database)];
  return await besideDatabase(place, signal, async (server) => {
    if (!(await lockName(server, staged))) {
      throw new TargetError('inUse', `${place.database} is being restored by somebody else already`);
    }
    await dropDatabase(server, staged);
    await dropOld(server, place.database);
    await tidyScratch(server, place.database);
    try {
      await fillNew(server, staged, record, means);
      await applyProperties(server, staged, record.properties);
      at('verified');
      await mustQuiesce(target, context);
      at('quiesced');
      await swapDatabases({ ...means, live: place.database, staged, old, mark: markOf(snapshot) });
    } catch (error) {
      await dropQuietly(place, staged);
      throw error;
    }
    at('placed');
    const left = await besideDatabase(place, signal, (other) => dropOld(other, place.database)).then(
      () => '',
      (error: unknown) => {
        if (!(error instanceof TargetError)) throw error;
        return `; the database that it replaced is still there as ${old}: ${error.message}`;
      },
    );
    const rows = record.tables.reduce((sum, table) => sum + table.rows, 0);
    return `${rows} rows of ${record.tables.length} tables put in place${left}`;
  });
}

function stagedName(database: string): string {
  return `${scratchPrefix(database)}new`;
}

function oldName(database: string): string {
  return `${scratchPrefix(database)}old`;
}

/** What the replaced database is marked with, in the transaction that replaces it: by what. */
function markOf({ manifest }: Pick<Snapshot, 'manifest'>): string {
  return `revertd replaced this by ${manifest}`;
}

async function dropOld(server: Connection, database: string): Promise<void> {
  await dropDatabase(server, oldName(database));
}

/**
 * After a crash: the replaced database is still there and says by what it was replaced, or the live one is what the
 * snapshot has. What a finished restore left is taken away. Rejects with TargetError and ContentError.
 */
export async function observeTarget(
  host: PostgresHost,
  { target, snapshot, rows }: Order,
  { store, signal }: Pick<CapturedContext, 'store' | 'signal'>,
): Promise<'done' | 'notDone'> {
  const record = await recordOf(store, snapshot);
  const place = await placeOf(target, host);
  if (rows !== undefined) {
    const context = { store, signal, progress: () => undefined, rows };
    const { groups } = await diffDatabases(target, host, { from: snapshot, to: 'live' }, context);
    return groups.length === 0 ? 'done' : 'notDone';
  }
  const isReplaced = await besideDatabase(place, signal, async (server) => {
    const mark = literal(markOf(snapshot));
    const [found] = await server.rows(
      `SELECT 1 FROM pg_database d WHERE d.datname = ${literal(oldName(place.database))}
         AND shobj_description(d.oid, 'pg_database') = ${mark}`,
    );
    if (found === undefined) return false;
    await dropOld(server, place.database);
    return true;
  });
  if (isReplaced) return 'done';
  try {
    return (await isAsCaptured(target, { record, host, signal })) ? 'done' : 'notDone';
  } catch (error) {
    if (error instanceof TargetError && error.code === 'missing') return 'notDone';
    throw error;
  }
}

/** When something was committed last: only where the server keeps that (`track_commit_timestamp`), for all of it. */
export async function lookAtTarget(target: TargetOf<'postgres'>, host: PostgresHost, signal: AbortSignal) {
  const place = await placeOf(target, host);
  return await withConnection(place, place.database, signal, async ({ rows }) => {
    const [[kept] = []] = await rows("SELECT current_setting('track_commit_timestamp')");
    if (kept !== 'on') return null;
    const [[at] = []] = await rows('SELECT floor(extract(epoch FROM timestamp) * 1000) FROM pg_last_committed_xact()');
    return at === undefined || at === null ? null : Number(at);
  });
}

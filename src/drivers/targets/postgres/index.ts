import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Snapshot } from '../../../core/model/point.ts';
import type { TargetOf } from '../../../core/model/target.ts';
import { faultText, type PointContext, type Rehearsed } from '../captured-target.ts';
import { capturedTargetDriver } from '../captured-target-driver.ts';
import type { TargetDriver } from '../target-driver.ts';
import { captureDatabase } from './capture.ts';
import { diffDatabases } from './compare.ts';
import { placeOf } from './connection.ts';
import { recordOf, shownLine } from './manifest.ts';
import { programsFor } from './programs.ts';
import { lookAtTarget, observeTarget, type PostgresHost, restoreTarget } from './restore.ts';
import { besideDatabase, openScratchDatabase } from './scratch.ts';

/** A PostgreSQL database, captured by pg_dump and put back through a scratch database on the same server. */
export function postgresTarget(host: PostgresHost): TargetDriver {
  return capturedTargetDriver(host, {
    kind: 'postgres',
    look: async (target, signal) => {
      const changedAt = await lookAtTarget(target, host, signal);
      return { kind: 'captured', ...(changedAt === null ? {} : { changedAt }) };
    },
    obstacle: (target, signal) => obstacleOf(target, host, signal),
    restore: (order, context) => restoreTarget(host, order, context),
    observe: (order, context) => observeTarget(host, order, context),
    capture: (target, context) => captureDatabase(target, host, context),
    diff: (target, from, to, context) => diffDatabases(target, host, { from, to }, context),
    shownLine,
    rehearse: (target, snapshot, folder, context) => rehearse({ target, host }, snapshot, folder, context),
  });
}

/** Whether the server is reached, the host allows it, and its programs are there. */
async function obstacleOf(
  target: TargetOf<'postgres'>,
  host: PostgresHost,
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    const place = await placeOf(target, host);
    await besideDatabase(place, signal, async ({ version }) => await programsFor(version, host.secrets, signal));
    return undefined;
  } catch (error) {
    return faultText(error);
  }
}

/** The folder only says where it is. */
async function rehearse(
  { target, host }: { readonly target: TargetOf<'postgres'>; readonly host: PostgresHost },
  snapshot: Snapshot,
  folder: string,
  { store, signal, progress }: PointContext,
): Promise<Rehearsed> {
  const place = await placeOf(target, host);
  const record = await recordOf(store, snapshot);
  const { database, end } = await openScratchDatabase(record, { place, host, store, signal, progress });
  const path = join(folder, 'database');
  await writeFile(path, `${database}\n`);
  const rows = record.tables.reduce((sum, table) => sum + table.rows, 0);
  return { path, database, end, detail: `${rows} rows of ${record.tables.length} tables, as they were counted` };
}

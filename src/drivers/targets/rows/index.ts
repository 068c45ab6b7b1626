import { mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import { describeMerge, type MergeReport } from '../../../core/merge/merge-report.ts';
import type { Snapshot } from '../../../core/model/point.ts';
import type { RowSelection, RowsTarget, TargetOf } from '../../../core/model/target.ts';
import type { CaptureSession } from '../../../store/content/capture-session.ts';
import type { ContentStore } from '../../../store/content/content-store.ts';
import { fillFromPieces } from '../../../store/content/fill-from-pieces.ts';
import {
  type CaptureContext,
  type CapturedHost,
  type CaptureOutcome,
  type DiffGroup,
  type PointContext,
  type Rehearsed,
  type TargetDiff,
} from '../captured-target.ts';
import { type CapturedContext, type CapturedOrder, capturedTargetDriver } from '../captured-target-driver.ts';
import { mustQuiesce } from '../quiesce.ts';
import { type MergeOrder, type TargetDriver, TargetError } from '../target-driver.ts';
import { type ChosenTables, type RowCounts, replaceRows } from './change-rows.ts';
import { compareTable } from './compare-rows.ts';
import { mergeRows } from './merge-rows.ts';
import type { RowsAccess, RowsState, TableShape } from './rows-session.ts';
import {
  fingerprintOf,
  type KeptRows,
  type KeptTable,
  keptLines,
  keptRows,
  readKept,
  rowLine,
} from './rows-snapshot.ts';
import { sqliteRows } from './sqlite-rows.ts';

/** Rows of chosen tables by their primary keys, put back while the application goes on writing. */
export function rowsTarget(host: CapturedHost): TargetDriver {
  return capturedTargetDriver(host, {
    kind: 'rows',
    look: (target, signal) => look(host, target, signal),
    capture: (target, context) => capture(host, target, context),
    restore: (order, context) => restore(host, order, context),
    merge: (order, context) => merge(host, order, context),
    observe: async ({ target, snapshot, rows }, { store, signal }) => {
      const context = { store, signal, progress: () => undefined, ...(rows === undefined ? {} : { rows }) };
      return (await diff(host, target, snapshot, 'live', context)).groups.length === 0 ? 'done' : 'notDone';
    },
    diff: (target, from, to, context) => diff(host, target, from, to, context),
    shownLine: ({ name }) => String(name),
    rehearse,
  });
}

/** Rejects with TargetError `secret`, `notAllowed` or `database`. */
async function accessOf({ database }: RowsTarget, host: CapturedHost): Promise<RowsAccess> {
  if (database.kind === 'sqlite') return sqliteRows(database.path);
  // PostgreSQL's client is loaded on hosts that ask one.
  const [{ placeOf }, { postgresRows }] = await Promise.all([
    import('../postgres/connection.ts'),
    import('./postgres-rows.ts'),
  ]);
  return postgresRows(database, await placeOf({ type: { database } }, host), host);
}

async function look(
  host: CapturedHost,
  { type }: TargetOf<'rows'>,
  signal: AbortSignal,
): ReturnType<TargetDriver['read']> {
  const access = await accessOf(type, host);
  await access.withState(signal, (state) => state.shapes(type.tables));
  return { kind: 'captured' };
}

async function capture(
  host: CapturedHost,
  { type }: TargetOf<'rows'>,
  context: CaptureContext,
): Promise<CaptureOutcome> {
  const { store, operation, signal, compression = store.compression, previous, now } = context;
  const from = now();
  const access = await accessOf(type, host);
  const options = { operation, signal, compression };
  const session = await store.begin(previous === undefined ? options : { ...options, previous: previous.manifest });
  const tables = await access.withState(signal, (state) => keepTables(state, type.tables, session, context));
  const kept = { identity: access.identity, tables };
  const { manifest, storedBytes } = await session.commit(keptLines(kept));
  const fingerprint = fingerprintOf(kept);
  const bytes = tables.reduce((sum, { content }) => sum + content.bytes, 0);
  const note = fingerprint === previous?.fingerprint ? ', unchanged' : '';
  const sizes = { bytes, storedBytes, compression, encrypted: store.encrypts };
  const snapshot = { manifest, fingerprint, ...sizes, from, to: now() };
  return { outcome: 'done', snapshot, detail: `${sizeText(tables)}${note}` };
}

function sizeText(tables: readonly KeptTable[]): string {
  const rows = tables.reduce((sum, table) => sum + table.rows, 0);
  return `${rows} rows of ${tables.length} table${tables.length === 1 ? '' : 's'}`;
}

async function keepTables(
  state: RowsState,
  names: readonly string[],
  session: CaptureSession,
  { signal, progress }: CaptureContext,
): Promise<readonly KeptTable[]> {
  const tables: KeptTable[] = [];
  let bytes = 0;
  for (const shape of await state.shapes(names)) {
    let rows = 0;
    const lines = async function* (): AsyncGenerator<Buffer> {
      for await (const batch of state.read(shape)) {
        if (signal.aborted) throw new TargetError('aborted', 'the capture was ended');
        rows += batch.length;
        const text = Buffer.from(batch.map(rowLine).join(''));
        bytes += text.length;
        progress({ bytes });
        yield text;
      }
    };
    const content = await session.put(fillFromPieces(lines()));
    tables.push({ ...shape, rows, content });
  }
  return tables;
}

type Order = CapturedOrder<TargetOf<'rows'>>;

async function restore(host: CapturedHost, order: Order, context: CapturedContext): Promise<string> {
  const { store, signal } = context;
  const { access, chosen } = await begun(host, order, context);
  await mustQuiesce(order.target, context);
  const counts = await replaceRows(access, chosen, { store, signal });
  return countsText(counts, chosen);
}

async function merge(
  host: CapturedHost,
  order: Order & { readonly merge: MergeOrder },
  context: CapturedContext,
): Promise<{ readonly detail: string; readonly report: MergeReport }> {
  const { store, signal } = context;
  const { access, chosen } = await begun(host, order, context);
  const { ancestor, ...spec } = order.merge;
  const source = { store, signal, ...(context.onPhase === undefined ? {} : { onPhase: context.onPhase }) };
  const before = await keptRows(store, ancestor);
  refuseOtherDatabase(order.target, access, before);
  await refuseDamaged(store, { tables: before.tables, rows: undefined });
  await mustQuiesce(order.target, context);
  const { report, counts } = await mergeRows(access, { ...chosen, ancestors: before.tables, spec }, source);
  const said = describeMerge(report);
  return { report, detail: report.end === 'completed' ? `${countsText(counts, chosen)}; ${said}` : said };
}

/** What is needed for it, once it is known that it can be done. */
async function begun(
  host: CapturedHost,
  { target, snapshot, paths, rows }: Order,
  { store, signal }: CapturedContext,
): Promise<{ readonly access: RowsAccess; readonly chosen: ChosenTables }> {
  if (signal.aborted) throw new TargetError('aborted', 'it was ended before anything was changed');
  if (paths.length > 0) throw new TargetError('snapshot', 'a database has no paths; its parts are tables and keys');
  const refused = target.type.database.kind === 'sqlite' ? host.allow.mayWrite(target.type.database.path) : undefined;
  if (refused !== undefined) throw new TargetError('notAllowed', refused);
  const access = await accessOf(target.type, host);
  const kept = await keptRows(store, snapshot);
  refuseOtherDatabase(target, access, kept);
  const chosen = chosenTables(target.type, kept, rows);
  await refuseDamaged(store, chosen);
  return { access, chosen };
}

function refuseOtherDatabase({ name }: TargetOf<'rows'>, { identity, shown }: RowsAccess, kept: KeptRows): void {
  if (kept.identity === identity) return;
  throw new TargetError('snapshot', `the point has rows of ${kept.identity}, and ${name} is of ${shown} now`);
}

/** Reading all of it verifies it, before anything stands still for it. */
async function refuseDamaged(store: ContentStore, { tables }: ChosenTables): Promise<void> {
  for (const table of tables) {
    let rows = 0;
    for await (const batch of readKept(store, table)) rows += batch.length;
    if (rows === table.rows) continue;
    throw new TargetError(
      'snapshot',
      `the snapshot has ${rows} rows of ${table.name}, and ${table.rows} were captured`,
    );
  }
}

/** @throws {TargetError} `snapshot` for a table that the point does not have */
function chosenTables(type: RowsTarget, { tables }: KeptRows, rows: RowSelection | undefined): ChosenTables {
  const wanted = rows?.tables ?? type.tables.filter((name) => tables.some((table) => isNamed(table, name)));
  const found = wanted.map((name) => {
    const table = tables.find((one) => isNamed(one, name));
    if (table !== undefined) return table;
    const there = tables.map((one) => one.name).join(', ');
    throw new TargetError('snapshot', `the point has no table "${name}"; it has ${there || 'none'}`);
  });
  if (found.length > 0) return { tables: found, rows };
  throw new TargetError('snapshot', 'the point has none of the tables that the target is about now');
}

function isNamed({ name }: TableShape, text: string): boolean {
  return name === text || name === text.replace(/^public\./, '') || name.toLowerCase() === text.toLowerCase();
}

function countsText({ inserted, replaced, deleted }: RowCounts, { tables }: ChosenTables): string {
  const names = tables.map(({ name }) => name).join(', ');
  if (inserted + replaced + deleted === 0) return `the rows of ${names} are so already`;
  return `rows of ${names}: ${inserted} put back, ${replaced} changed, ${deleted} removed`;
}

async function diff(
  host: CapturedHost,
  { type }: TargetOf<'rows'>,
  from: Snapshot,
  to: Snapshot | 'live',
  { store, signal, rows }: PointContext,
): Promise<TargetDiff> {
  const before = await keptRows(store, from);
  const { tables } = chosenTables(type, before, rows);
  const groups: DiffGroup[] = [];
  const compare = async (older: KeptTable, shape: TableShape, read: () => ReturnType<RowsState['read']>) => {
    const group = await compareTable(older, { shape, read }, { store, rows });
    if (group !== undefined) groups.push(group);
  };
  if (to === 'live') {
    const access = await accessOf(type, host);
    await access.withState(signal, async (state) => {
      for (const [index, shape] of (await state.shapes(tables.map(({ name }) => name))).entries()) {
        const older = tables[index];
        if (older !== undefined) await compare(older, shape, () => state.read(shape));
      }
    });
    return { groups };
  }
  const after = await keptRows(store, to);
  for (const older of tables) {
    const newer = after.tables.find(({ name }) => name === older.name);
    if (newer !== undefined) await compare(older, newer, () => readKept(store, newer));
  }
  return { groups };
}

/** The lines of each table, read and counted; no database is made of them. */
async function rehearse(
  _target: TargetOf<'rows'>,
  snapshot: Snapshot,
  folder: string,
  { store }: PointContext,
): Promise<Rehearsed> {
  const path = join(folder, 'rows');
  await mkdir(path, { mode: 0o700 });
  const { tables } = await keptRows(store, snapshot);
  await refuseDamaged(store, { tables, rows: undefined });
  for (const [index, table] of tables.entries()) {
    const handle = await open(join(path, `${index}.jsonl`), 'wx', 0o600);
    try {
      for await (const piece of store.read(table.content)) await handle.writeFile(piece);
    } finally {
      await handle.close();
    }
  }
  return { path, detail: `${sizeText(tables)}, all of them read` };
}

import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { Snapshot } from '../../../core/model/point.ts';
import type { TargetOf } from '../../../core/model/target.ts';
import type { ContentStore } from '../../../store/content/content-store.ts';
import { type CapturedHost, type PointContext, type TargetDiff } from '../captured-target.ts';
import { type CapturedContext, type CapturedOrder, capturedTargetDriver } from '../captured-target-driver.ts';
import { mustQuiesce } from '../quiesce.ts';
import { type TargetDriver, TargetError } from '../target-driver.ts';
import { askDatabase } from './ask-database.ts';
import { captureDatabase, makeCopy } from './capture.ts';
import { companionName, lookAtDatabase, lookAtName, withDatabase } from './database-file.ts';
import { recordOf } from './database-manifest.ts';
import { observeDatabase } from './observe.ts';
import { restoreDatabase } from './restore.ts';
import { restoreRows } from './restore-rows.ts';

/** A SQLite database, captured by SQLite itself and put back by one rename. */
export function sqliteTarget(host: CapturedHost): TargetDriver {
  return capturedTargetDriver(host, {
    kind: 'sqlite',
    look,
    restore: (order, context) => restoreTarget(host, order, context),
    observe: async ({ target, snapshot, rows }, { store, signal }) => {
      if (rows !== undefined) {
        const context = { store, signal, progress: () => undefined, rows };
        return (await diffTarget(target, snapshot, 'live', context)).groups.length === 0 ? 'done' : 'notDone';
      }
      const record = await recordOf(store, snapshot);
      return await withDatabase(record.path, (root) => observeDatabase({ root, record, store, signal }));
    },
    capture: captureDatabase,
    diff: diffTarget,
    shownLine: (line) => String(line['path']),
    rehearse,
  });
}

async function look({ type }: TargetOf<'sqlite'>): ReturnType<TargetDriver['read']> {
  return await withDatabase(type.path, async (root) => {
    const file = await lookAtDatabase(root);
    const wal = await lookAtName(root, companionName(root, '-wal'));
    return { kind: 'captured', changedAt: Math.max(Number(file.mtimeMs), Number(wal?.mtimeMs ?? 0n)) };
  });
}

async function restoreTarget(
  { allow, at }: CapturedHost,
  { target, snapshot, paths, rows }: CapturedOrder<TargetOf<'sqlite'>>,
  context: CapturedContext,
): Promise<string> {
  const { store, signal, log, progress = () => undefined } = context;
  if (paths.length > 0) throw new TargetError('snapshot', 'a database has no paths; its parts are tables and keys');
  const record = await recordOf(store, snapshot);
  if (record.path !== target.type.path) {
    throw new TargetError('snapshot', `the point has ${record.path}, which ${target.name} is no longer`);
  }
  return await withDatabase(record.path, async (root) => {
    const refused = allow.mayWrite(target.type.path) ?? allow.mayWrite(root.path);
    if (refused !== undefined) throw new TargetError('notAllowed', refused);
    const quiesce = () => mustQuiesce(target, context);
    if (rows !== undefined) {
      const write = (path: string) => writeSnapshot(store, snapshot, path);
      return await restoreRows({ root, rows, store, signal, write, quiesce });
    }
    const watched = at === undefined ? {} : { at };
    return await restoreDatabase({ root, record, store, signal, log, progress, quiesce, ...watched });
  });
}

async function diffTarget(
  { type }: TargetOf<'sqlite'>,
  from: Snapshot,
  to: Snapshot | 'live',
  { store, signal, rows }: PointContext,
): Promise<TargetDiff> {
  return await store.withScratch(async (folder) => {
    const [before, after] = [join(folder, 'before.db'), join(folder, 'after.db')];
    await writeSnapshot(store, from, before);
    if (to === 'live') await withDatabase(type.path, (root) => makeCopy(root, after, { signal }));
    else await writeSnapshot(store, to, after);
    const answer = await askDatabase(
      { ask: 'compare', before, after, ...(rows === undefined ? {} : { rows }) },
      type.path,
      signal,
    );
    if (answer.kind !== 'compared') throw new TypeError(`asked to compare, it answered ${answer.kind}`);
    const groups = answer.tables.map((table) => {
      const isCut = table.added + table.removed + table.changed > table.items.length;
      return { ...table, isCut };
    });
    return { groups };
  });
}

async function writeSnapshot(store: ContentStore, snapshot: Snapshot, path: string): Promise<void> {
  const { content } = await recordOf(store, snapshot);
  const handle = await open(path, 'wx', 0o600);
  try {
    for await (const piece of store.read(content)) await handle.writeFile(piece);
  } finally {
    await handle.close();
  }
}

async function rehearse(
  _target: TargetOf<'sqlite'>,
  snapshot: Snapshot,
  folder: string,
  { store, signal }: PointContext,
): Promise<{ path: string; detail: string }> {
  const path = join(folder, 'database.db');
  await writeSnapshot(store, snapshot, path);
  const answer = await askDatabase({ ask: 'check', path }, path, signal);
  if (answer.kind === 'damaged') throw new TargetError('damaged', `it is damaged: ${answer.findings.join('; ')}`);
  return { path, detail: `${snapshot.bytes} bytes, intact` };
}

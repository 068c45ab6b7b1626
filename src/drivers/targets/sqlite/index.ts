import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { Snapshot } from '../../../core/model/point.ts';
import type { Target } from '../../../core/model/target.ts';
import type { ContentStore } from '../../../store/content/content-store.ts';
import {
  type CapturedDriver,
  type CapturedHost,
  faultText,
  type PointContext,
  type TargetDiff,
} from '../captured-target.ts';
import { errnoOf } from '../files/walk.ts';
import { mustQuiesce } from '../quiesce.ts';
import { examineCaptured, rehearseCaptured } from '../rehearse-captured.ts';
import { type RestoreContext, type TargetDriver, TargetError, type TargetOrder } from '../target-driver.ts';
import { verifySnapshot } from '../verify-snapshot.ts';
import { askDatabase } from './ask-database.ts';
import { captureDatabase, makeCopy, type SqliteTargetOf } from './capture.ts';
import { companionName, lookAtDatabase, lookAtName, withDatabase } from './database-file.ts';
import { recordOf } from './database-manifest.ts';
import { observeDatabase } from './observe.ts';
import { restoreDatabase } from './restore.ts';

/** A SQLite database, captured by SQLite itself and put back by one rename. */
export function sqliteTarget(host: CapturedHost): TargetDriver {
  const points = capturedDatabase();
  return {
    read: (target) => look(databaseOf(target)),
    refresh: () => Promise.resolve(undefined),
    prepare: () => Promise.resolve(null),
    restore: async (order, context) => {
      try {
        return { outcome: 'done', detail: await restoreTarget(host, order, context) };
      } catch (error) {
        return { outcome: 'failed', detail: faultText(error) };
      }
    },
    observe: async (order, signal, store) => {
      if (order.snapshot === undefined || store === undefined) return 'unknown';
      try {
        const record = await recordOf(store, order.snapshot);
        return await withDatabase(record.path, (root) => observeDatabase({ root, record, store, signal }));
      } catch (error) {
        faultText(error);
        return 'unknown';
      }
    },
    examine: (order) => Promise.resolve(examineCaptured(host.allow, order)),
    rehearse: (order, context) => rehearseCaptured({ ...order, target: databaseOf(order.target) }, points, context),
    keep: () => Promise.resolve(),
    points,
  };
}

function capturedDatabase(): CapturedDriver {
  return {
    capture: async (target, context) => {
      try {
        return await captureDatabase(databaseOf(target), context);
      } catch (error) {
        context.store.release(context.operation);
        return { outcome: 'failed', detail: faultText(error) };
      }
    },
    diff: (target, from, to, context) => diffTarget(databaseOf(target), from, to, context),
    verify: (_target, snapshot, context) => verifySnapshot(snapshot, context, (line) => String(line['path'])),
    rehearse: async (_target, snapshot, folder, context) => {
      try {
        const path = join(folder, 'database.db');
        return { outcome: 'done', path, detail: await rehearse(snapshot, path, context) };
      } catch (error) {
        return { outcome: 'failed', detail: faultText(error) };
      }
    },
  };
}

function databaseOf(target: Target): SqliteTargetOf {
  const { type } = target;
  if (type.kind !== 'sqlite') throw new TypeError(`${target.name} is of type ${type.kind}, not sqlite`);
  return { ...target, type };
}

async function look({ type }: SqliteTargetOf): ReturnType<TargetDriver['read']> {
  try {
    return await withDatabase(type.path, async (root) => {
      const file = await lookAtDatabase(root);
      const wal = await lookAtName(root, companionName(root, '-wal'));
      return { kind: 'captured', changedAt: Math.max(Number(file.mtimeMs), Number(wal?.mtimeMs ?? 0n)) };
    });
  } catch (error) {
    return { kind: 'unreadable', code: errnoOf(error) ?? 'io', message: faultText(error) };
  }
}

async function restoreTarget(
  { allow, at }: CapturedHost,
  order: TargetOrder,
  context: RestoreContext,
): Promise<string> {
  const target = databaseOf(order.target);
  const { snapshot } = order;
  const { store, signal, log, progress = () => undefined } = context;
  if (snapshot === undefined || store === undefined) {
    throw new TargetError('snapshot', `${target.name} can only be restored from a point; ${order.to} is none`);
  }
  if (order.paths.length > 0) throw new TargetError('snapshot', 'a database has no paths; it is restored as a whole');
  const record = await recordOf(store, snapshot);
  if (record.path !== target.type.path) {
    throw new TargetError('snapshot', `the point has ${record.path}, which ${target.name} is no longer`);
  }
  return await withDatabase(record.path, async (root) => {
    const refused = allow.mayWrite(target.type.path) ?? allow.mayWrite(root.path);
    if (refused !== undefined) throw new TargetError('notAllowed', refused);
    const quiesce = () => mustQuiesce(target, context);
    const watched = at === undefined ? {} : { at };
    return await restoreDatabase({ root, record, store, signal, log, progress, quiesce, ...watched });
  });
}

async function diffTarget(
  { type }: SqliteTargetOf,
  from: Snapshot,
  to: Snapshot | 'live',
  { store, signal }: PointContext,
): Promise<TargetDiff> {
  return await store.withScratch(async (folder) => {
    const [before, after] = [join(folder, 'before.db'), join(folder, 'after.db')];
    await write(store, from, before);
    if (to === 'live') await withDatabase(type.path, (root) => makeCopy(root, after, { signal }));
    else await write(store, to, after);
    const answer = await askDatabase({ ask: 'compare', before, after }, type.path, signal);
    if (answer.kind !== 'compared') throw new TypeError(`asked to compare, it answered ${answer.kind}`);
    const groups = answer.tables.map((table) => {
      const isCut = table.added + table.removed + table.changed > table.items.length;
      return { ...table, isCut };
    });
    return { groups };
  });
}

async function write(store: ContentStore, snapshot: Snapshot, path: string): Promise<void> {
  const { content } = await recordOf(store, snapshot);
  const handle = await open(path, 'wx', 0o600);
  try {
    for await (const piece of store.read(content)) await handle.writeFile(piece);
  } finally {
    await handle.close();
  }
}

async function rehearse(snapshot: Snapshot, path: string, { store, signal }: PointContext): Promise<string> {
  await write(store, snapshot, path);
  const answer = await askDatabase({ ask: 'check', path }, path, signal);
  if (answer.kind === 'damaged') throw new TargetError('damaged', `it is damaged: ${answer.findings.join('; ')}`);
  return `${snapshot.bytes} bytes, intact`;
}

import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open, rename, statfs, unlink } from 'node:fs/promises';
import type { BlobRef } from '../../../store/content/blob-ref.ts';
import { errnoOf } from '../../../store/content/content-error.ts';
import type { ContentStore } from '../../../store/content/content-store.ts';
import type { BytePath } from '../files/byte-path.ts';
import { STAGE_PREFIX } from '../files/exclusion.ts';
import { explained, type OpenRoot } from '../files/walk.ts';
import { TargetError } from '../target-driver.ts';
import { askDatabase } from './ask-database.ts';
import { COMPANIONS, companionName, type DatabaseRecord, hasUnsettled, lookAtName } from './database-file.ts';
import { openersOfDatabase } from './openers.ts';

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants;
const LOCK_MS = 10_000;

export type DatabaseRestore = {
  readonly root: OpenRoot;
  readonly record: DatabaseRecord;
  readonly store: ContentStore;
  readonly signal: AbortSignal;
  readonly progress: (done: { readonly bytes: number; readonly total: number }) => void;
  readonly log: (line: string) => void;
  readonly quiesce: () => Promise<void>;
  /** Called at each step that a crash could come after; for tests. */
  readonly at?: (boundary: string) => void;
};

/**
 * Puts the snapshot in the database's place. It is written beside it first; then services stop, the old file takes in
 * what was still beside it, and one rename puts the new one there. So at every moment there is a whole database, the old
 * or the new, and never a new one beside the old one's `-wal`, which SQLite would play back into it. Rejects with
 * TargetError, ContentError and errors of system calls.
 */
export async function restoreDatabase(restore: DatabaseRestore): Promise<string> {
  const { root, at = () => undefined } = restore;
  const staged = stagedName(root);
  try {
    await stage(restore, staged);
    at('staged');
    await restore.quiesce();
    await refuseOpeners(restore);
    await settleOld(restore);
    at('settled');
    await rename(root.parent.at(staged), root.parent.at(root.name));
    at('placed');
    await root.parent.handle.sync();
  } catch (error) {
    await remove(root, staged);
    throw explained(error, root.path);
  }
  return `${restore.record.content.bytes} bytes put in place`;
}

function stagedName({ path }: OpenRoot): BytePath {
  return `${STAGE_PREFIX}${createHash('sha256').update(path).digest('hex').slice(0, 16)}`;
}

async function stage({ root, record, store, signal, progress }: DatabaseRestore, name: BytePath): Promise<void> {
  const { content, mode, uid, gid } = record;
  await refuseWithoutSpace(root, content);
  await remove(root, name);
  const handle = await open(root.parent.at(name), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  try {
    let done = 0;
    const onBytes = (bytes: number) => progress({ bytes: (done += bytes), total: content.bytes });
    if (!(await store.giveInto(content, root.parent.at(name), { signal, onBytes }))) {
      done = 0;
      await writeContent(handle, { store, content, signal, onBytes });
    }
    await handle.chown(uid, gid);
    await handle.chmod(mode);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

type Writing = Pick<DatabaseRestore, 'store' | 'signal'> & {
  readonly content: BlobRef;
  readonly onBytes: (bytes: number) => void;
};

async function writeContent(handle: FileHandle, { store, content, signal, onBytes }: Writing): Promise<void> {
  await handle.truncate();
  for await (const piece of store.read(content)) {
    if (signal.aborted) throw new TargetError('aborted', 'the restore was ended before anything was changed');
    await writeAll(handle, piece);
    onBytes(piece.length);
  }
}

async function writeAll(handle: FileHandle, piece: Buffer): Promise<void> {
  let written = 0;
  while (written < piece.length) written += (await handle.write(piece, written)).bytesWritten;
}

async function refuseWithoutSpace({ parent, path }: OpenRoot, { bytes }: BlobRef): Promise<void> {
  const { bavail, bsize } = await statfs(parent.self);
  if (bavail * bsize >= bytes) return;
  const message = `${path}: the restore needs ${bytes} bytes, and ${bavail * bsize} are free; nothing was changed`;
  throw new TargetError('space', message);
}

/** Whoever still has the old file open would go on writing to it, unseen by everybody who opens the new one. */
async function refuseOpeners({ root, log }: DatabaseRestore): Promise<void> {
  const { processes, unseen } = await openersOfDatabase(root);
  if (unseen > 0) log(`${unseen} processes of other users could not be looked into; one of them may have it open`);
  if (processes.length === 0) return;
  const message = `${root.path} is still open in ${processes.join(', ')}; stop it by the target's quiesce. Nothing was changed`;
  throw new TargetError('inUse', message);
}

/** A database that is too damaged to take in what is beside it is put aside with it: what it was is in the safety point. */
async function settleOld({ root, signal, log }: DatabaseRestore): Promise<void> {
  const stats = await lookAtName(root, root.name);
  if (stats?.isFile() === true && (await hasUnsettled(root))) {
    const file = { path: root.path, dev: String(stats.dev), ino: String(stats.ino) };
    try {
      await askDatabase({ ask: 'settle', file, lockMs: LOCK_MS }, root.path, signal);
    } catch (error) {
      if (!(error instanceof TargetError) || error.code !== 'damaged') throw error;
      log(`${root.path} is damaged, so what was beside it is removed: ${error.message}`);
    }
  }
  for (const companion of COMPANIONS) await remove(root, companionName(root, companion));
}

async function remove(root: OpenRoot, name: BytePath): Promise<void> {
  try {
    await unlink(root.parent.at(name));
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
  }
}

import type { FileHandle } from 'node:fs/promises';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { ContentStore } from '../../../store/content/content-store.ts';
import { sumOnly } from '../files/read-file.ts';
import type { OpenRoot } from '../files/walk.ts';
import { makeCopy } from './capture.ts';
import { type DatabaseRecord, hasUnsettled, lookAtDatabase, lookAtName, openDatabaseFile } from './database-file.ts';

export type Observation = {
  readonly root: OpenRoot;
  readonly record: DatabaseRecord;
  readonly store: ContentStore;
  readonly signal: AbortSignal;
};

/**
 * Whether the database is what the snapshot has: byte for byte, as after a restore, or, where SQLite has it arranged
 * otherwise, by a copy that is made as the snapshot's was. Rejects with TargetError and ContentError.
 */
export async function observeDatabase({ root, record, store, signal }: Observation): Promise<'done' | 'notDone'> {
  if ((await lookAtName(root, root.name)) === undefined) return 'notDone';
  const { mode, uid, gid } = await lookAtDatabase(root);
  if (Number(mode & 0o7777n) !== record.mode) return 'notDone';
  if (Number(uid) !== record.uid || Number(gid) !== record.gid) return 'notDone';
  if (!(await hasUnsettled(root)) && (await sumOf(await openDatabaseFile(root))) === record.content.sha256)
    return 'done';
  return await store.withScratch(async (folder) => {
    const copy = join(folder, 'copy.db');
    await makeCopy(root, copy, { signal });
    return (await sumOf(await open(copy, 'r'))) === record.content.sha256 ? 'done' : 'notDone';
  });
}

async function sumOf(handle: FileHandle): Promise<string> {
  let position = 0;
  try {
    const { sha256 } = await sumOnly(async (buffer) => {
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, position);
      position += bytesRead;
      return bytesRead;
    });
    return sha256;
  } finally {
    await handle.close();
  }
}

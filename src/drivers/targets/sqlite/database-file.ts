import { type BigIntStats, constants } from 'node:fs';
import { type FileHandle, open, statfs } from 'node:fs/promises';
import type { BlobRef } from '../../../store/content/blob-ref.ts';
import { errnoOf } from '../../../store/content/content-error.ts';
import { type BytePath, toBytePath } from '../files/byte-path.ts';
import { explained, type OpenRoot, openRoot } from '../files/walk.ts';
import { TargetError } from '../target-driver.ts';

const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants;

/** What SQLite keeps beside a database: sqlite.org/tempfiles.html. */
export const COMPANIONS = ['-wal', '-shm', '-journal'] as const;
export type Companion = (typeof COMPANIONS)[number];

/** Opens the folder of a database for as long as `use` runs. Rejects with TargetError `link`, `io`. */
export async function withDatabase<T>(path: string, use: (root: OpenRoot) => Promise<T>): Promise<T> {
  const root = await openRoot(path, 0);
  try {
    return await use(root);
  } finally {
    await root.parent.letGo();
  }
}

export function companionName(root: OpenRoot, companion: Companion): BytePath {
  return `${root.name}${toBytePath(companion)}`;
}

/** Undefined if it is not there. Rejects with TargetError. */
export async function lookAtName(root: OpenRoot, name: BytePath): Promise<BigIntStats | undefined> {
  try {
    return await root.parent.look(name);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw explained(error, root.path);
  }
}

/** The file itself. Rejects with TargetError `io` if there is none. */
export async function lookAtDatabase(root: OpenRoot): Promise<BigIntStats> {
  const stats = await lookAtName(root, root.name);
  if (stats === undefined) throw new TargetError('io', `${root.path} does not exist`);
  if (!stats.isFile()) throw new TargetError('io', `${root.path} is no file`);
  return stats;
}

/** Whether there is anything in a `-wal` or `-journal` beside it that is not in the file itself yet. */
export async function hasUnsettled(root: OpenRoot): Promise<boolean> {
  for (const companion of ['-wal', '-journal'] as const) {
    const stats = await lookAtName(root, companionName(root, companion));
    if (stats !== undefined && stats.size > 0n) return true;
  }
  return false;
}

export async function openDatabaseFile(root: OpenRoot): Promise<FileHandle> {
  try {
    return await open(root.parent.at(root.name), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch (error) {
    throw explained(error, root.path);
  }
}

/** What a manifest says of a database, beside where its content is. */
export type DatabaseRecord = {
  readonly path: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly content: BlobRef;
  /** Which file it was taken from, and how that stood; null while something was still beside it. */
  readonly source: string | null;
};

/** The same for a file that nobody wrote to since. */
export function sourceOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return [dev, ino, size, mtimeNs, ctimeNs].join(':');
}

/** Rejects with TargetError `space`. */
export async function refuseWithoutSpace(folder: string, bytes: number, what: string): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  if (bavail * bsize >= bytes) return;
  throw new TargetError('space', `${what}, of ${bytes} bytes, has no room in ${folder}: ${bavail * bsize} are free`);
}

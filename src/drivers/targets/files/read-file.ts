import { createHash } from 'node:crypto';
import { type BigIntStats, constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import type { BlobRef } from '../../../store/content/blob-ref.ts';
import type { Fill } from '../../../store/content/capture-session.ts';
import { explained, isGone, type OpenRoot, type Seen, shownBelow } from './walk.ts';

const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants;

/** A file that changes while it is read is read so often; then what was read last has to do. */
const ATTEMPTS = 3;

export type ReadResult =
  | { readonly kind: 'read'; readonly content: BlobRef; readonly stats: BigIntStats; readonly isStable: boolean }
  | { readonly kind: 'gone' };

/** What takes the bytes of a file. */
export type Sink = (fill: Fill) => Promise<BlobRef>;

/** Reads a file as of one moment, if it stands still for long enough. Rejects with TargetError, and as `sink` does. */
export async function readStable(
  root: OpenRoot,
  { parent, name, path }: Pick<Seen, 'parent' | 'name' | 'path'>,
  sink: Sink,
): Promise<ReadResult> {
  let last: ReadResult = { kind: 'gone' };
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const handle = await openFile(parent.at(name), shownBelow(root, path));
    if (handle === undefined) return last;
    try {
      const before = await handle.stat({ bigint: true });
      // In its place there may be a pipe by now, which must not be read.
      if (!before.isFile()) return last;
      const content = await sink(fillFrom(handle, before.size, shownBelow(root, path)));
      const after = await handle.stat({ bigint: true });
      const isStable = isUnchanged(before, after) && BigInt(content.bytes) === after.size;
      last = { kind: 'read', content, stats: before, isStable };
      if (isStable) return last;
    } finally {
      await handle.close();
    }
  }
  return last;
}

async function openFile(path: Buffer, shown: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch (error) {
    if (isGone(error)) return undefined;
    throw explained(error, shown);
  }
}

/** What was there at the beginning: a file that grows all the time would never end. */
function fillFrom(handle: FileHandle, size: bigint, shown: string): Fill {
  let position = 0;
  const end = Number(size);
  return async (buffer) => {
    let filled = 0;
    try {
      while (filled < buffer.length && position < end) {
        const wanted = Math.min(buffer.length - filled, end - position);
        const { bytesRead } = await handle.read(buffer, filled, wanted, position);
        if (bytesRead === 0) break;
        filled += bytesRead;
        position += bytesRead;
      }
    } catch (error) {
      throw explained(error, shown);
    }
    return filled;
  };
}

export function isUnchanged(before: BigIntStats, after: BigIntStats): boolean {
  return before.size === after.size && before.mtimeNs === after.mtimeNs && before.ctimeNs === after.ctimeNs;
}

const HASHED_AT_ONCE = 256 * 1024;

/** Takes the sum of a file, and keeps nothing. */
export const sumOnly: Sink = async (fill) => {
  const sum = createHash('sha256');
  const buffer = Buffer.allocUnsafe(HASHED_AT_ONCE);
  let bytes = 0;
  for (let filled = await fill(buffer); filled > 0; filled = await fill(buffer)) {
    sum.update(buffer.subarray(0, filled));
    bytes += filled;
  }
  return { sha256: sum.digest('hex'), bytes };
};

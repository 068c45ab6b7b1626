import { hash } from 'node:crypto';
import type { BlobRef } from '../../../store/content/blob-ref.ts';
import { TargetError } from '../target-driver.ts';
import type { FileEntry } from './file-entry.ts';
import { readStable, type Sink } from './read-file.ts';
import { isGone, type OpenRoot } from './walk.ts';
import { rootAt, shownIn, Ways } from './ways.ts';

/** Gives a live file to a sink. Rejects with TargetError `changing` if it does not stand still. */
export async function readLiveFile(roots: readonly OpenRoot[], entry: FileEntry, sink: Sink): Promise<BlobRef> {
  const ways = new Ways(roots);
  try {
    const { parent, name } = await ways.to(entry);
    const result = await readStable(rootAt(roots, entry.root), { parent, name, path: entry.path }, sink);
    if (result.kind === 'read' && result.isStable) return result.content;
  } catch (error) {
    if (!isGone(error)) throw error;
  } finally {
    await ways.close();
  }
  throw changing(roots, entry);
}

/** What a short live file holds, if that is what was seen of it. Rejects with TargetError `changing`. */
export async function liveBytes(roots: readonly OpenRoot[], entry: FileEntry): Promise<Buffer> {
  let bytes: Buffer = Buffer.alloc(0);
  const content = await readLiveFile(roots, entry, async (fill) => {
    const buffer = Buffer.allocUnsafe(entry.size + 1);
    bytes = buffer.subarray(0, await fill(buffer));
    return { sha256: hash('sha256', bytes, 'hex'), bytes: bytes.length };
  });
  if (content.sha256 === entry.content?.sha256) return bytes;
  throw changing(roots, entry);
}

function changing(roots: readonly OpenRoot[], entry: FileEntry): TargetError {
  return new TargetError('changing', `${shownIn(roots, entry)} was changed by somebody meanwhile`);
}

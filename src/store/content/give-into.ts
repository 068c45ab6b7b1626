import { type BlobRef, CHUNK_BYTES, pieceBytes, piecesOf } from './blob-ref.ts';
import { ContentError } from './content-error.ts';
import type { ContentFolder } from './content-folder.ts';
import { inOrder } from './in-order.ts';
import { pathText } from './path-text.ts';

export type GiveOrder = { readonly signal: AbortSignal; readonly onBytes: (bytes: number) => void };

/** Each thread has one in hand, and more are on their way to it. */
const PIECES_AT_ONCE = 8;

/** Has the threads write content that is not encrypted into a file; false if a piece cannot be written so. */
export async function giveInto(
  folder: ContentFolder,
  ref: BlobRef,
  to: Buffer,
  { signal, onBytes }: GiveOrder,
): Promise<boolean> {
  const written = inOrder(piecesOf(ref).entries(), PIECES_AT_ONCE, async ([index, sha256]) => {
    if (signal.aborted)
      throw new ContentError('aborted', 'the restore was ended before anything was changed', { cause: signal.reason });
    const blob = folder.file('blobs', sha256);
    const [bytes, position] = [pieceBytes(ref, index), index * CHUNK_BYTES];
    const reply = await folder.workers.run({ kind: 'givePiece', blob, sha256, bytes, to: pathText(to), position });
    return reply.kind === 'given' ? bytes : undefined;
  });
  for await (const bytes of written) {
    if (bytes === undefined) return false;
    onBytes(bytes);
  }
  return true;
}

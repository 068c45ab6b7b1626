import type { BlobRef } from '../../store/content/blob-ref.ts';
import type { ContentStore } from '../../store/content/content-store.ts';

/** Content that is known to be small, in one piece. Rejects with ContentError. */
export async function wholeContent(store: ContentStore, ref: BlobRef): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of store.read(ref)) pieces.push(piece);
  return Buffer.concat(pieces);
}

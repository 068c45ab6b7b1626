import { type BlobRef, CHUNK_BYTES } from './blob-ref.ts';
import type { FileState } from './file-stats.ts';
import { inOrder } from './in-order.ts';
import { pathText } from './path-text.ts';
import { type PieceWriter, refuseIfAborted, type SessionParts } from './piece-writer.ts';

/** Longer files are read by pieces, in the buffers that bound the memory of all captures. */
export const SHORT_BYTES = 1024 * 1024;

export type TakenFile = { readonly content: BlobRef; readonly state: FileState };

export async function takeFile(
  { folder, keyring, signal }: SessionParts,
  writer: PieceWriter,
  path: Buffer,
): Promise<TakenFile | undefined> {
  refuseIfAborted(signal);
  if (keyring.current !== undefined) return undefined;
  return await writer.take(async (into) => {
    const reply = await folder.workers.run({ kind: 'take', path: pathText(path), most: SHORT_BYTES, into });
    if (reply.kind !== 'taken') return undefined;
    const { piece, state } = reply;
    return { piece, result: { content: { sha256: piece.sha256, bytes: piece.bytes }, state } };
  });
}

type OwnFile = { readonly path: Buffer; readonly bytes: number; readonly onBytes: (bytes: number) => void };

export async function takeOwnFile(
  parts: SessionParts,
  writer: PieceWriter,
  { path, bytes, onBytes }: OwnFile,
): Promise<BlobRef | undefined> {
  const { folder, keyring } = parts;
  if (keyring.current !== undefined || bytes <= CHUNK_BYTES) return undefined;
  const summing = folder.workers.run({ kind: 'sum', path: pathText(path) });
  const chunks: string[] = [];
  for await (const sha256 of inOrder(stretchesOf(bytes), STRETCHES_AT_ONCE, takeStretch(parts, writer, path))) {
    if (sha256 === undefined) break;
    chunks.push(sha256);
    onBytes(Math.min(bytes, chunks.length * CHUNK_BYTES));
  }
  const sum = await summing;
  if (sum.kind !== 'summed' || sum.bytes !== bytes || chunks.length * CHUNK_BYTES < bytes) return undefined;
  return { sha256: sum.sha256, bytes, chunks };
}

/** Each thread has one in hand, and one after it. */
const STRETCHES_AT_ONCE = 8;

type Stretch = { readonly position: number; readonly bytes: number };

function* stretchesOf(bytes: number): Generator<Stretch> {
  for (let position = 0; position < bytes; position += CHUNK_BYTES) {
    yield { position, bytes: Math.min(CHUNK_BYTES, bytes - position) };
  }
}

function takeStretch({ folder, signal }: SessionParts, writer: PieceWriter, path: Buffer) {
  return async ({ position, bytes }: Stretch): Promise<string | undefined> => {
    refuseIfAborted(signal);
    return await writer.take(async (into) => {
      const reply = await folder.workers.run({ kind: 'piece', path: pathText(path), position, bytes, into });
      return reply.kind === 'stored' ? { piece: reply.piece, result: reply.piece.sha256 } : undefined;
    });
  };
}

/** Content longer than this is stored in pieces of exactly this length, the last one excepted. */
export const CHUNK_BYTES = 4 * 1024 * 1024;

/** By what content is found again. */
export type BlobRef = {
  /** SHA-256 of the whole content, in lower-case hex. */
  readonly sha256: string;
  readonly bytes: number;
  /** SHA-256 of each piece in their order; absent for content of at most one piece. */
  readonly chunks?: readonly string[];
};

const SHA256 = /^[0-9a-f]{64}$/;

/** The stored pieces of content; empty content has none. */
export function piecesOf({ sha256, bytes, chunks }: BlobRef): readonly string[] {
  if (bytes === 0) return [];
  return chunks ?? [sha256];
}

/** How long the piece at an index is. */
export function pieceBytes({ bytes }: BlobRef, index: number): number {
  return Math.min(CHUNK_BYTES, bytes - index * CHUNK_BYTES);
}

/** What was read from JSON, if it is a reference. */
export function toBlobRef(value: unknown): BlobRef | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { sha256, bytes, chunks }: { sha256?: unknown; bytes?: unknown; chunks?: unknown } = value;
  if (!isSha256(sha256) || typeof bytes !== 'number' || !Number.isSafeInteger(bytes) || bytes < 0) return undefined;
  const pieces = Math.ceil(bytes / CHUNK_BYTES);
  if (chunks === undefined) return pieces <= 1 ? { sha256, bytes } : undefined;
  if (!Array.isArray(chunks) || chunks.length !== pieces || !chunks.every(isSha256)) return undefined;
  return { sha256, bytes, chunks };
}

export function isSha256(value: unknown): value is string {
  return typeof value === 'string' && SHA256.test(value);
}

import { createHash, type Hash, hash } from 'node:crypto';
import { join } from 'node:path';
import { type BlobRef, CHUNK_BYTES, piecesOf } from './blob-ref.ts';
import { ChunkPool } from './chunk-pool.ts';
import type { ClaimSet, Claims } from './claims.ts';
import { ContentError } from './content-error.ts';
import { type ContentFolder, shardOf } from './content-folder.ts';
import { type Keyring, nameOf } from './content-keys.ts';
import type { ManifestLine } from './content-reader.ts';
import { type Compression, seal } from './envelope.ts';
import type { FileState, PiecePlace, TakenPiece } from './file-job.ts';
import { inOrder } from './in-order.ts';
import { encodeRecord } from './manifest-record.ts';

/** Fills a buffer from its beginning with what comes next, and says with how much; less than fits means the end. */
export type Fill = (buffer: Buffer) => Promise<number>;

export type Committed = {
  /** SHA-256 of the manifest's text. */
  readonly manifest: string;
  /** What this capture added to the store, as stored. */
  readonly storedBytes: number;
};

/** What a capture stores. All that it stored or reused stays until its operation is released. */
export type CaptureSession = {
  /** The manifest whose content needs not be read again; undefined where there is none, or a collection is taking it. */
  readonly previous: string | undefined;
  /** Stores what a buffer holds, or what is read. Rejects with ContentError, and with what `content` rejects with. */
  readonly put: (content: Buffer | Fill) => Promise<BlobRef>;
  /**
   * Stores a file of at most `SHORT_BYTES` in one go, if it stands still meanwhile; undefined where it has to be done
   * with `put`, for whatever reason, which that then tells. Rejects with ContentError.
   */
  readonly takeFile: (path: Buffer) => Promise<TakenFile | undefined>;
  /** Stores a file that nobody else changes, several pieces at once; undefined where it has to be done with `put`. */
  readonly takeOwnFile: (path: Buffer, bytes: number, onBytes: (bytes: number) => void) => Promise<BlobRef | undefined>;
  /** Whether the content of an earlier snapshot is still there; then it stays. */
  readonly reuse: (ref: BlobRef) => Promise<boolean>;
  /** Writes the manifest; once this resolves, a power cut takes nothing of it. */
  readonly commit: (lines: AsyncIterable<ManifestLine> | Iterable<ManifestLine>) => Promise<Committed>;
};

export type SessionParts = {
  readonly folder: ContentFolder;
  readonly keyring: Keyring;
  readonly compression: Compression;
  readonly pool: ChunkPool;
  readonly claims: Claims;
  readonly operation: string;
  readonly previous: string | undefined;
  readonly signal: AbortSignal;
};

export function openSession(parts: SessionParts): CaptureSession {
  const writer = new PieceWriter(parts);
  return {
    previous: parts.previous,
    put: (content) => putContent(parts, writer, typeof content === 'function' ? content : fillFrom(content)),
    takeFile: (path) => takeFile(parts, writer, path),
    takeOwnFile: (path, bytes, onBytes) => takeOwnFile(parts, writer, { path, bytes, onBytes }),
    reuse: async (ref) => {
      const there = await Promise.all(piecesOf(ref).map((piece) => writer.has(piece)));
      return !there.includes(false);
    },
    commit: (lines) => commit(parts, writer, lines),
  };
}

async function putContent(
  { pool, signal }: Pick<SessionParts, 'pool' | 'signal'>,
  writer: PieceWriter,
  fill: Fill,
): Promise<BlobRef> {
  const pieces = new PieceRow(pool, writer);
  try {
    let more = true;
    while (more) more = await pieces.next(fill, signal);
    return await pieces.end();
  } catch (error) {
    await pieces.settle();
    throw error;
  }
}

/** Longer files are read by pieces, in the buffers that bound the memory of all captures. */
export const SHORT_BYTES = 1024 * 1024;

export type TakenFile = { readonly content: BlobRef; readonly state: FileState };

async function takeFile(
  { folder, keyring, signal }: SessionParts,
  writer: PieceWriter,
  path: Buffer,
): Promise<TakenFile | undefined> {
  refuseIfAborted(signal);
  if (keyring.current !== undefined) return undefined;
  return await writer.take(async (into) => {
    const reply = await folder.workers.run({ kind: 'take', path, most: SHORT_BYTES, into });
    if (reply.kind !== 'taken') return undefined;
    const { piece, state } = reply;
    return { piece, result: { content: { sha256: piece.sha256, bytes: piece.bytes }, state } };
  });
}

type OwnFile = { readonly path: Buffer; readonly bytes: number; readonly onBytes: (bytes: number) => void };

async function takeOwnFile(
  parts: SessionParts,
  writer: PieceWriter,
  { path, bytes, onBytes }: OwnFile,
): Promise<BlobRef | undefined> {
  const { folder, keyring } = parts;
  if (keyring.current !== undefined || bytes <= CHUNK_BYTES) return undefined;
  const summing = folder.workers.run({ kind: 'sum', path });
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
      const reply = await folder.workers.run({ kind: 'piece', path, position, bytes, into });
      return reply.kind === 'stored' ? { piece: reply.piece, result: reply.piece.sha256 } : undefined;
    });
  };
}

function refuseIfAborted(signal: AbortSignal): void {
  if (signal.aborted) throw new ContentError('aborted', 'the capture was ended', { cause: signal.reason });
}

function fillFrom(content: Buffer): Fill {
  let at = 0;
  return (buffer) => {
    const copied = content.copy(buffer, 0, at);
    at += copied;
    return Promise.resolve(copied);
  };
}

/** The pieces of one content: while one is stored the next is read. */
class PieceRow {
  readonly #pool: ChunkPool;
  readonly #writer: PieceWriter;
  readonly #sums: string[] = [];
  readonly #storing: Promise<void>[] = [];
  #whole: Hash | undefined;
  #bytes = 0;

  constructor(pool: ChunkPool, writer: PieceWriter) {
    this.#pool = pool;
    this.#writer = writer;
  }

  /** Reads a piece and begins to store it; false at the end. */
  async next(fill: Fill, signal: AbortSignal): Promise<boolean> {
    refuseIfAborted(signal);
    const buffer = await this.#pool.acquire();
    try {
      const length = await fill(buffer);
      const isLast = length < CHUNK_BYTES;
      if (length === 0) return this.#give(buffer);
      const piece = buffer.subarray(0, length);
      const sum = hash('sha256', piece, 'hex');
      if (!isLast && this.#whole === undefined) this.#whole = createHash('sha256');
      this.#whole?.update(piece);
      this.#sums.push(sum);
      this.#bytes += length;
      const storing = this.#writer.store(piece, sum).finally(() => this.#pool.release(buffer));
      storing.catch(() => undefined);
      this.#storing.push(storing);
      return !isLast;
    } catch (error) {
      this.#give(buffer);
      throw error;
    }
  }

  #give(buffer: Buffer): false {
    this.#pool.release(buffer);
    return false;
  }

  async end(): Promise<BlobRef> {
    await Promise.all(this.#storing);
    const [only, ...others] = this.#sums;
    if (only === undefined) return { sha256: hash('sha256', '', 'hex'), bytes: 0 };
    if (others.length === 0) return { sha256: only, bytes: this.#bytes };
    return { sha256: this.#whole?.digest('hex') ?? only, bytes: this.#bytes, chunks: this.#sums };
  }

  async settle(): Promise<void> {
    await Promise.allSettled(this.#storing);
  }
}

/** Stores pieces that are not there yet. */
class PieceWriter {
  readonly #parts: SessionParts;
  readonly #claimed: ClaimSet;
  readonly #writing = new Map<string, Promise<void>>();
  /** Where a name was given, by this capture or by one whose names may not be durable yet. */
  readonly #shards = new Set<string>();
  readonly #losses: number;
  storedBytes = 0;

  constructor(parts: SessionParts) {
    this.#parts = parts;
    this.#claimed = parts.claims.open(parts.operation);
    this.#losses = parts.folder.losses;
  }

  async has(sha256: string): Promise<boolean> {
    const name = nameOf(sha256, this.#parts.keyring);
    await this.#claimed.claim(blobClaim(name));
    return await this.#parts.folder.hasBlob(name);
  }

  async store(piece: Buffer, sha256: string): Promise<void> {
    const same = this.#writing.get(sha256);
    if (same !== undefined) return await same;
    const storing = this.#storeNew(piece, sha256);
    this.#writing.set(sha256, storing);
    try {
      await storing;
    } finally {
      this.#writing.delete(sha256);
    }
  }

  /**
   * A piece that a thread writes under a temporary name, unless it saw it in its place. Undefined if it has to be
   * stored by `store`: it could not be read, or what the thread saw is gone by now.
   */
  async take<T>(
    work: (into: PiecePlace) => Promise<{ readonly piece: TakenPiece; readonly result: T } | undefined>,
  ): Promise<T | undefined> {
    const { folder, keyring, compression } = this.#parts;
    const temporary = folder.reserve();
    const done = await work({ temporary, blobs: join(folder.path, 'blobs'), compression });
    if (done === undefined) {
      await folder.discard(temporary);
      return undefined;
    }
    const { piece, result } = done;
    const name = nameOf(piece.sha256, keyring);
    const isThere = await this.has(piece.sha256);
    this.#shards.add(shardOf(name));
    if (isThere || piece.storedBytes === 0) {
      await folder.discard(temporary);
      return isThere ? result : undefined;
    }
    folder.at('written');
    if (await folder.adopt(name, temporary, piece.storedBytes)) this.storedBytes += piece.storedBytes;
    return result;
  }

  async #storeNew(piece: Buffer, sha256: string): Promise<void> {
    const { folder, keyring, compression } = this.#parts;
    const name = nameOf(sha256, keyring);
    const isThere = await this.has(sha256);
    this.#shards.add(shardOf(name));
    if (isThere) return;
    const sealed = await seal(piece, sha256, { compression, key: keyring.current });
    // Several are on their way: the sum is read after the wait, not before it.
    const bytes = await folder.writeBlob(name, sealed);
    this.storedBytes += bytes;
  }

  async commit(text: BlobRef): Promise<Committed> {
    const { folder, keyring, compression } = this.#parts;
    await folder.settleBlobs(this.#shards);
    if (folder.losses !== this.#losses) {
      throw new ContentError('io', `what was stored in ${folder.path} could not be made durable; capture it again`);
    }
    const name = nameOf(text.sha256, keyring);
    await this.#claimed.claim(manifestClaim(name));
    const record = await encodeRecord(text, { compression, key: keyring.current });
    const bytes = await folder.write('manifests', name, record);
    this.storedBytes += bytes;
    await folder.settle('manifests');
    folder.at('committed');
    return { manifest: text.sha256, storedBytes: this.storedBytes };
  }
}

async function commit(
  parts: SessionParts,
  writer: PieceWriter,
  lines: AsyncIterable<ManifestLine> | Iterable<ManifestLine>,
): Promise<Committed> {
  // Buffers of its own: while the lines come, the content that they speak of is still being stored.
  const own = { pool: new ChunkPool(2), signal: parts.signal };
  const text = await putContent(own, writer, fillWithLines(lines));
  return await writer.commit(text);
}

function fillWithLines(lines: AsyncIterable<ManifestLine> | Iterable<ManifestLine>): Fill {
  const texts = linesOf(lines);
  let rest: Buffer = Buffer.alloc(0);
  return async (buffer) => {
    let at = 0;
    while (at < buffer.length) {
      if (rest.length === 0) {
        const next = await texts.next();
        if (next.done === true) return at;
        rest = next.value;
      }
      const copied = rest.copy(buffer, at);
      at += copied;
      rest = rest.subarray(copied);
    }
    return at;
  };
}

async function* linesOf(lines: AsyncIterable<ManifestLine> | Iterable<ManifestLine>): AsyncGenerator<Buffer> {
  for await (const line of lines) yield Buffer.from(`${JSON.stringify(line)}\n`);
}

export function blobClaim(name: string): string {
  return `b${name}`;
}

export function manifestClaim(name: string): string {
  return `m${name}`;
}

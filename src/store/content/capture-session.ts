import { createHash, type Hash, hash } from 'node:crypto';
import { type BlobRef, CHUNK_BYTES, piecesOf } from './blob-ref.ts';
import { ChunkPool } from './chunk-pool.ts';
import type { ManifestLine } from './content-reader.ts';
import { type FileStats, statsIn } from './file-stats.ts';
import { fillFromPieces } from './fill-from-pieces.ts';
import { type Committed, PieceWriter, refuseIfAborted, type SessionParts } from './piece-writer.ts';
import { type TakenFile, takeFile, takeOwnFile } from './take-file.ts';

/** Fills a buffer from its beginning with what comes next, and says with how much; less than fits means the end. */
export type Fill = (buffer: Buffer) => Promise<number>;

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
  /**
   * Looks at names in a folder in one go, without following links; `folder` ends with a slash, and a byte is a character
   * in all of it. Undefined where they have to be looked at one by one, which then tells why.
   */
  readonly lookAt: (folder: string, names: readonly string[]) => Promise<(FileStats | undefined)[] | undefined>;
  /** Whether the content of an earlier snapshot is still there; then it stays. */
  readonly reuse: (ref: BlobRef) => Promise<boolean>;
  /** Makes what was put readable before, or without, a manifest. Rejects with ContentError. */
  readonly settle: () => Promise<void>;
  /** Writes the manifest; once this resolves, a power cut takes nothing of it. */
  readonly commit: (lines: AsyncIterable<ManifestLine> | Iterable<ManifestLine>) => Promise<Committed>;
};

export function openSession(parts: SessionParts): CaptureSession {
  const writer = new PieceWriter(parts);
  return {
    previous: parts.previous,
    put: (content) => putContent(parts, writer, typeof content === 'function' ? content : fillFrom(content)),
    takeFile: (path) => takeFile(parts, writer, path),
    takeOwnFile: (path, bytes, onBytes) => takeOwnFile(parts, writer, { path, bytes, onBytes }),
    lookAt: (folder, names) => lookAt(parts, folder, names),
    reuse: async (ref) => {
      const there = await Promise.all(piecesOf(ref).map((piece) => writer.has(piece)));
      return !there.includes(false);
    },
    settle: () => writer.settle(),
    commit: (lines) => commit(parts, writer, lines),
  };
}

async function lookAt({ folder: { workers } }: SessionParts, folder: string, names: readonly string[]) {
  const reply = await workers.run({ kind: 'look', folder, names });
  return reply.kind === 'looked' ? names.map((_name, index) => statsIn(reply.numbers, index)) : undefined;
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

async function commit(
  parts: SessionParts,
  writer: PieceWriter,
  lines: AsyncIterable<ManifestLine> | Iterable<ManifestLine>,
): Promise<Committed> {
  // A buffer of its own: while the lines come, the content that they speak of is still being stored.
  const own = { pool: new ChunkPool(1), signal: parts.signal };
  const text = await putContent(own, writer, fillFromPieces(linesOf(lines)));
  return await writer.commit(text);
}

async function* linesOf(lines: AsyncIterable<ManifestLine> | Iterable<ManifestLine>): AsyncGenerator<Buffer> {
  for await (const line of lines) yield Buffer.from(`${JSON.stringify(line)}\n`);
}

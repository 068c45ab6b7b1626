import { hash } from 'node:crypto';
import {
  closeSync,
  constants,
  existsSync,
  fchmodSync,
  fchownSync,
  fstatSync,
  futimesSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { compressNow } from './compress-now.ts';
import { type Compression, sealNow, unsealNow } from './envelope.ts';
import { type FileState, look } from './file-stats.ts';
import { type PathText, pathBytes } from './path-text.ts';
import { sumOfFile } from './sum-of-file.ts';

/**
 * Work on one file from its opening to its closing, in one go: what takes a dozen messages between threads otherwise
 * costs more than the work itself for a small file. It is done off the main thread, where it may wait for the disk.
 * Paths may lead through a descriptor of this process.
 */
export type FileJob =
  /** Reads a file that stands still, of 1 byte to `most`, and stores it as one piece. */
  | { readonly kind: 'take'; readonly path: PathText; readonly most: number; readonly into: PiecePlace }
  /** Stores a stretch of a file that nobody else changes. */
  | {
      readonly kind: 'piece';
      readonly path: PathText;
      readonly position: number;
      readonly bytes: number;
      readonly into: PiecePlace;
    }
  | { readonly kind: 'sum'; readonly path: PathText }
  /** Looks at names in a folder, of which a byte each is a character; links are not followed. */
  | { readonly kind: 'look'; readonly folder: string; readonly names: readonly string[] }
  /** Makes a file of a piece that is not encrypted, every byte of which is verified. */
  | {
      readonly kind: 'give';
      readonly blob: string;
      readonly sha256: string;
      readonly bytes: number;
      readonly to: NewFile;
    }
  /** Writes a piece of long content, of which every byte is verified, into a file that is there. */
  | {
      readonly kind: 'givePiece';
      readonly blob: string;
      readonly sha256: string;
      readonly bytes: number;
      readonly to: PathText;
      readonly position: number;
    }
  /** Renames, in their order; `makesFolder` for those whose folder may not be there yet. */
  | {
      readonly kind: 'rename';
      readonly pairs: readonly (readonly [from: PathText, to: PathText])[];
      readonly makesFolder: boolean;
    };

/** Where a piece is written that is not there yet, and where it would be. */
export type PiecePlace = { readonly temporary: string; readonly blobs: string; readonly compression: Compression };

export type NewFile = {
  readonly path: PathText;
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
  /** Of its last change, in seconds. */
  readonly seconds: number;
  /** Whether it is no fault that it cannot be given to its owner. */
  readonly mayKeepOwner: boolean;
};

/** A piece, and how long it is as stored; 0 for one that seems to be there already: then nothing was written. */
export type TakenPiece = { readonly sha256: string; readonly bytes: number; readonly storedBytes: number };

export type FileReply =
  /** Something is not as it has to be for the short way. Nothing is left of it; the long way says what is wrong. */
  | { readonly kind: 'again' }
  | { readonly kind: 'taken'; readonly state: FileState; readonly piece: TakenPiece }
  | { readonly kind: 'stored'; readonly piece: TakenPiece }
  | { readonly kind: 'summed'; readonly sha256: string; readonly bytes: number }
  | { readonly kind: 'looked'; readonly numbers: BigInt64Array }
  | { readonly kind: 'given' }
  /** How many it were until one failed. */
  | { readonly kind: 'renamed'; readonly count: number };

const AGAIN: FileReply = { kind: 'again' };
const { O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY } = constants;

/** Does it, and waits for the disk meanwhile. */
export function doFileJob(job: FileJob): FileReply {
  try {
    switch (job.kind) {
      case 'take':
        return take(job);
      case 'piece':
        return storeStretch(job);
      case 'sum':
        return { kind: 'summed', ...sumOfFile(pathBytes(job.path)) };
      case 'look':
        return { kind: 'looked', numbers: look(job.folder, job.names) };
      case 'give':
        return give(job);
      case 'givePiece':
        return givePiece(job);
      case 'rename':
        return { kind: 'renamed', count: renameAll(job) };
    }
  } catch {
    // Whatever it is, the long way meets it again and says it in the right words.
    return AGAIN;
  }
}

type JobOf<K extends FileJob['kind']> = Extract<FileJob, { kind: K }>;

function take({ path, most, into }: JobOf<'take'>): FileReply {
  return withFile(pathBytes(path), O_RDONLY | O_NOFOLLOW | O_NONBLOCK, (fd) => {
    const before = fstatSync(fd, { bigint: true });
    const size = Number(before.size);
    if (!before.isFile() || size === 0 || size > most) return AGAIN;
    const plain = readExactly(fd, 0, size);
    const after = fstatSync(fd, { bigint: true });
    const isStable = before.size === after.size && before.mtimeNs === after.mtimeNs && before.ctimeNs === after.ctimeNs;
    if (plain === undefined || !isStable) return AGAIN;
    const { mode, uid, gid, mtimeNs, ctimeNs, ino } = before;
    const state = { mode, uid, gid, size: before.size, mtimeNs, ctimeNs, ino };
    return { kind: 'taken', state, piece: storePiece(plain, into) };
  });
}

function storeStretch({ path, position, bytes, into }: JobOf<'piece'>): FileReply {
  return withFile(pathBytes(path), O_RDONLY | O_NOFOLLOW, (fd) => {
    const plain = readExactly(fd, position, bytes);
    return plain === undefined ? AGAIN : { kind: 'stored', piece: storePiece(plain, into) };
  });
}

/** One buffer for all jobs of the thread: it does one after the other. */
let shared = Buffer.alloc(0);

function readExactly(fd: number, position: number, bytes: number): Buffer | undefined {
  if (shared.length < bytes) shared = Buffer.allocUnsafeSlow(bytes);
  let filled = 0;
  while (filled < bytes) {
    const more = readSync(fd, shared, filled, bytes - filled, position + filled);
    if (more === 0) return undefined;
    filled += more;
  }
  return shared.subarray(0, bytes);
}

function storePiece(plain: Buffer, { temporary, blobs, compression }: PiecePlace): TakenPiece {
  const sha256 = hash('sha256', plain, 'hex');
  const bytes = plain.length;
  if (existsSync(join(blobs, sha256.slice(0, 2), sha256))) return { sha256, bytes, storedBytes: 0 };
  const sealed = sealNow(plain, sha256, compression, compressNow);
  const storedBytes = writeNew(Buffer.from(temporary), sealed, () => undefined);
  return { sha256, bytes, storedBytes };
}

function givePiece({ blob, sha256, bytes, to, position }: JobOf<'givePiece'>): FileReply {
  const plain = readPiece(blob, sha256, bytes);
  if (plain === undefined) return AGAIN;
  return withFile(pathBytes(to), O_WRONLY | O_NOFOLLOW, (fd) => {
    let written = 0;
    while (written < bytes) written += writeSync(fd, plain, written, bytes - written, position + written);
    return { kind: 'given' };
  });
}

function readPiece(blob: string, sha256: string, bytes: number): Buffer | undefined {
  const file = withFile(Buffer.from(blob), O_RDONLY, (fd) => readExactly(fd, 0, fstatSync(fd).size));
  const plain = file === undefined ? undefined : unsealNow(file, sha256);
  return plain?.length === bytes ? plain : undefined;
}

function give({ blob, sha256, bytes, to }: JobOf<'give'>): FileReply {
  const plain = readPiece(blob, sha256, bytes);
  if (plain === undefined) return AGAIN;
  writeNew(pathBytes(to.path), [plain], (fd) => {
    // Owner first: chown(2) takes set-user-id bits away.
    giveAway(fd, to);
    fchmodSync(fd, to.mode);
    futimesSync(fd, to.seconds, to.seconds);
  });
  letGo(plain);
  return { kind: 'given' };
}

/** Buffers that wait for the collector of garbage have it run over and over: it counts them, and finds little else. */
function letGo({ buffer }: Buffer): void {
  if (buffer !== shared.buffer && buffer instanceof ArrayBuffer && buffer.byteLength > Buffer.poolSize)
    buffer.transfer(0);
}

function giveAway(fd: number, { uid, gid, mayKeepOwner }: NewFile): void {
  try {
    fchownSync(fd, uid, gid);
  } catch (error) {
    const isRefused = error instanceof Error && 'code' in error && error.code === 'EPERM';
    if (!(isRefused && mayKeepOwner)) throw error;
  }
}

/** Writes a file that is not there yet, whole or not at all. */
function writeNew(path: Buffer, parts: readonly Buffer[], finish: (fd: number) => void): number {
  const fd = openSync(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  try {
    let bytes = 0;
    for (const part of parts) {
      let written = 0;
      while (written < part.length) written += writeSync(fd, part, written);
      bytes += written;
    }
    finish(fd);
    return bytes;
  } catch (error) {
    unlinkSync(path);
    throw error;
  } finally {
    closeSync(fd);
  }
}

function renameAll({ pairs, makesFolder }: JobOf<'rename'>): number {
  let count = 0;
  try {
    for (const [from, to] of pairs) {
      renameOne(pathBytes(from), pathBytes(to), makesFolder);
      count += 1;
    }
  } catch {
    // The long way meets it again.
  }
  return count;
}

function renameOne(from: Buffer, to: Buffer, makesFolder: boolean): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if (!makesFolder || !(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    mkdirSync(dirname(to.toString()), { recursive: true, mode: 0o700 });
    renameSync(from, to);
  }
}

function withFile<T>(path: Buffer, flags: number, use: (fd: number) => T): T {
  const fd = openSync(path, flags);
  try {
    return use(fd);
  } finally {
    closeSync(fd);
  }
}

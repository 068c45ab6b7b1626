import { createHash } from 'node:crypto';
import { type BlobRef, toBlobRef } from '../../../store/content/blob-ref.ts';
import { bytesOf } from './byte-path.ts';
import { FILE_TYPES, type FileEntry } from './file-entry.ts';

/** One thing that a restore does. */
export type Change = {
  readonly kind: ChangeKind;
  /** Time and number of its inode, which are no matter of a restore, are 0. */
  readonly entry: FileEntry;
  /** What stood there when it was planned, as `sightOf` tells it; 0: nothing. */
  readonly seen: bigint;
};

/**
 * `put`: a file with other content, or one that is not there · `link`: a link with another end · `join`: another name of a
 * file that is there, or will be · `make`: a folder · `attributes`: mode, owner or time of a file or folder alone · `remove`
 */
export type ChangeKind = (typeof KINDS)[number];

const KINDS = ['put', 'link', 'join', 'make', 'attributes', 'remove'] as const;

export const NOTHING_SEEN = 0n;

/**
 * Tells what stands at a place apart from what stands there later: another file, other bytes of it, or another mode or owner.
 * The time of its inode is not in it: that changes with the file's other names, which a restore itself may remove.
 */
export function sightOf({ type, ino, size, mtimeNs, mode, uid, gid }: FileEntry): bigint {
  const content = type === 'folder' ? [] : [size, String(mtimeNs)];
  const sum = createHash('sha256').update(JSON.stringify([type, String(ino), mode, uid, gid, ...content]));
  return sum.digest().readBigUInt64LE() | 1n;
}

/** Where a record has what; behind these stand the path, and as JSON what few have. */
const AT = {
  kind: 0,
  type: 1,
  root: 2,
  mode: 4,
  uid: 8,
  gid: 12,
  size: 16,
  mtimeNs: 24,
  seen: 32,
  sum: 40,
  path: 72,
  rest: 76,
};
const HEAD_BYTES = 80;
const SUM_BYTES = 32;
const BLOCK_BYTES = 256 * 1024;

/**
 * The changes of a restore in their order. Of a large tree they are the longest list of all, and as objects would be most of
 * the memory that a restore takes: they are kept as bytes, and made anew whenever somebody goes through them.
 */
export class ChangeList implements Iterable<Change> {
  readonly #blocks: Buffer[] = [];
  /** By index. */
  readonly #places: number[] = [];
  readonly #counts = new Map<ChangeKind, number>();
  #used = BLOCK_BYTES;

  get length(): number {
    return this.#places.length;
  }

  count(...kinds: readonly ChangeKind[]): number {
    return kinds.reduce((sum, kind) => sum + (this.#counts.get(kind) ?? 0), 0);
  }

  add(kind: ChangeKind, entry: FileEntry, seen = NOTHING_SEEN): void {
    const record = encode({ kind, entry, seen });
    if (this.#used + record.length > BLOCK_BYTES) {
      this.#blocks.push(Buffer.allocUnsafeSlow(Math.max(BLOCK_BYTES, record.length)));
      this.#used = 0;
    }
    this.#places.push((this.#blocks.length - 1) * BLOCK_BYTES + this.#used);
    record.copy(this.#blocks.at(-1) ?? record, this.#used);
    this.#used += record.length;
    this.#counts.set(kind, this.count(kind) + 1);
  }

  *[Symbol.iterator](): Generator<Change> {
    for (const place of this.#places) yield this.#at(place);
  }

  /** The last one first, and only of this kind. */
  *backwards(kind: ChangeKind): Generator<Change> {
    if (this.count(kind) === 0) return;
    for (let index = this.#places.length - 1; index >= 0; index -= 1) {
      const change = this.#at(this.#places[index] ?? 0);
      if (change.kind === kind) yield change;
    }
  }

  /** Two lists with the same digest do the same, to what is the same. */
  digest(): string {
    const sum = createHash('sha256');
    for (const place of this.#places) sum.update(recordIn(this.#blockAt(place)));
    return sum.digest('hex');
  }

  #at(place: number): Change {
    return decode(this.#blockAt(place));
  }

  /** From there to its end. */
  #blockAt(place: number): Buffer {
    const block = this.#blocks[Math.floor(place / BLOCK_BYTES)];
    if (block === undefined) throw new RangeError('there is no such change');
    return block.subarray(place % BLOCK_BYTES);
  }
}

/** Its SHA-256 stands for content of one piece, which is nearly all. */
function hasSumAlone({ content, size }: FileEntry): boolean {
  return content !== undefined && content.chunks === undefined && content.bytes === size;
}

function encode({ kind, entry, seen }: Change): Buffer {
  const { content, sameAs, to, device, attributes } = entry;
  const isShort = hasSumAlone(entry);
  const others = { ...(isShort ? {} : { content }), sameAs, to, device, attributes };
  const isBare = Object.values(others).every((value) => value === undefined);
  const rest = isBare ? '' : JSON.stringify(others);
  const path = bytesOf(entry.path);
  const record = Buffer.alloc(HEAD_BYTES + path.length + Buffer.byteLength(rest));
  record.writeUInt8(KINDS.indexOf(kind), AT.kind);
  record.writeUInt8(FILE_TYPES.indexOf(entry.type), AT.type);
  record.writeUInt16LE(entry.root, AT.root);
  record.writeUInt32LE(entry.mode, AT.mode);
  record.writeUInt32LE(entry.uid, AT.uid);
  record.writeUInt32LE(entry.gid, AT.gid);
  record.writeDoubleLE(entry.size, AT.size);
  record.writeBigInt64LE(entry.mtimeNs, AT.mtimeNs);
  record.writeBigUInt64LE(seen, AT.seen);
  if (isShort) record.write(content?.sha256 ?? '', AT.sum, 'hex');
  record.writeUInt32LE(path.length, AT.path);
  record.writeUInt32LE(record.length - HEAD_BYTES - path.length, AT.rest);
  path.copy(record, HEAD_BYTES);
  record.write(rest, HEAD_BYTES + path.length);
  return record;
}

/** A block from a record on, without what is behind it. */
function recordIn(block: Buffer): Buffer {
  return block.subarray(0, HEAD_BYTES + block.readUInt32LE(AT.path) + block.readUInt32LE(AT.rest));
}

const NO_SUM = Buffer.alloc(SUM_BYTES);

function decode(record: Buffer): Change {
  const kind = KINDS[record.readUInt8(AT.kind)];
  const type = FILE_TYPES[record.readUInt8(AT.type)];
  if (kind === undefined || type === undefined) throw new RangeError('a change is of no kind');
  const size = record.readDoubleLE(AT.size);
  const pathEnd = HEAD_BYTES + record.readUInt32LE(AT.path);
  const sum = record.subarray(AT.sum, AT.sum + SUM_BYTES);
  const entry: FileEntry = {
    root: record.readUInt16LE(AT.root),
    path: record.toString('latin1', HEAD_BYTES, pathEnd),
    type,
    mode: record.readUInt32LE(AT.mode),
    uid: record.readUInt32LE(AT.uid),
    gid: record.readUInt32LE(AT.gid),
    size,
    mtimeNs: record.readBigInt64LE(AT.mtimeNs),
    ctimeNs: 0n,
    ino: 0n,
    ...(sum.equals(NO_SUM) ? {} : { content: { sha256: sum.toString('hex'), bytes: size } }),
    ...restIn(record.subarray(pathEnd, pathEnd + record.readUInt32LE(AT.rest))),
  };
  return { kind, entry, seen: record.readBigUInt64LE(AT.seen) };
}

type Rest = Partial<Pick<FileEntry, 'content' | 'sameAs' | 'to' | 'device' | 'attributes'>>;

function restIn(text: Buffer): Rest {
  if (text.length === 0) return {};
  const { content, ...others }: Rest & { readonly content?: BlobRef } = JSON.parse(text.toString());
  const ref = toBlobRef(content);
  return ref === undefined ? others : { ...others, content: ref };
}

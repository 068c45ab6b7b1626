import { readlink } from 'node:fs/promises';
import type { BlobRef } from '../../../store/content/blob-ref.ts';
import type { CaptureSession } from '../../../store/content/capture-session.ts';
import type { FileState } from '../../../store/content/file-stats.ts';
import { inOrder } from '../../../store/content/in-order.ts';
import { SHORT_BYTES } from '../../../store/content/take-file.ts';
import type { BytePath } from './byte-path.ts';
import { exclusionOf } from './exclusion.ts';
import type { AttributeTable } from './extended-attributes.ts';
import { compareEntries, type FileEntry, type FileType, typeOf } from './file-entry.ts';
import { readStable, type Sink } from './read-file.ts';
import { explained, isGone, type OpenRoot, type Seen, shownBelow, walk } from './walk.ts';

export type ScanOptions = {
  readonly roots: readonly OpenRoot[];
  readonly exclude: readonly string[];
  readonly oneFileSystem: boolean;
  /** Extended attributes of what is there; undefined: nobody asks, or nobody knows. */
  readonly attributes: AttributeTable | undefined;
  readonly signal: AbortSignal;
  /** Entries of an earlier time, in their order: the content of what did not change is taken from there. */
  readonly known: AsyncIterable<FileEntry>;
  /** Whether content that is known may be taken over. */
  readonly reuse: (content: BlobRef) => Promise<boolean>;
  /** Where the content of a file goes, or null if nobody needs it. */
  readonly sink: (seen: Seen, known: FileEntry | undefined) => Sink | null;
  /** Stores a file the short way, where that is possible; and looks at names. */
  readonly take?: CaptureSession['takeFile'];
  readonly lookAt?: CaptureSession['lookAt'];
  readonly notes: ScanNotes;
};

/** What is worth saying of a scan. */
export type ScanNotes = {
  files: number;
  bytes: number;
  reused: number;
  vanished: number;
  unstable: number;
  special: number;
  readonly examples: string[];
};

export function noNotes(): ScanNotes {
  return { files: 0, bytes: 0, reused: 0, vanished: 0, unstable: 0, special: 0, examples: [] };
}

const FILES_AT_ONCE = 8;
/** Where they are taken the short way, by threads that get several at once. */
const TAKEN_AT_ONCE = 32;
const EXAMPLES = 5;

type Paired = {
  readonly root: OpenRoot;
  readonly seen: Seen;
  readonly known: FileEntry | undefined;
  readonly sameAs?: BytePath;
};

/** What is there now, in the order of a manifest. Rejects with TargetError, and as the sinks do. */
export async function* scan(options: ScanOptions): AsyncGenerator<FileEntry> {
  const atOnce = options.take === undefined ? FILES_AT_ONCE : TAKEN_AT_ONCE;
  for await (const entry of inOrder(paired(options), atOnce, (pair) => toEntryOf(options, pair))) {
    if (entry !== undefined) yield withAttributes(entry, options.attributes);
  }
}

function withAttributes(entry: FileEntry, table: AttributeTable | undefined): FileEntry {
  if (entry.type !== 'file' && entry.type !== 'folder') return entry;
  const attributes = entry.sameAs === undefined ? table?.(entry) : undefined;
  return attributes === undefined ? entry : { ...entry, attributes };
}

/** What is met, each with what was known of it, and the first name of files that have several. */
async function* paired(options: ScanOptions): AsyncGenerator<Paired> {
  const { exclude, oneFileSystem, signal, notes, lookAt } = options;
  const cursor = new Cursor(options.known);
  try {
    for (const root of options.roots) {
      const firstNames = new Map<string, BytePath>();
      const onVanished = (path: BytePath) => note(notes, 'vanished', shownBelow(root, path));
      const walked = walk(root, {
        exclude: exclusionOf(exclude, root.path),
        oneFileSystem,
        signal,
        onVanished,
        ...(lookAt === undefined ? {} : { lookAt }),
      });
      for await (const seen of walked) {
        const known = await cursor.at({ root: root.index, path: seen.path });
        const sameAs = firstNameOf(firstNames, seen);
        yield { root, seen, known, ...(sameAs === undefined ? {} : { sameAs }) };
      }
    }
  } finally {
    await cursor.close();
  }
}

function firstNameOf(firstNames: Map<string, BytePath>, { path, stats }: Seen): BytePath | undefined {
  if (typeOf(stats) !== 'file' || stats.nlink < 2n) return undefined;
  const file = `${stats.dev}:${stats.ino}`;
  const first = firstNames.get(file);
  if (first === undefined) firstNames.set(file, path);
  return first;
}

async function toEntryOf(options: ScanOptions, pair: Paired): Promise<FileEntry | undefined> {
  try {
    return await described(options, pair);
  } finally {
    await pair.seen.parent.letGo();
  }
}

async function described(options: ScanOptions, { root, seen, known, sameAs }: Paired): Promise<FileEntry | undefined> {
  const { notes } = options;
  const type = typeOf(seen.stats);
  const entry = entryOf(root.index, seen.path, type, seen.stats);
  switch (type) {
    case 'folder':
      return entry;
    case 'link': {
      const to = await linkTarget(root, seen);
      if (to !== undefined) return { ...entry, to };
      note(notes, 'vanished', shownBelow(root, seen.path));
      return undefined;
    }
    case 'file': {
      notes.files += 1;
      if (sameAs !== undefined) return { ...entry, sameAs };
      return await withContent(options, { root, seen, known }, entry);
    }
    case 'fifo':
    case 'socket':
      note(notes, 'special', shownBelow(root, seen.path));
      return entry;
    case 'device':
      note(notes, 'special', shownBelow(root, seen.path));
      return { ...entry, device: String(seen.stats.rdev) };
  }
}

async function withContent(
  { reuse, sink, take, notes }: ScanOptions,
  { root, seen, known }: Paired,
  entry: FileEntry,
): Promise<FileEntry | undefined> {
  notes.bytes += entry.size;
  if (known?.content !== undefined && isSameFile(known, entry) && (await reuse(known.content))) {
    notes.reused += 1;
    return { ...entry, content: known.content };
  }
  const into = sink(seen, known);
  if (into === null) return entry;
  const taken = entry.size > 0 && entry.size <= SHORT_BYTES ? await take?.(seen.parent.at(seen.name)) : undefined;
  if (taken !== undefined) {
    const { content, state } = taken;
    return { ...entryOf(root.index, seen.path, 'file', state), content };
  }
  const result = await readStable(root, seen, into);
  if (result.kind === 'gone') {
    note(notes, 'vanished', shownBelow(root, seen.path));
    return undefined;
  }
  const { content, stats, isStable } = result;
  if (!isStable) note(notes, 'unstable', shownBelow(root, seen.path));
  const read = { ...entryOf(root.index, seen.path, 'file', stats), size: content.bytes, content };
  return isStable ? read : { ...read, unstable: true };
}

/** What an attacker can set is only the time of content; the time of the inode and its number he cannot. */
function isSameFile(known: FileEntry, { size, mtimeNs, ctimeNs, ino }: FileEntry): boolean {
  return (
    known.type === 'file' &&
    known.unstable !== true &&
    known.size === size &&
    known.mtimeNs === mtimeNs &&
    known.ctimeNs === ctimeNs &&
    known.ino === ino
  );
}

export function entryOf(root: number, path: BytePath, type: FileType, stats: FileState): FileEntry {
  return {
    root,
    path,
    type,
    mode: Number(stats.mode & 0o7777n),
    uid: Number(stats.uid),
    gid: Number(stats.gid),
    size: type === 'file' ? Number(stats.size) : 0,
    mtimeNs: stats.mtimeNs,
    ctimeNs: stats.ctimeNs,
    ino: stats.ino,
  };
}

async function linkTarget(root: OpenRoot, { parent, name, path }: Seen): Promise<BytePath | undefined> {
  try {
    return (await readlink(parent.at(name), { encoding: 'buffer' })).toString('latin1');
  } catch (error) {
    // EINVAL: it is no link any more.
    if (isGone(error) || (error instanceof Error && 'code' in error && error.code === 'EINVAL')) return undefined;
    throw explained(error, shownBelow(root, path));
  }
}

function note(notes: ScanNotes, what: 'vanished' | 'unstable' | 'special', shown: string): void {
  notes[what] += 1;
  if (notes.examples.length < EXAMPLES && what !== 'special') notes.examples.push(shown);
}

/** Goes through sorted entries beside another sorted walk. */
class Cursor {
  readonly #entries: AsyncIterator<FileEntry>;
  #next: FileEntry | undefined;
  #isDone = false;

  constructor(entries: AsyncIterable<FileEntry>) {
    this.#entries = entries[Symbol.asyncIterator]();
  }

  async at(place: Pick<FileEntry, 'root' | 'path'>): Promise<FileEntry | undefined> {
    while (!this.#isDone && (this.#next === undefined || compareEntries(this.#next, place) < 0)) {
      const { done, value } = await this.#entries.next();
      this.#isDone = done === true;
      this.#next = done === true ? undefined : value;
    }
    return this.#next !== undefined && compareEntries(this.#next, place) === 0 ? this.#next : undefined;
  }

  async close(): Promise<void> {
    await this.#entries.return?.();
  }
}

export function notesText({ vanished, unstable, special, examples }: ScanNotes): string {
  const parts = [
    ...(vanished > 0 ? [`${vanished} vanished meanwhile`] : []),
    ...(unstable > 0 ? [`${unstable} changed each time while read`] : []),
    ...(special > 0 ? [`${special} pipe(s), socket(s) or device(s) noted only`] : []),
  ];
  const named = examples.length > 0 ? ` (${examples.join(', ')})` : '';
  return parts.length === 0 ? '' : `; ${parts.join(', ')}${named}`;
}

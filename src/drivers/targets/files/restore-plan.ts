import type { BytePath } from './byte-path.ts';
import { type ChangeKind, ChangeList } from './change-list.ts';
import { compareTrees } from './compare-trees.ts';
import { isSameAttributes } from './extended-attributes.ts';
import { type FileEntry, microseconds } from './file-entry.ts';
import type { Selection } from './selection.ts';

export type RestorePlan = {
  readonly changes: ChangeList;
  /** Folders in which something changes: they get their time back at the end. */
  readonly folders: readonly FileEntry[];
  /** What a restore leaves as it is: pipes, sockets and devices. */
  readonly left: number;
  /** Which of the places that were asked for the snapshot has. */
  readonly found: ReadonlySet<string>;
  /** What is to be written. */
  readonly bytes: number;
};

/**
 * What turns live into the snapshot. With `contentKnown` the content of files of the same size and time is not looked
 * at, because it was just written. With `comparesAttributes` extended ones are compared, which both have to know.
 */
export async function planRestore(
  live: AsyncIterable<FileEntry>,
  snapshot: AsyncIterable<FileEntry>,
  selection: Selection,
  { contentKnown = false, comparesAttributes = false } = {},
): Promise<RestorePlan> {
  const planner = new Planner(contentKnown, comparesAttributes);
  const found = new Set<string>();
  for await (const { before, after } of compareTrees(live, snapshot)) {
    const place = before ?? after;
    if (place === undefined) continue;
    for (const { root, path, text } of selection.places) {
      if (after !== undefined && after.root === root && after.path === path) found.add(text);
    }
    if (selection.has(place)) planner.judge(before, after);
    else if (selection.leadsTo(place)) planner.leadTo(before, after);
  }
  return planner.end(found);
}

/** An entry that is neither file, folder nor link. */
function isSpecial(entry: FileEntry | undefined): boolean {
  return entry !== undefined && (entry.type === 'fifo' || entry.type === 'socket' || entry.type === 'device');
}

class Planner {
  readonly #contentKnown: boolean;
  readonly #comparesAttributes: boolean;
  readonly #changes = new ChangeList();
  /** Files that get a new inode, whose other names must follow; known once there is a file with several names. */
  #put: Set<string> | undefined;
  /** The folders of the snapshot on the way to the present place, the outermost first. */
  #way: FileEntry[] = [];
  readonly #touched = new Map<string, FileEntry>();
  #left = 0;
  #bytes = 0;

  constructor(contentKnown: boolean, comparesAttributes: boolean) {
    this.#contentKnown = contentKnown;
    this.#comparesAttributes = comparesAttributes;
  }

  judge(before: FileEntry | undefined, after: FileEntry | undefined): void {
    if (after?.type === 'folder') this.#walkTo(after);
    if (isSpecial(after) || (after === undefined && isSpecial(before))) {
      this.#left += 1;
      return;
    }
    if (after === undefined) {
      if (before !== undefined) this.#change('remove', before);
      return;
    }
    if (before === undefined || before.type !== after.type) {
      if (before !== undefined) this.#change('remove', before);
      this.#create(after);
      return;
    }
    this.#adapt(before, after);
  }

  /** A folder on the way to what is wanted has to be there; how it is does not matter. */
  leadTo(before: FileEntry | undefined, after: FileEntry | undefined): void {
    if (after?.type !== 'folder') return;
    this.#walkTo(after);
    if (before?.type === 'folder') return;
    if (before !== undefined) this.#change('remove', before);
    this.#create(after);
  }

  #create(entry: FileEntry): void {
    if (entry.type === 'folder') this.#change('make', entry);
    else if (entry.type === 'link') this.#change('link', entry);
    else if (entry.sameAs !== undefined) this.#change('join', entry);
    else this.#putFile(entry);
  }

  #adapt(before: FileEntry, after: FileEntry): void {
    if (after.type === 'link') {
      const isSame = before.to === after.to && before.uid === after.uid && before.gid === after.gid;
      if (!isSame) this.#change('link', after);
      return;
    }
    if (after.type === 'file') {
      if (after.sameAs !== undefined) {
        const follows = this.#isPut(keyOf(after.root, after.sameAs));
        if (follows || before.sameAs !== after.sameAs) this.#change('join', after);
        return;
      }
      if (!this.#hasContentOf(before, after)) {
        this.#putFile(after);
        return;
      }
    }
    const isOther = before.mode !== after.mode || before.uid !== after.uid || before.gid !== after.gid;
    const isOlder = after.type === 'file' && microseconds(before.mtimeNs) !== microseconds(after.mtimeNs);
    const isMarked = this.#comparesAttributes && !isSameAttributes(before.attributes, after.attributes);
    if (isOther || isOlder || isMarked) this.#change('attributes', after);
  }

  #hasContentOf(before: FileEntry, after: FileEntry): boolean {
    if (before.size !== after.size || before.sameAs !== undefined) return false;
    return this.#contentKnown || before.content?.sha256 === after.content?.sha256;
  }

  #putFile(entry: FileEntry): void {
    this.#put?.add(keyOf(entry.root, entry.path));
    this.#bytes += entry.size;
    this.#change('put', entry);
  }

  #isPut(key: string): boolean {
    if (this.#put === undefined) {
      this.#put = new Set();
      for (const { kind, entry } of this.#changes) if (kind === 'put') this.#put.add(keyOf(entry.root, entry.path));
    }
    return this.#put.has(key);
  }

  #change(kind: ChangeKind, entry: FileEntry): void {
    this.#changes.add(kind, entry);
    const { root, path } = entry;
    const folder = this.#way.findLast((above) => above.root === root && isParent(above.path, path));
    if (folder !== undefined) this.#touched.set(keyOf(root, folder.path), folder);
    if (kind === 'make') this.#touched.set(keyOf(root, path), entry);
  }

  #walkTo(folder: FileEntry): void {
    this.#way = this.#way.filter(({ root, path }) => root === folder.root && isAbove(path, folder.path));
    this.#way.push(folder);
  }

  end(found: ReadonlySet<string>): RestorePlan {
    const folders = [...this.#touched.values()];
    return { changes: this.#changes, folders, left: this.#left, found, bytes: this.#bytes };
  }
}

export function keyOf(root: number, path: BytePath): string {
  return `${root}:${path}`;
}

function isAbove(folder: BytePath, path: BytePath): boolean {
  return path !== folder && (folder === '' || path.startsWith(`${folder}/`));
}

function isParent(folder: BytePath, path: BytePath): boolean {
  return path !== '' && folder === (path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : '');
}

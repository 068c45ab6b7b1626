import type { BytePath } from './byte-path.ts';
import { type Change, type ChangeKind, ChangeList, sightOf } from './change-list.ts';
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
  const planner = new Planner({ contentKnown, comparesAttributes });
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

export type PlannerOptions = {
  readonly contentKnown?: boolean;
  readonly comparesAttributes?: boolean;
  /** Each change knows what it is done to; and folders in which something changes do not get their time back. */
  readonly merges?: boolean;
};

/** Gathers what turns what is there into what is to be, place by place in the order of a walk. */
export class Planner {
  readonly #options: PlannerOptions;
  readonly #changes = new ChangeList();
  /** Files that get a new inode, whose other names must follow; known once there is a file with several names. */
  #put: Set<string> | undefined;
  /** The folders of the snapshot on the way to the present place, the outermost first. */
  #way: FileEntry[] = [];
  readonly #touched = new Map<string, FileEntry>();
  #left = 0;
  #bytes = 0;

  constructor(options: PlannerOptions) {
    this.#options = options;
  }

  judge(before: FileEntry | undefined, after: FileEntry | undefined): void {
    if (after?.type === 'folder') this.#walkTo(after);
    if (isSpecial(after) || (after === undefined && isSpecial(before))) {
      this.#left += 1;
      return;
    }
    if (after === undefined) {
      if (before !== undefined) this.#change('remove', before, before);
      return;
    }
    if (before === undefined) this.#create(after);
    else if (before.type === after.type) this.#adapt(before, after);
    else if (this.#options.merges === true && before.type !== 'folder' && after.type !== 'folder') {
      // By renaming over it, so that there is no moment at which nothing is there.
      this.#create(after, before);
    } else {
      this.#change('remove', before, before);
      this.#create(after);
    }
  }

  /** A folder on the way to what is wanted has to be there; how it is does not matter. */
  leadTo(before: FileEntry | undefined, after: FileEntry | undefined): void {
    if (after?.type !== 'folder') return;
    this.#walkTo(after);
    if (before?.type === 'folder') return;
    if (before !== undefined) this.#change('remove', before, before);
    this.#create(after);
  }

  /** What was known to be removable before it was known whether it is to be. */
  remove({ entry, seen }: Change): void {
    this.#changes.add('remove', entry, seen);
  }

  #create(entry: FileEntry, before?: FileEntry): void {
    if (entry.type === 'folder') this.#change('make', entry, before);
    else if (entry.type === 'link') this.#change('link', entry, before);
    else if (entry.sameAs !== undefined) this.#change('join', entry, before);
    else this.#putFile(entry, before);
  }

  #adapt(before: FileEntry, after: FileEntry): void {
    if (after.type === 'link') {
      const isSame = before.to === after.to && before.uid === after.uid && before.gid === after.gid;
      if (!isSame) this.#change('link', after, before);
      return;
    }
    if (after.type === 'file') {
      if (after.sameAs !== undefined) {
        const follows = this.#isPut(keyOf(after.root, after.sameAs));
        if (follows || before.sameAs !== after.sameAs) this.#change('join', after, before);
        return;
      }
      if (!this.#hasContentOf(before, after)) {
        this.#putFile(after, before);
        return;
      }
    }
    const isOther = before.mode !== after.mode || before.uid !== after.uid || before.gid !== after.gid;
    const isOlder = after.type === 'file' && microseconds(before.mtimeNs) !== microseconds(after.mtimeNs);
    const isMarked =
      this.#options.comparesAttributes === true && !isSameAttributes(before.attributes, after.attributes);
    if (isOther || isOlder || isMarked) this.#change('attributes', after, before);
  }

  #hasContentOf(before: FileEntry, after: FileEntry): boolean {
    if (before.size !== after.size || before.sameAs !== undefined) return false;
    return this.#options.contentKnown === true || before.content?.sha256 === after.content?.sha256;
  }

  #putFile(entry: FileEntry, before?: FileEntry): void {
    this.#put?.add(keyOf(entry.root, entry.path));
    this.#bytes += entry.size;
    this.#change('put', entry, before);
  }

  #isPut(key: string): boolean {
    if (this.#put === undefined) {
      this.#put = new Set();
      for (const { kind, entry } of this.#changes) if (kind === 'put') this.#put.add(keyOf(entry.root, entry.path));
    }
    return this.#put.has(key);
  }

  #change(kind: ChangeKind, entry: FileEntry, before?: FileEntry): void {
    const { merges = false } = this.#options;
    this.#changes.add(kind, entry, merges && before !== undefined ? sightOf(before) : undefined);
    const { root, path } = entry;
    const folder = merges
      ? undefined
      : this.#way.findLast((above) => above.root === root && isParent(above.path, path));
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

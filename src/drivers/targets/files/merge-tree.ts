import type { Versions } from '../../../core/merge/conflict.ts';
import { bareConflict, conflictItem } from '../conflict-item.ts';
import { isAtOrBelow } from './byte-path.ts';
import { ChangeList, sightOf } from './change-list.ts';
import type { FileEntry } from './file-entry.ts';
import { readLiveFile } from './live-content.ts';
import { type MergedPlace, mergePlace, nameOf, type PlaceParts, WHOLE } from './merge-place.ts';
import { keyOf, type Planner } from './restore-plan.ts';

/** What a place, where one of the versions has a folder, comes to for all that is below it. */
type Level = {
  readonly root: number;
  readonly path: string;
  state:
    | { readonly kind: 'folder' }
    /** A live folder that goes, unless something below it stays: then the folder does too. */
    | { readonly kind: 'leaving'; readonly live: FileEntry; readonly versions: Versions<FileEntry> }
    /** A folder that is not there, and is made if something of the snapshot is put below it. */
    | { readonly kind: 'absent'; readonly folder: FileEntry | undefined }
    /** Something else stands there. Silent: it is in conflict itself, and what depends on it is left with it. */
    | { readonly kind: 'closed'; readonly isSilent: boolean }
    /** A live folder that something else replaces, whatever is in it. */
    | { readonly kind: 'replaced' };
};

type State = Level['state'];
const FOLDER = { kind: 'folder' } as const;

export type TreeParts = PlaceParts & {
  readonly planner: Planner;
  /** What the snapshot has at a place. */
  readonly inSnapshot: (place: Pick<FileEntry, 'root' | 'path'>) => Promise<FileEntry | undefined>;
};

/** Merges the places of a tree in the order of a walk, so that what comes of it is a tree again. */
export class TreeMerge {
  readonly #parts: TreeParts;
  /** The way to the present place, the outermost first. */
  #levels: Level[] = [];
  /** What goes with the outermost folder that is leaving. */
  #leaving = new ChangeList();
  /** Files, by their keys, that are not there any more: what is another name of one needs content of its own. */
  readonly #gone = new Set<string>();

  constructor(parts: TreeParts) {
    this.#parts = parts;
  }

  /** The next place. Rejects as `mergePlace` does. */
  async add(versions: Versions<FileEntry>): Promise<void> {
    const { live, snapshot, ancestor } = versions;
    const place = live ?? snapshot ?? ancestor;
    if (place === undefined) return;
    this.#walkTo(place);
    const merged = this.#admitted(versions, await mergePlace(this.#parts, versions));
    const entry = await this.#withContent(versions, merged.entry);
    if (hasFile(versions) && entry?.type !== 'file') this.#gone.add(keyOf(place.root, place.path));
    const { root, path } = place;
    const below = this.#put(versions, { ...merged, entry });
    if (hasFolder(versions)) this.#levels.push({ root, path, state: below });
  }

  /** A place that is not meant to be merged; `leads`: something below it may be. */
  pass({ live, snapshot, ancestor }: Versions<FileEntry>, leads: boolean): void {
    const place = live ?? snapshot ?? ancestor;
    if (place === undefined) return;
    this.#walkTo(place);
    if (!hasFolder({ live, snapshot, ancestor })) return;
    const { root, path } = place;
    this.#levels.push({ root, path, state: passed(live, snapshot, leads) });
  }

  end(): void {
    this.#leaveLevels(0);
  }

  #walkTo({ root, path }: FileEntry): void {
    const depth = this.#levels.findIndex((level) => level.root !== root || !isAtOrBelow(path, level.path));
    if (depth >= 0) this.#leaveLevels(depth);
  }

  #leaveLevels(depth: number): void {
    const outermost = this.#outermostLeaving();
    if (outermost !== undefined && this.#levels.indexOf(outermost.level) >= depth) {
      this.#parts.planner.judge(outermost.state.live, replacementOf(outermost.state.versions));
      this.#takeAway();
    }
    this.#levels.length = depth;
  }

  #outermostLeaving() {
    for (const level of this.#levels) {
      const { state } = level;
      if (state.kind === 'leaving') return { level, state };
    }
    return undefined;
  }

  /** What may stand there, given what its folder comes to. */
  #admitted(versions: Versions<FileEntry>, merged: MergedPlace): MergedPlace {
    const parent = this.#parent;
    if (merged.entry === undefined || parent.kind === 'folder') return merged;
    const left = { entry: undefined, how: merged.how };
    switch (parent.kind) {
      case 'leaving':
        return this.#keepsLeaving() ? merged : left;
      case 'absent':
        this.#makeAbsent();
        return merged;
      case 'closed':
        if (!parent.isSilent) this.#noteDependency(versions);
        return left;
      case 'replaced':
        return left;
    }
  }

  get #parent(): State {
    return this.#levels.at(-1)?.state ?? FOLDER;
  }

  /** Something stays below folders that were to go: so do they. Unless a person wants something else in their place. */
  #keepsLeaving(): boolean {
    const { planner, log } = this.#parts;
    const outermost = this.#outermostLeaving();
    if (outermost === undefined) return true;
    const { live, versions } = outermost.state;
    const replacement = replacementOf(versions);
    const name = nameOf(this.#parts, versions);
    const isReplaced =
      replacement !== undefined && log.settle(conflictItem(name, 'structure', versions, WHOLE)) === 'snapshot';
    if (isReplaced) planner.judge(live, replacement);
    const kept = new Set<string>();
    for (const level of this.#levels) {
      if (level.state.kind !== 'leaving') continue;
      level.state = isReplaced ? { kind: 'replaced' } : FOLDER;
      if (!isReplaced) kept.add(level.path);
    }
    this.#takeAway(kept);
    return !isReplaced;
  }

  /** Removes what waited for it, but these folders. */
  #takeAway(kept: ReadonlySet<string> = new Set()): void {
    for (const change of this.#leaving) if (!kept.has(change.entry.path)) this.#parts.planner.remove(change);
    this.#leaving = new ChangeList();
  }

  #makeAbsent(): void {
    for (const level of this.#levels) {
      if (level.state.kind !== 'absent') continue;
      if (level.state.folder !== undefined) this.#parts.planner.judge(undefined, level.state.folder);
      level.state = FOLDER;
    }
  }

  #noteDependency(versions: Versions<FileEntry>): void {
    const { log } = this.#parts;
    const item = `${nameOf(this.#parts, versions)} has no folder any more`;
    const side = log.settle(bareConflict(item, 'dependency'));
    if (side === 'live') log.hold('left');
    // Nobody can decide that there is a folder all the same.
    else if (side === 'snapshot') log.hold('asked');
  }

  /** Plans what is done at the place, and says what that means for what is below it. */
  #put(versions: Versions<FileEntry>, { entry, how }: MergedPlace): State {
    const { planner } = this.#parts;
    const { live, snapshot } = versions;
    if (live?.type === 'folder' && entry?.type !== 'folder' && this.#parent.kind !== 'replaced') {
      if (entry === undefined || how === 'clean') {
        if (this.#parent.kind === 'leaving') this.#leaving.add('remove', live, sightOf(live));
        return { kind: 'leaving', live, versions };
      }
      planner.judge(live, entry);
      return { kind: 'replaced' };
    }
    const waits = entry === undefined && live !== undefined && this.#parent.kind === 'leaving' && isRemovable(live);
    if (waits) this.#leaving.add('remove', live, sightOf(live));
    else planner.judge(live, entry);
    if (entry?.type === 'folder') return FOLDER;
    if (live?.type === 'folder') return { kind: 'replaced' };
    const isClosed = entry !== undefined || how === 'held' || this.#parent.kind === 'closed';
    if (!isClosed) return { kind: 'absent', folder: snapshot?.type === 'folder' ? snapshot : undefined };
    return { kind: 'closed', isSilent: how === 'held' || (this.#parent.kind === 'closed' && this.#parent.isSilent) };
  }

  /** Another name of a file that is gone is a file of its own now. */
  async #withContent(versions: Versions<FileEntry>, entry: FileEntry | undefined): Promise<FileEntry | undefined> {
    if (entry?.sameAs === undefined || !this.#gone.has(keyOf(entry.root, entry.sameAs))) return entry;
    const { sameAs, ...own } = entry;
    const { roots, session, inSnapshot } = this.#parts;
    if (versions.live?.sameAs === sameAs) {
      const content = await readLiveFile(roots, entry, session.put);
      return { ...own, content, size: content.bytes };
    }
    const first = await inSnapshot({ root: entry.root, path: sameAs });
    return first?.content === undefined ? entry : { ...own, content: first.content, size: first.size };
  }
}

function passed(live: FileEntry | undefined, snapshot: FileEntry | undefined, leads: boolean): State {
  if (live?.type === 'folder') return FOLDER;
  if (leads && live === undefined) {
    return { kind: 'absent', folder: snapshot?.type === 'folder' ? snapshot : undefined };
  }
  return { kind: 'closed', isSilent: !leads };
}

/** What stands where a folder was, if that is anything. */
function replacementOf({ snapshot }: Versions<FileEntry>): FileEntry | undefined {
  return snapshot?.type === 'folder' ? undefined : snapshot;
}

function isRemovable({ type }: FileEntry): boolean {
  return type === 'file' || type === 'folder' || type === 'link';
}

function hasFolder({ ancestor, live, snapshot }: Versions<FileEntry>): boolean {
  return [ancestor, live, snapshot].some((entry) => entry?.type === 'folder');
}

function hasFile({ live, snapshot }: Versions<FileEntry>): boolean {
  return live?.type === 'file' || snapshot?.type === 'file';
}

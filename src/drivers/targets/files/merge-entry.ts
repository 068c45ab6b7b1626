import { type ConflictClass, type Pick as Picked, pickSide, type Versions } from '../../../core/merge/conflict.ts';
import { sortedText } from './extended-attributes.ts';
import type { FileEntry } from './file-entry.ts';

export type EntryMerge =
  /** One side's as a whole, or none; `undefined` in it stands for what is not there. */
  | { readonly kind: 'side'; readonly side: 'live' | 'snapshot' }
  | { readonly kind: 'conflict'; readonly class: ConflictClass }
  /** Both have one of the same type: its content (or where a link leads), and who may do what with it. */
  | {
      readonly kind: 'parts';
      readonly content: Picked;
      readonly access: Picked;
      /** Of the parts in conflict. */
      readonly class: ConflictClass;
      readonly live: FileEntry;
      readonly snapshot: FileEntry;
    };

/**
 * Whose version stands at a place of a tree. Mode, owner and extended attributes are one part: a mode of one side with the
 * owner of the other could give rights that neither gave. `marks`: whether extended attributes are known of all three.
 */
export function mergeEntry(versions: Versions<FileEntry>, marks: boolean): EntryMerge {
  const { ancestor, live, snapshot } = versions;
  if (live === undefined || snapshot === undefined || live.type !== snapshot.type) {
    const isSame = (a: FileEntry | undefined, b: FileEntry | undefined) => wholeKey(a, marks) === wholeKey(b, marks);
    const side = pickSide(versions, isSame, true);
    return side === 'conflict' ? { kind: 'conflict', class: classOf(versions) } : { kind: 'side', side };
  }
  const before = ancestor?.type === live.type ? ancestor : undefined;
  const pick = (keyOf: (entry: FileEntry) => string) => {
    const keys = { ancestor: before && keyOf(before), live: keyOf(live), snapshot: keyOf(snapshot) };
    return pickSide(keys, (a, b) => a === b, true);
  };
  const content = pick(contentKey);
  // Of a file with several names only the first one says who may do what.
  const isNamed = [before, live, snapshot].some((entry) => entry?.sameAs !== undefined);
  const access = isNamed ? content : pick((entry) => accessKey(entry, marks));
  return { kind: 'parts', content, access, class: ancestor === undefined ? 'duplicate' : 'value', live, snapshot };
}

function classOf({ ancestor, live, snapshot }: Versions<FileEntry>): ConflictClass {
  if (live === undefined || snapshot === undefined) return 'missing';
  if (live.type === 'folder' || snapshot.type === 'folder') return 'structure';
  return ancestor === undefined ? 'duplicate' : 'type';
}

/** All that makes a difference; undefined for what is not there. */
export function wholeKey(entry: FileEntry | undefined, marks: boolean): string | undefined {
  return entry && JSON.stringify([entry.type, contentKey(entry), accessKey(entry, marks)]);
}

function contentKey({ content, sameAs, to, device }: FileEntry): string {
  return JSON.stringify([content?.sha256, sameAs, to, device]);
}

/** A link has no mode of its own. */
export function accessKey({ type, mode, uid, gid, attributes }: FileEntry, marks: boolean): string {
  return JSON.stringify([type === 'link' ? 0 : mode, uid, gid, marks ? sortedText(attributes) : '']);
}

/** The content of one with the rights of the other. What is not known of all three stays as it is live. */
export function combined(
  content: FileEntry,
  { mode, uid, gid, attributes }: FileEntry,
  live: FileEntry,
  marks: boolean,
): FileEntry {
  const { attributes: _others, ...rest } = content;
  const kept = marks ? attributes : live.attributes;
  return { ...rest, mode, uid, gid, ...(kept === undefined ? {} : { attributes: kept }) };
}

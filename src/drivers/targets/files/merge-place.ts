import { isUtf8 } from 'node:buffer';
import type { Versions } from '../../../core/merge/conflict.ts';
import type { MergeLog } from '../../../core/merge/merge-report.ts';
import { canMergeText, mergeText } from '../../../core/merge/merge-text.ts';
import type { CaptureSession } from '../../../store/content/capture-session.ts';
import type { ContentStore } from '../../../store/content/content-store.ts';
import { conflictItem, shortened, type VersionWords } from '../conflict-item.ts';
import { wholeContent } from '../whole-content.ts';
import { shownPath } from './byte-path.ts';
import { type FileEntry, octal } from './file-entry.ts';
import { liveBytes } from './live-content.ts';
import { accessKey, combined, type EntryMerge, mergeEntry, wholeKey } from './merge-entry.ts';
import type { OpenRoot } from './walk.ts';
import { shownIn } from './ways.ts';

/** Longer text is one item. */
const MOST_TEXT_BYTES = 1024 * 1024;

/** What is to stand at a place. */
export type MergedPlace = {
  readonly entry: FileEntry | undefined;
  /** `clean`: nobody had to choose; `held`: it was in conflict, and is as it is live; `chosen`: the snapshot's was chosen. */
  readonly how: 'clean' | 'held' | 'chosen';
};

export type PlaceParts = {
  readonly roots: readonly OpenRoot[];
  readonly store: ContentStore;
  /** Where merged text is kept until it is in place. */
  readonly session: Pick<CaptureSession, 'put'>;
  readonly log: MergeLog;
  /** Whether extended attributes are known of all three. */
  readonly marks: boolean;
};

type Parts = Extract<EntryMerge, { kind: 'parts' }>;

/** Merges one place of a tree. Rejects with TargetError `changing`, and with ContentError. */
export async function mergePlace(parts: PlaceParts, versions: Versions<FileEntry>): Promise<MergedPlace> {
  const { log, marks } = parts;
  const merge = mergeEntry(versions, marks);
  switch (merge.kind) {
    case 'side':
      return { entry: versions[merge.side], how: 'clean' };
    case 'conflict': {
      const side = log.settle(conflictItem(nameOf(parts, versions), merge.class, versions, WHOLE));
      return side === 'snapshot' ? { entry: versions.snapshot, how: 'chosen' } : { entry: versions.live, how: 'held' };
    }
    case 'parts': {
      const content = await contentOf(parts, versions, merge);
      const access = accessOf(parts, versions, merge);
      if (content === 'held' || access === 'held') return { entry: merge.live, how: 'held' };
      return { entry: combined(content, access, merge.live, marks), how: 'clean' };
    }
  }
}

function accessOf(parts: PlaceParts, versions: Versions<FileEntry>, merge: Parts): FileEntry | 'held' {
  if (merge.access !== 'conflict') return merge[merge.access];
  // Then it goes with the content.
  if (merge.live.sameAs !== undefined || merge.snapshot.sameAs !== undefined) return merge.live;
  const item = `${nameOf(parts, versions)} (mode and owner)`;
  const side = parts.log.settle(conflictItem(item, merge.class, versions, ACCESS));
  return side === 'held' ? side : merge[side];
}

async function contentOf(parts: PlaceParts, versions: Versions<FileEntry>, merge: Parts): Promise<FileEntry | 'held'> {
  if (merge.content !== 'conflict') return merge[merge.content];
  const texts = await textsOf(parts, versions);
  if (texts !== undefined && canMergeText(texts)) return await mergedText(parts, versions, merge, texts);
  const side = parts.log.settle(conflictItem(nameOf(parts, versions), merge.class, versions, WHOLE));
  return side === 'held' ? side : merge[side];
}

type Texts = { readonly [K in keyof Versions<string>]: string };

/** Each conflict is settled by itself; if one is not, the file stays as it is: half of it could mean something else. */
async function mergedText(
  parts: PlaceParts,
  versions: Versions<FileEntry>,
  { live, snapshot }: Parts,
  texts: Texts,
): Promise<FileEntry | 'held'> {
  const name = nameOf(parts, versions);
  let isHeld = false;
  const { merged } = mergeText(texts, (conflict) => {
    const item = `${name} line ${conflict.line}`;
    const side = parts.log.settle(conflictItem(item, conflict.class, conflict.versions, LINES));
    isHeld ||= side === 'held';
    return side === 'snapshot' ? side : 'live';
  });
  if (isHeld) return 'held';
  if (merged === texts.live) return live;
  if (merged === texts.snapshot) return snapshot;
  const content = await parts.session.put(Buffer.from(merged));
  const mtimeNs = live.mtimeNs > snapshot.mtimeNs ? live.mtimeNs : snapshot.mtimeNs;
  return { ...live, content, size: content.bytes, mtimeNs };
}

/** Undefined unless all three are short text. */
async function textsOf(
  { roots, store }: PlaceParts,
  { ancestor, live, snapshot }: Versions<FileEntry>,
): Promise<Texts | undefined> {
  if (!isShortFile(ancestor) || !isShortFile(live) || !isShortFile(snapshot)) return undefined;
  const texts = {
    ancestor: textIn(await wholeContent(store, ancestor.content)),
    snapshot: textIn(await wholeContent(store, snapshot.content)),
  };
  if (texts.ancestor === undefined || texts.snapshot === undefined) return undefined;
  const mine = textIn(await liveBytes(roots, live));
  return mine === undefined ? undefined : { ancestor: texts.ancestor, live: mine, snapshot: texts.snapshot };
}

function isShortFile(
  entry: FileEntry | undefined,
): entry is FileEntry & { readonly content: NonNullable<FileEntry['content']> } {
  return entry?.type === 'file' && entry.content !== undefined && entry.content.bytes <= MOST_TEXT_BYTES;
}

function textIn(bytes: Buffer): string | undefined {
  return bytes.includes(0) || !isUtf8(bytes) ? undefined : bytes.toString();
}

export function nameOf(
  { roots }: Pick<PlaceParts, 'roots'>,
  { ancestor, live, snapshot }: Versions<FileEntry>,
): string {
  const entry = live ?? snapshot ?? ancestor;
  return entry === undefined ? '' : shownIn(roots, entry);
}

const LINES: VersionWords<string> = { text: (lines) => lines, shown: shortened };

/** What people are shown of something as a whole. */
export const WHOLE: VersionWords<FileEntry> = {
  text: (entry) => wholeKey(entry, true) ?? '',
  shown: (entry) => {
    const { type, size, content, to, sameAs } = entry;
    return {
      type,
      ...(type === 'file' ? { bytes: size } : {}),
      ...(content === undefined ? {} : { sha256: content.sha256 }),
      ...(to === undefined ? {} : { to: shownPath(to) }),
      ...(sameAs === undefined ? {} : { sameAs: shownPath(sameAs) }),
      ...shownAccess(entry),
    };
  },
};

const ACCESS: VersionWords<FileEntry> = { text: (entry) => accessKey(entry, true), shown: shownAccess };

function shownAccess(entry: FileEntry) {
  const { type, uid, gid, attributes } = entry;
  const owner = { owner: `${uid}:${gid}`, ...(attributes === undefined ? {} : { attributes }) };
  return type === 'link' ? owner : { mode: octal(entry), ...owner };
}

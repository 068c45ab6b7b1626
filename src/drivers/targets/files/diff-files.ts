import { isUtf8 } from 'node:buffer';
import { createTwoFilesPatch } from 'diff';
import type { ContentStore } from '../../../store/content/content-store.ts';
import { type DiffGroup, type DiffItem, DiffTally } from '../captured-target.ts';
import { wholeContent } from '../whole-content.ts';
import { shownPath } from './byte-path.ts';
import { compareTrees } from './compare-trees.ts';
import { differences, type FileEntry } from './file-entry.ts';

/** Text up to here is shown line by line, for so many files. */
const SMALL_BYTES = 64 * 1024;
const LINE_DIFFS = 20;

export type DiffParts = {
  readonly roots: readonly string[];
  readonly store: ContentStore;
  /** What a file of the later state holds, if it is not in the store. */
  readonly readLater: (entry: FileEntry) => Promise<Buffer | undefined>;
};

/** What is different, a group for each root. Rejects as the trees and the store do. */
export async function diffTrees(
  before: AsyncIterable<FileEntry>,
  after: AsyncIterable<FileEntry>,
  parts: DiffParts,
): Promise<readonly DiffGroup[]> {
  const tallies = parts.roots.map((root) => new DiffTally(root));
  let lineDiffs = 0;
  for await (const pair of compareTrees(before, after)) {
    const place = pair.before ?? pair.after;
    const tally = place === undefined ? undefined : tallies[place.root];
    if (place === undefined || tally === undefined) continue;
    const what = place.path === '' ? '.' : shownPath(place.path);
    if (pair.before === undefined || pair.after === undefined) {
      await tally.add(pair.before === undefined ? 'added' : 'removed', () => ({ what, detail: described(place) }));
      continue;
    }
    const [older, newer] = [pair.before, pair.after];
    const found = differences(older, newer);
    if (found.length === 0) continue;
    await tally.add('changed', async () => {
      const lines = lineDiffs < LINE_DIFFS ? await lineDiff(older, newer, what, parts) : undefined;
      if (lines !== undefined) lineDiffs += 1;
      return { what, detail: found.join(', '), ...(lines === undefined ? {} : { lines }) } satisfies Omit<
        DiffItem,
        'kind'
      >;
    });
  }
  return tallies.map((tally) => tally.group());
}

function described({ type, size, to }: FileEntry): string {
  if (type === 'file') return `${size} bytes`;
  return type === 'link' ? `link to ${shownPath(to ?? '')}` : type;
}

async function lineDiff(
  older: FileEntry,
  newer: FileEntry,
  name: string,
  parts: DiffParts,
): Promise<string | undefined> {
  if (older.type !== 'file' || newer.type !== 'file' || older.content?.sha256 === newer.content?.sha256)
    return undefined;
  if (older.size > SMALL_BYTES || newer.size > SMALL_BYTES || older.content === undefined) return undefined;
  const before = textOf(await wholeContent(parts.store, older.content));
  const after = textOf(await parts.readLater(newer));
  if (before === undefined || after === undefined) return undefined;
  return createTwoFilesPatch(name, name, before, after, undefined, undefined, { context: 3 });
}

function textOf(bytes: Buffer | undefined): string | undefined {
  return bytes === undefined || bytes.includes(0) || !isUtf8(bytes) ? undefined : bytes.toString();
}

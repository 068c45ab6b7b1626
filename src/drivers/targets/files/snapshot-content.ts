import type { Snapshot } from '../../../core/model/point.ts';
import type { ContentStore } from '../../../store/content/content-store.ts';
import { type FileEntry, type FilesHead, toEntry, toHead } from './file-entry.ts';

/** The first line of a snapshot's manifest. Rejects with TargetError and ContentError. */
export async function headOf(store: ContentStore, { manifest }: Pick<Snapshot, 'manifest'>): Promise<FilesHead> {
  for await (const line of store.manifest(manifest)) return toHead(line);
  return toHead(undefined);
}

/** What a snapshot holds, in order. Rejects with TargetError and ContentError. */
export async function* entriesOf(
  store: ContentStore,
  { manifest }: Pick<Snapshot, 'manifest'>,
): AsyncGenerator<FileEntry> {
  let isHead = true;
  for await (const line of store.manifest(manifest)) {
    if (isHead) isHead = false;
    else yield toEntry(line);
  }
}

export async function* noEntries(): AsyncGenerator<FileEntry> {
  // Nothing is known.
}

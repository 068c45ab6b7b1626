import { piecesOf } from './blob-ref.ts';
import type { Claims } from './claims.ts';
import { ContentError } from './content-error.ts';
import type { ContentFolder } from './content-folder.ts';
import { type Keyring, namesOf } from './content-keys.ts';
import type { ContentReader } from './content-reader.ts';

export type Collected = {
  readonly manifests: number;
  readonly blobs: number;
  readonly bytes: number;
  /** Files of writers that were killed. */
  readonly remains: number;
};

export type CollectParts = {
  readonly folder: ContentFolder;
  readonly reader: ContentReader;
  readonly keyring: Keyring;
  readonly claims: Claims;
  /** Manifests that must be there: of one that cannot be read nobody knows what it needs, so nothing is removed. */
  readonly keep: ReadonlySet<string>;
  /** Manifests that captures under way reuse; they are kept, if they are there. */
  readonly inUse: ReadonlySet<string>;
  readonly signal: AbortSignal;
};

/**
 * Removes what no kept manifest needs. The order makes it safe to be killed anywhere: all is marked before anything is
 * removed, and manifests are gone for good before the first piece of theirs is, so that none is ever left without.
 * Rejects with ContentError.
 */
export async function collect(parts: CollectParts): Promise<Collected> {
  const { folder } = parts;
  const needed = await mark(parts);
  folder.at('marked');
  await folder.settleWaiting();
  const manifests = await sweepManifests(parts);
  const swept = await sweepBlobs(parts, needed);
  const remains = await folder.removeRemains();
  return { manifests, remains, ...swept };
}

/** The names of every piece that is needed. */
async function mark(parts: CollectParts): Promise<ReadonlySet<string>> {
  const needed = new Set<string>();
  for (const manifest of parts.keep) await markOne(parts, manifest, needed);
  for (const manifest of parts.inUse) {
    try {
      await markOne(parts, manifest, needed);
    } catch (error) {
      if (!(error instanceof ContentError) || error.code !== 'missing') throw error;
    }
  }
  return needed;
}

async function markOne({ reader, keyring, signal }: CollectParts, manifest: string, needed: Set<string>) {
  const note = (pieces: readonly string[]) => {
    for (const piece of pieces) for (const name of namesOf(piece, keyring)) needed.add(name);
  };
  note(piecesOf(await reader.manifestText(manifest)));
  for await (const { content } of reader.manifest(manifest)) {
    if (content !== undefined) note(piecesOf(content));
    refuseIfAborted(signal);
  }
}

async function sweepManifests({ folder, keyring, claims, keep, inUse }: CollectParts): Promise<number> {
  const kept = new Set([...keep, ...inUse].flatMap((manifest) => namesOf(manifest, keyring)));
  let removed = 0;
  for (const name of await folder.names('manifests')) {
    if (kept.has(name)) continue;
    const isGone = await claims.removeUnclaimed(name, async () => {
      await folder.remove('manifests', name);
      folder.at('manifestRemoved');
    });
    if (isGone) removed += 1;
  }
  await folder.settle('manifests');
  return removed;
}

async function sweepBlobs({ folder, claims, signal }: CollectParts, needed: ReadonlySet<string>) {
  let [blobs, bytes] = [0, 0];
  for (const shard of await folder.shards()) {
    refuseIfAborted(signal);
    for (const name of await folder.names('blobs', shard)) {
      if (needed.has(name)) continue;
      const isGone = await claims.removeUnclaimed(name, async () => {
        const freed = await folder.remove('blobs', name);
        bytes += freed;
        folder.at('blobRemoved');
      });
      if (isGone) blobs += 1;
    }
  }
  return { blobs, bytes };
}

function refuseIfAborted(signal: AbortSignal): void {
  if (signal.aborted) throw new ContentError('aborted', 'the collection was ended', { cause: signal.reason });
}

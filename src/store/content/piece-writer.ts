import { join } from 'node:path';
import type { BlobRef } from './blob-ref.ts';
import type { ChunkPool } from './chunk-pool.ts';
import type { ClaimSet, Claims } from './claims.ts';
import { ContentError } from './content-error.ts';
import { type ContentFolder, shardOf } from './content-folder.ts';
import { type Keyring, nameOf } from './content-keys.ts';
import { type Compression, seal } from './envelope.ts';
import type { PiecePlace, TakenPiece } from './file-job.ts';
import { encodeRecord } from './manifest-record.ts';

export type Committed = {
  /** SHA-256 of the manifest's text. */
  readonly manifest: string;
  /** What this capture added to the store, as stored. */
  readonly storedBytes: number;
};

export type SessionParts = {
  readonly folder: ContentFolder;
  readonly keyring: Keyring;
  readonly compression: Compression;
  readonly pool: ChunkPool;
  readonly claims: Claims;
  readonly operation: string;
  readonly previous: string | undefined;
  readonly signal: AbortSignal;
};

/** Stores pieces that are not there yet. */
export class PieceWriter {
  readonly #parts: SessionParts;
  readonly #claimed: ClaimSet;
  readonly #writing = new Map<string, Promise<void>>();
  /** Where a name was given, by this capture or by one whose names may not be durable yet. */
  readonly #shards = new Set<string>();
  readonly #losses: number;
  storedBytes = 0;

  constructor(parts: SessionParts) {
    this.#parts = parts;
    this.#claimed = parts.claims.open(parts.operation);
    this.#losses = parts.folder.losses;
  }

  async has(sha256: string): Promise<boolean> {
    const name = nameOf(sha256, this.#parts.keyring);
    await this.#claimed.claim(name);
    return await this.#parts.folder.hasBlob(name);
  }

  async store(piece: Buffer, sha256: string): Promise<void> {
    const same = this.#writing.get(sha256);
    if (same !== undefined) return await same;
    const storing = this.#storeNew(piece, sha256);
    this.#writing.set(sha256, storing);
    try {
      await storing;
    } finally {
      this.#writing.delete(sha256);
    }
  }

  /**
   * A piece that a thread writes under a temporary name, unless it saw it in its place. Undefined if it has to be
   * stored by `store`: it could not be read, or what the thread saw is gone by now.
   */
  async take<T>(
    work: (into: PiecePlace) => Promise<{ readonly piece: TakenPiece; readonly result: T } | undefined>,
  ): Promise<T | undefined> {
    const { folder, keyring, compression } = this.#parts;
    const temporary = folder.reserve();
    const done = await work({ temporary, blobs: join(folder.path, 'blobs'), compression });
    if (done === undefined) {
      await folder.discard(temporary);
      return undefined;
    }
    const { piece, result } = done;
    const name = nameOf(piece.sha256, keyring);
    const isThere = await this.has(piece.sha256);
    this.#shards.add(shardOf(name));
    if (isThere || piece.storedBytes === 0) {
      await folder.discard(temporary);
      return isThere ? result : undefined;
    }
    folder.at('written');
    if (await folder.adopt(name, temporary, piece.storedBytes)) this.storedBytes += piece.storedBytes;
    return result;
  }

  async #storeNew(piece: Buffer, sha256: string): Promise<void> {
    const { folder, keyring, compression } = this.#parts;
    const name = nameOf(sha256, keyring);
    const isThere = await this.has(sha256);
    this.#shards.add(shardOf(name));
    if (isThere) return;
    const sealed = await seal(piece, sha256, { compression, key: keyring.current });
    // Several are on their way: the sum is read after the wait, not before it.
    const bytes = await folder.writeBlob(name, sealed);
    this.storedBytes += bytes;
  }

  /** Gives all that was stored its name, durably. */
  async settle(): Promise<void> {
    const { folder } = this.#parts;
    await folder.settleBlobs(this.#shards);
    if (folder.losses !== this.#losses) {
      throw new ContentError('io', `what was stored in ${folder.path} could not be made durable; capture it again`);
    }
  }

  async commit(text: BlobRef): Promise<Committed> {
    const { folder, keyring, compression } = this.#parts;
    await this.settle();
    const name = nameOf(text.sha256, keyring);
    await this.#claimed.claim(name);
    const record = await encodeRecord(text, { compression, key: keyring.current });
    const bytes = await folder.write('manifests', name, record);
    this.storedBytes += bytes;
    await folder.settle('manifests');
    folder.at('committed');
    return { manifest: text.sha256, storedBytes: this.storedBytes };
  }
}

/** @throws {ContentError} `aborted` */
export function refuseIfAborted(signal: AbortSignal): void {
  if (signal.aborted) throw new ContentError('aborted', 'the capture was ended', { cause: signal.reason });
}

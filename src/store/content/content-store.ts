import {
  type AdoptOptions,
  adoptContent,
  type PackOptions,
  packContent,
  type UnpackOptions,
  unpackContent,
} from './archive.ts';
import type { BlobRef } from './blob-ref.ts';
import { type CaptureSession, openSession } from './capture-session.ts';
import { ChunkPool } from './chunk-pool.ts';
import { Claims } from './claims.ts';
import { type Collected, collect } from './collect.ts';
import { type Boundary, ContentFolder } from './content-folder.ts';
import { deriveKey } from './content-key.ts';
import { checkKeys, type Keyring, namesOf, noteKey } from './content-keys.ts';
import { ContentReader, type ManifestLine } from './content-reader.ts';
import type { Compression } from './envelope.ts';
import type { NewFile } from './file-job.ts';
import { type GiveOrder, giveInto } from './give-into.ts';
import { pathText } from './path-text.ts';
import { createPieceCache, type PieceCache, type PieceCacheLimits } from './piece-cache.ts';
import { SHORT_BYTES } from './take-file.ts';
import { type ContentVerdict, type VerifyOptions, verifyContent } from './verify-content.ts';

export type ContentStoreOptions = {
  readonly compression: Compression;
  /** At least 32 bytes; what is written from now on is encrypted with it. What was written before stays readable. */
  readonly key?: Buffer;
  /** Keys of earlier times, to read with. */
  readonly formerKeys?: readonly Buffer[];
  /** How much of what was read last is kept in memory, and for how long; absent: nothing. */
  readonly cache?: PieceCacheLimits;
  /** Called at each step that a crash could come after; for tests. */
  readonly at?: (boundary: Boundary) => void;
};

export type CaptureOptions = {
  /** Whose capture it is; until this is released, nothing that it stored is collected. */
  readonly operation: string;
  /** A manifest whose content is reused where it did not change. */
  readonly previous?: string;
  /** Instead of the store's own. */
  readonly compression?: Compression;
  readonly signal: AbortSignal;
};

/**
 * Content by its SHA-256, each piece once however many snapshots need it. One process writes; any number reads.
 * Every method rejects with ContentError, and with nothing else of its own.
 */
export type ContentStore = {
  readonly folder: string;
  readonly compression: Compression;
  readonly encrypts: boolean;
  readonly begin: (options: CaptureOptions) => Promise<CaptureSession>;
  /**
   * Nothing protects what the operation stored any more, but the manifests that a collection is told to keep. Call it
   * when the capture has failed, or once the point is in the log; not in between.
   */
  readonly release: (operation: string) => void;
  /** Content piece by piece, each of which was verified before it is given. */
  readonly read: (ref: BlobRef) => AsyncIterable<Buffer>;
  /**
   * Makes a new file of short content, in one go and verified; false where it has to be done with `read`, for whatever
   * reason, which that then tells. Nothing is left of the file then. It is not durable yet.
   */
  readonly give: (ref: BlobRef, to: NewFile) => Promise<boolean>;
  /** Writes long content into an empty file, several pieces at once; false as above: then the file is to be written anew. */
  readonly giveInto: (ref: BlobRef, path: Buffer, order: GiveOrder) => Promise<boolean>;
  /** Renames files in their order, off the main thread; resolves with how many it were until one failed. */
  readonly rename: (pairs: readonly (readonly [from: Buffer, to: Buffer])[]) => Promise<number>;
  readonly manifest: (sha256: string) => AsyncIterable<ManifestLine>;
  readonly verify: (manifest: string, options: VerifyOptions) => Promise<ContentVerdict>;
  /** How many manifests there are, which nothing but a collection removes. */
  readonly manifestCount: () => Promise<number>;
  /** Removes all that neither these manifests need nor a capture under way. One after the other. */
  readonly collect: (keep: Iterable<string>, signal: AbortSignal) => Promise<Collected>;
  /**
   * A folder for copies that are on their way into the store or out of it. They are plain: what is encrypted in the store
   * is not encrypted there.
   */
  readonly withScratch: <T>(use: (folder: string) => Promise<T>) => Promise<T>;
  /** Writes snapshots into one file, with a note about them; resolves with its size. */
  readonly pack: (path: string, contents: PackOptions) => Promise<number>;
  /** Takes over what such a file holds, if it is whole. */
  readonly unpack: (path: string, options: UnpackOptions) => Promise<void>;
  /** The same for a file that is unpacked already. */
  readonly adopt: (options: AdoptOptions) => Promise<void>;
  /** Until the operation is released, no collection that begins now removes what these manifests need. */
  readonly hold: (operation: string, manifests: Iterable<string>) => void;
  /** Those of the manifests that are not here. */
  readonly lacks: (manifests: Iterable<string>) => Promise<readonly string[]>;
  /** Bytes on the disk, as stored. */
  readonly size: () => Promise<number>;
};

/** Bounds what all captures hold in memory together: 20 MiB, and as much again for what is compressed. */
const BUFFERS = 5;

/**
 * Opens the store in a folder; it is made when the first capture begins.
 * @throws {ContentError} `key` if the key is too short, or not one that the store's content was encrypted with.
 */
export async function openContentStore(path: string, options: ContentStoreOptions): Promise<ContentStore> {
  const folder = new ContentFolder(path, options.at ?? (() => undefined));
  const keyring = keyringOf(options);
  await checkKeys(folder, keyring);
  return new OpenStore(folder, keyring, options.compression, createPieceCache(options.cache));
}

function keyringOf({ key, formerKeys = [] }: ContentStoreOptions): Keyring {
  const current = key === undefined ? undefined : deriveKey(key);
  return { current, all: [...(current === undefined ? [] : [current]), ...formerKeys.map(deriveKey)] };
}

class OpenStore implements ContentStore {
  readonly folder: string;
  readonly compression: Compression;
  readonly encrypts: boolean;
  readonly #folder: ContentFolder;
  readonly #keyring: Keyring;
  readonly #reader: ContentReader;
  readonly #pool = new ChunkPool(BUFFERS);
  readonly #claims = new Claims();
  /** By operation, what its captures reuse. */
  readonly #inUse = new Map<string, Set<string>>();
  /** What the collection under way keeps; null while there is none. */
  #keeping: ReadonlySet<string> | null = null;
  #collecting: Promise<unknown> = Promise.resolve();

  constructor(folder: ContentFolder, keyring: Keyring, compression: Compression, cache: PieceCache) {
    this.folder = folder.path;
    this.compression = compression;
    this.encrypts = keyring.current !== undefined;
    this.#folder = folder;
    this.#keyring = keyring;
    this.#reader = new ContentReader(folder, keyring, cache);
  }

  async begin({ operation, previous, compression, signal }: CaptureOptions): Promise<CaptureSession> {
    await this.#folder.lay();
    await noteKey(this.#folder, this.#keyring);
    const reused = this.#protect(operation, previous);
    return openSession({
      folder: this.#folder,
      keyring: this.#keyring,
      compression: compression ?? this.compression,
      pool: this.#pool,
      claims: this.#claims,
      operation,
      previous: reused,
      signal,
    });
  }

  /** What a collection that has begun does not keep may be gone at any moment: then everything is read again. */
  #protect(operation: string, previous: string | undefined): string | undefined {
    if (previous === undefined || this.#keeping?.has(previous) === false) return undefined;
    this.#inUse.set(operation, new Set(this.#inUse.get(operation)).add(previous));
    return previous;
  }

  release(operation: string): void {
    this.#claims.release(operation);
    this.#inUse.delete(operation);
  }

  read(ref: BlobRef): AsyncIterable<Buffer> {
    return this.#reader.content(ref);
  }

  async give(ref: BlobRef, to: NewFile): Promise<boolean> {
    const { sha256, bytes } = ref;
    if (this.#keyring.all.length > 0 || bytes === 0 || bytes > SHORT_BYTES) return false;
    const blob = this.#folder.file('blobs', sha256);
    return (await this.#folder.workers.run({ kind: 'give', blob, sha256, bytes, to })).kind === 'given';
  }

  async giveInto(ref: BlobRef, path: Buffer, order: GiveOrder): Promise<boolean> {
    if (this.#keyring.all.length > 0) return false;
    return await giveInto(this.#folder, ref, path, order);
  }

  async rename(pairs: readonly (readonly [from: Buffer, to: Buffer])[]): Promise<number> {
    const texts = pairs.map(([from, to]) => [pathText(from), pathText(to)] as const);
    const reply = await this.#folder.workers.run({ kind: 'rename', pairs: texts, makesFolder: false });
    return reply.kind === 'renamed' ? reply.count : 0;
  }

  manifest(sha256: string): AsyncIterable<ManifestLine> {
    return this.#reader.manifest(sha256);
  }

  async verify(manifest: string, options: VerifyOptions): Promise<ContentVerdict> {
    const parts = { folder: this.#folder, reader: this.#reader, keyring: this.#keyring };
    return await verifyContent(parts, manifest, options);
  }

  async manifestCount(): Promise<number> {
    return (await this.#folder.names('manifests')).length;
  }

  async collect(keep: Iterable<string>, signal: AbortSignal): Promise<Collected> {
    const wanted = new Set(keep);
    const turn = this.#collecting.then(() => this.#collect(wanted, signal));
    this.#collecting = turn.catch(() => undefined);
    return await turn;
  }

  async #collect(keep: ReadonlySet<string>, signal: AbortSignal): Promise<Collected> {
    const inUse = new Set([...this.#inUse.values()].flatMap((manifests) => [...manifests]));
    this.#keeping = new Set([...keep, ...inUse]);
    try {
      await this.#folder.lay();
      const [folder, reader, keyring, claims] = [this.#folder, this.#reader, this.#keyring, this.#claims];
      return await collect({ folder, reader, keyring, claims, keep, inUse, signal });
    } finally {
      this.#keeping = null;
    }
  }

  async withScratch<T>(use: (folder: string) => Promise<T>): Promise<T> {
    return await this.#folder.withScratch(use);
  }

  async pack(path: string, contents: PackOptions): Promise<number> {
    const parts = { folder: this.#folder, reader: this.#reader, keyring: this.#keyring };
    return await packContent(parts, path, contents);
  }

  async unpack(path: string, options: UnpackOptions): Promise<void> {
    const parts = { folder: this.#folder, keyring: this.#keyring, claims: this.#claims };
    await unpackContent(parts, path, options);
  }

  async adopt(options: AdoptOptions): Promise<void> {
    await adoptContent({ folder: this.#folder, keyring: this.#keyring, claims: this.#claims }, options);
  }

  hold(operation: string, manifests: Iterable<string>): void {
    this.#inUse.set(operation, new Set([...(this.#inUse.get(operation) ?? []), ...manifests]));
  }

  async lacks(manifests: Iterable<string>): Promise<readonly string[]> {
    const stored = new Set(await this.#folder.names('manifests'));
    return [...manifests].filter((manifest) => !namesOf(manifest, this.#keyring).some((name) => stored.has(name)));
  }

  async size(): Promise<number> {
    let bytes = 0;
    for (const shard of await this.#folder.shards()) {
      for (const name of await this.#folder.names('blobs', shard)) bytes += await this.#folder.sizeOf('blobs', name);
    }
    return bytes;
  }
}

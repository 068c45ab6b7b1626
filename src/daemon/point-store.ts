import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { SecretRef } from '../core/model/secret-ref.ts';
import { SecretError, type SecretResolver } from '../drivers/secrets.ts';
import type { PointSettings } from '../policy/host-config.ts';
import { ContentError } from '../store/content/content-error.ts';
import { type ContentStore, openContentStore } from '../store/content/content-store.ts';

/** Where the system keeps files in memory. */
const IN_MEMORY = '/dev/shm';

/** The content of a host's points as its configuration has it stored; opened when it is first needed. */
export class PointStore {
  readonly folder: string;
  readonly #settings: PointSettings;
  readonly #secrets: Pick<SecretResolver, 'resolve'>;
  #opening: Promise<ContentStore> | null = null;

  constructor(dataDir: string, settings: PointSettings, secrets: Pick<SecretResolver, 'resolve'>) {
    this.folder = settings.persistence ? join(dataDir, 'points') : folderInMemory(dataDir);
    this.#settings = settings;
    this.#secrets = secrets;
  }

  /** @throws {ContentError} if it cannot be opened; then it is tried again at the next call. */
  async open(): Promise<ContentStore> {
    this.#opening ??= this.#open();
    try {
      return await this.#opening;
    } catch (error) {
      this.#opening = null;
      throw error;
    }
  }

  /** The most bytes that one more target may have: what its capture may take, and without persistence what memory may. */
  async room(): Promise<number> {
    const { maxSnapshotBytes = Infinity, persistence, memoryBytes } = this.#settings;
    if (persistence) return maxSnapshotBytes;
    return Math.min(maxSnapshotBytes, Math.max(0, memoryBytes - (await (await this.open()).size())));
  }

  /** Without persistence the content of an earlier life is of no use to anybody. Says whether that is so. */
  async forgetEarlier(): Promise<boolean> {
    if (this.#settings.persistence) return false;
    await rm(this.folder, { recursive: true, force: true });
    return true;
  }

  async #open(): Promise<ContentStore> {
    const { compression, key, formerKeys, cache, memoryBytes, persistence } = this.#settings;
    return await openContentStore(this.folder, {
      compression,
      ...(key === undefined ? {} : { key: await this.#keyOf(key) }),
      formerKeys: await Promise.all(formerKeys.map((former) => this.#keyOf(former))),
      // What is in memory anyway needs no copy there.
      cache: persistence ? { bytes: memoryBytes, ...cache } : { bytes: 0, maxItems: 0, ttlMs: 0 },
    });
  }

  async #keyOf(ref: SecretRef): Promise<Buffer> {
    try {
      return Buffer.from(await this.#secrets.resolve(ref));
    } catch (error) {
      if (!(error instanceof SecretError)) throw error;
      throw new ContentError('key', `the key of the points cannot be read: ${error.message}`, { cause: error });
    }
  }
}

/** One per data folder, as there is one daemon per data folder. */
function folderInMemory(dataDir: string): string {
  const id = createHash('sha256').update(dataDir).digest('hex').slice(0, 16);
  return join(IN_MEMORY, `revertd-${process.getuid?.() ?? 0}-${id}`);
}

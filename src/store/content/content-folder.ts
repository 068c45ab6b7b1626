import { randomUUID } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm, stat, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ContentError, errnoOf, guarded } from './content-error.ts';
import { FileWorkers } from './file-workers.ts';
import { makeDurable, makeNamesDurable, syncFolder } from './make-durable.ts';
import { NameSet } from './name-set.ts';
import { pathText } from './path-text.ts';

/**
 * The folder of the store. A file of it is complete from the moment it has its name: it is written under another one,
 * made durable, and renamed. A name is durable once its folder is.
 *
 *     blobs/00 … blobs/ff   pieces of content, by the beginning of their names
 *     manifests/            which content belongs to a snapshot
 *     keys/                 the ids of keys that were ever used
 *     aside/                pieces that were found corrupted
 *     tmp/                  what is being written
 *     scratch/              folders for copies that are stored, or looked at
 */
export type Room = 'blobs' | 'manifests' | 'keys';

/** Where a test can have the process die. */
export type Boundary =
  | 'layout'
  | 'written'
  | 'synced'
  | 'named'
  | 'durable'
  | 'committed'
  | 'marked'
  | 'manifestRemoved'
  | 'blobRemoved'
  | 'setAside';

/** Pieces get their names together: it is the disk's answer that takes long, not the bytes. */
const BATCH_FILES = 2048;
/** So much at most waits for the disk at once, and is written again if there was no power meanwhile. */
const BATCH_BYTES = 128 * 1024 * 1024;
/** Below this many, one renaming after the other is as quick. */
const MANY_NAMES = 16;
const NAMES_AT_ONCE = 256;

/** Owns the files. Every method rejects with ContentError. */
export class ContentFolder {
  readonly path: string;
  readonly at: (boundary: Boundary) => void;
  /** Threads for whole jobs on its files, and on those that content is taken from and given to. */
  readonly workers = new FileWorkers();
  readonly #writing = new Set<string>();
  /** Names of pieces by shard, read when one is first asked for; it saves a system call for each piece. */
  readonly #known = new Map<string, Promise<NameSet>>();
  #laid: Promise<void> | undefined;
  /** Pieces that are written, and have no name before they are durable: by name, the temporary file. */
  #waiting = new Map<string, string>();
  #waitingBytes = 0;
  #naming: Promise<void> = Promise.resolve();
  /** How often pieces that others may already count on could not be made durable. */
  #losses = 0;

  constructor(path: string, at: (boundary: Boundary) => void) {
    this.path = path;
    this.at = at;
  }

  /** Makes what is missing of the layout; nothing of it stays half, since each part is made again if it is not there. */
  async lay(): Promise<void> {
    this.#laid ??= guarded(`making the content store in ${this.path}`, async () => {
      for (const room of ['blobs', 'manifests', 'keys', 'aside', 'tmp', 'scratch']) {
        await mkdir(join(this.path, room), { recursive: true, mode: 0o700 });
      }
      this.at('layout');
      await syncFolder(this.path);
    });
    const laying = this.#laid;
    try {
      await laying;
    } catch (error) {
      this.#laid = undefined;
      throw error;
    }
  }

  /** Writes a piece. It gets its name later, at the latest when somebody settles; until then it counts as there. */
  async writeBlob(name: string, parts: readonly Buffer[]): Promise<number> {
    const temporary = this.reserve();
    try {
      await guarded(`writing to the content store in ${this.path}`, () => this.#fill(temporary, parts, false));
    } catch (error) {
      await this.discard(temporary);
      throw error;
    }
    const bytes = parts.reduce((sum, part) => sum + part.length, 0);
    await this.adopt(name, temporary, bytes);
    return bytes;
  }

  /** Where somebody may write a piece, to be adopted or discarded afterwards; no collection clears it away. */
  reserve(): string {
    const temporary = join(this.path, 'tmp', randomUUID());
    this.#writing.add(temporary);
    return temporary;
  }

  /** Takes a piece that was written under a reserved name; says whether it is new. */
  async adopt(name: string, temporary: string, bytes: number): Promise<boolean> {
    const shard = await this.#shard(shardOf(name));
    if (shard.has(name)) {
      await this.discard(temporary);
      return false;
    }
    shard.add(name);
    this.#waiting.set(name, temporary);
    this.#waitingBytes += bytes;
    if (this.#waiting.size >= BATCH_FILES || this.#waitingBytes >= BATCH_BYTES) await this.#nameWaiting();
    return true;
  }

  /** Gives all that waits its names; what cannot be made durable is gone, and whoever counts on it hears of that. */
  async settleWaiting(): Promise<void> {
    try {
      await this.#nameWaiting();
      await this.#naming;
    } catch (error) {
      if (!(error instanceof ContentError)) throw error;
    }
  }

  /** Makes what waits durable, and gives it its names; one batch after the other. */
  async #nameWaiting(): Promise<void> {
    const batch = this.#waiting;
    this.#waiting = new Map();
    this.#waitingBytes = 0;
    const turn = this.#naming.then(() => this.#nameBatch(batch));
    this.#naming = turn.catch(() => undefined);
    await turn;
  }

  async #nameBatch(batch: ReadonlyMap<string, string>): Promise<void> {
    if (batch.size === 0) return;
    try {
      await guarded(`making ${this.path} durable`, async () => {
        await makeDurable(join(this.path, 'tmp'), [...batch.values()]);
        this.at('synced');
        await this.#nameAll([...batch]);
      });
    } catch (error) {
      this.#losses += 1;
      for (const [name, temporary] of batch) {
        (await this.#shard(shardOf(name))).delete(name);
        await this.discard(temporary);
      }
      throw error;
    }
  }

  async #nameAll(batch: readonly (readonly [name: string, temporary: string])[]): Promise<void> {
    let named = 0;
    const done = (count: number) => {
      for (const [, temporary] of batch.slice(named, named + count)) {
        this.#writing.delete(temporary);
        this.at('named');
      }
      named += count;
    };
    while (named < batch.length) {
      if (batch.length >= MANY_NAMES) done(await this.#nameMany(batch.slice(named, named + NAMES_AT_ONCE)));
      // One that fails in the row fails here again, and says why.
      const [name, temporary] = batch[named] ?? [];
      if (name === undefined || temporary === undefined) return;
      await this.#name(temporary, 'blobs', name);
      done(1);
    }
  }

  async #nameMany(batch: readonly (readonly [name: string, temporary: string])[]): Promise<number> {
    const pairs = batch.map(
      ([name, from]) => [pathText(Buffer.from(from)), pathText(Buffer.from(this.file('blobs', name)))] as const,
    );
    const reply = await this.workers.run({ kind: 'rename', pairs, makesFolder: true });
    return reply.kind === 'renamed' ? reply.count : 0;
  }

  /** Removes what was written under a reserved name, if it was. */
  async discard(temporary: string): Promise<void> {
    // Why it failed matters more than that its remains are still there; the next collection takes them.
    await unlink(temporary).catch(() => undefined);
    this.#writing.delete(temporary);
  }

  /** A capture that began at another count of losses may count on something that is not there. */
  get losses(): number {
    return this.#losses;
  }

  /** Writes a file that is there whole or not at all. Its name is durable after `settle`. */
  async write(room: Room, name: string, parts: readonly Buffer[]): Promise<number> {
    const temporary = join(this.path, 'tmp', randomUUID());
    this.#writing.add(temporary);
    try {
      return await guarded(`writing to the content store in ${this.path}`, async () => {
        const bytes = await this.#fill(temporary, parts, true);
        await this.#name(temporary, room, name);
        this.at('named');
        if (room === 'blobs') (await this.#shard(shardOf(name))).add(name);
        this.#writing.delete(temporary);
        return bytes;
      });
    } catch (error) {
      await this.discard(temporary);
      throw error;
    }
  }

  async #name(temporary: string, room: Room, name: string): Promise<void> {
    const path = this.file(room, name);
    try {
      await rename(temporary, path);
    } catch (error) {
      if (room !== 'blobs' || errnoOf(error) !== 'ENOENT') throw error;
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      await rename(temporary, path);
    }
  }

  async #fill(temporary: string, parts: readonly Buffer[], isDurable: boolean): Promise<number> {
    const handle = await open(temporary, 'wx', 0o600);
    try {
      const wanted = parts.reduce((sum, part) => sum + part.length, 0);
      const { bytesWritten } = await handle.writev([...parts]);
      // A disk that is nearly full takes a part without an error; the rest then fails with one.
      if (bytesWritten < wanted) {
        await handle.write(Buffer.concat(parts), bytesWritten);
        if ((await handle.stat()).size !== wanted) throw new ContentError('full', `${this.path} takes no more`);
      }
      this.at('written');
      if (isDurable) await handle.datasync();
      if (isDurable) this.at('synced');
      return wanted;
    } finally {
      await handle.close();
    }
  }

  /** Makes the names of pieces in these shards durable, also of those that still wait for one. */
  async settleBlobs(shards: Iterable<string>): Promise<void> {
    await this.#nameWaiting();
    await this.#naming;
    await guarded(`making ${this.path} durable`, async () => {
      const folder = join(this.path, 'blobs');
      await makeNamesDurable(
        folder,
        [...shards].map((shard) => join(folder, shard)),
      );
      this.at('durable');
    });
  }

  /** Makes durable what names were given, and taken, in a room. */
  async settle(room: 'manifests' | 'keys'): Promise<void> {
    await guarded(`making ${this.path} durable`, () => syncFolder(join(this.path, room)));
  }

  async hasBlob(name: string): Promise<boolean> {
    return (await this.#shard(shardOf(name))).has(name);
  }

  /** The bytes of a file; undefined if it is not there. */
  async read(room: Room, name: string): Promise<Buffer | undefined> {
    return await guarded(`reading ${name} in ${this.path}`, async () => {
      try {
        return await readFile(this.file(room, name));
      } catch (error) {
        if (errnoOf(error) === 'ENOENT') return undefined;
        throw error;
      }
    });
  }

  /** Where pieces are. */
  async shards(): Promise<readonly string[]> {
    return await guarded(`listing ${this.path}`, async () => {
      try {
        return (await readdir(join(this.path, 'blobs'))).sort();
      } catch (error) {
        ignoreAbsent(error);
        return [];
      }
    });
  }

  /** The names in a room; of the pieces those in one shard. */
  async names(room: Room, shard?: string): Promise<readonly string[]> {
    return await guarded(`listing ${this.path}`, async () => {
      try {
        return await readdir(join(this.path, room, ...(shard === undefined ? [] : [shard])));
      } catch (error) {
        if (errnoOf(error) === 'ENOENT') return [];
        throw error;
      }
    });
  }

  /** Removes a file, and says how long it was; 0 for one that is not there. */
  async remove(room: Room, name: string): Promise<number> {
    return await guarded(`collecting in ${this.path}`, async () => {
      if (room === 'blobs') (await this.#known.get(shardOf(name)))?.delete(name);
      const path = this.file(room, name);
      try {
        const { size } = await stat(path);
        await unlink(path);
        return size;
      } catch (error) {
        if (errnoOf(error) === 'ENOENT') return 0;
        throw error;
      }
    });
  }

  /** A corrupted piece no longer stands for its content, so that the next capture stores it anew; it is kept to be looked at. */
  async putAside(name: string): Promise<void> {
    await guarded(`putting ${name} in ${this.path} aside`, async () => {
      (await this.#known.get(shardOf(name)))?.delete(name);
      await rename(this.file('blobs', name), join(this.path, 'aside', name));
      this.at('setAside');
    });
  }

  /** What writers that are gone have left. */
  async removeRemains(): Promise<number> {
    return await guarded(`clearing ${this.path}/tmp`, async () => {
      const folder = join(this.path, 'tmp');
      const left = (await readdir(folder)).map((name) => join(folder, name)).filter((path) => !this.#writing.has(path));
      for (const path of left) await unlink(path).catch((error: unknown) => ignoreAbsent(error));
      const scratch = join(this.path, 'scratch');
      const folders = (await readdir(scratch)).map((name) => join(scratch, name));
      const abandoned = folders.filter((path) => !this.#writing.has(path));
      for (const path of abandoned) await rm(path, { recursive: true, force: true });
      return left.length + abandoned.length;
    });
  }

  /** A folder of its own for as long as `use` runs; nobody but its owner can look into it. */
  async withScratch<T>(use: (folder: string) => Promise<T>): Promise<T> {
    await this.lay();
    const folder = join(this.path, 'scratch', randomUUID());
    this.#writing.add(folder);
    try {
      await guarded(`making ${folder}`, () => mkdir(folder, { mode: 0o700 }));
      return await use(folder);
    } finally {
      await guarded(`removing ${folder}`, () => rm(folder, { recursive: true, force: true }));
      this.#writing.delete(folder);
    }
  }

  async sizeOf(room: Room, name: string): Promise<number> {
    return await guarded(`looking at ${this.path}`, async () => {
      try {
        return (await stat(this.file(room, name))).size;
      } catch (error) {
        ignoreAbsent(error);
        return 0;
      }
    });
  }

  file(room: Room, name: string): string {
    return room === 'blobs' ? join(this.path, room, shardOf(name), name) : join(this.path, room, name);
  }

  async #shard(shard: string): Promise<NameSet> {
    const known = this.#known.get(shard) ?? this.names('blobs', shard).then((names) => new NameSet(names));
    this.#known.set(shard, known);
    try {
      return await known;
    } catch (error) {
      this.#known.delete(shard);
      throw error;
    }
  }
}

export function shardOf(name: string): string {
  return name.slice(0, 2);
}

function ignoreAbsent(error: unknown): void {
  if (errnoOf(error) !== 'ENOENT') throw error;
}

import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { copyFile, type FileHandle, lchown, lutimes, mkdir, open, rename, statfs, symlink } from 'node:fs/promises';
import { errnoOf } from '../../../store/content/content-error.ts';
import type { ContentStore } from '../../../store/content/content-store.ts';
import type { NewFile } from '../../../store/content/file-job.ts';
import { pathText } from '../../../store/content/path-text.ts';
import { TargetError } from '../target-driver.ts';
import { type BytePath, bytesOf } from './byte-path.ts';
import { STAGE_PREFIX } from './exclusion.ts';
import { type Attributes, isSameAttributes, readAttributesIn, writeAttributesIn } from './extended-attributes.ts';
import { type FileEntry, microseconds } from './file-entry.ts';
import type { OpenFolder } from './open-folder.ts';
import { removeTree } from './remove-tree.ts';
import type { OpenRoot } from './walk.ts';

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants;

/**
 * Where what is to be put in place is made ready: a folder on the same file system that nobody else can look into. A
 * folder that an earlier restore has left is begun anew.
 */
export class Stage {
  readonly #home: OpenFolder;
  readonly #name: BytePath;
  readonly #folder: OpenFolder;
  /** By the place that it is ready for, the number that is its name here. The snapshot has one thing for each place. */
  readonly #ready = new Map<BytePath, number>();
  /** By name, what files that are ready are to have, where that is anything. */
  readonly #wanted = new Map<BytePath, Attributes>();
  #count = 0;

  private constructor(home: OpenFolder, name: BytePath, folder: OpenFolder) {
    this.#home = home;
    this.#name = name;
    this.#folder = folder;
  }

  /** Within the root, if that is a folder; else beside it. */
  static async open(root: OpenRoot): Promise<Stage> {
    const name = stageNameOf(root);
    const home = await homeOf(root);
    try {
      await removeTree(home, name);
      await mkdir(home.at(name), { mode: 0o700 });
      const folder = await home.enter(name);
      const { uid, mode } = await folder.stats();
      if (uid === BigInt(process.geteuid?.() ?? -1) && (mode & 0o77n) === 0n) return new Stage(home, name, folder);
      await folder.letGo();
      throw new TargetError('link', `somebody else interferes with ${root.path}`);
    } catch (error) {
      await home.letGo();
      throw error;
    }
  }

  get folder(): OpenFolder {
    return this.#folder;
  }

  /** Bytes that can still be written here. */
  async freeBytes(): Promise<number> {
    const { bavail, bsize } = await statfs(this.#folder.self);
    return bavail * bsize;
  }

  has(entry: FileEntry): boolean {
    return this.#nameOf(entry) !== undefined;
  }

  /** Writes a file, of which every byte is verified. */
  async write(
    entry: FileEntry,
    store: ContentStore,
    owner: OwnerRule,
    onBytes: (bytes: number) => void,
  ): Promise<void> {
    if (entry.content === undefined) throw new TargetError('snapshot', 'the snapshot has a file without content');
    const name = this.#nextName();
    if (entry.attributes !== undefined) this.#wanted.set(name, entry.attributes);
    if (await store.give(entry.content, newFileOf(this.#folder.at(name), entry, owner))) {
      onBytes(entry.content.bytes);
      this.#note(entry, name);
      return;
    }
    const handle = await open(this.#folder.at(name), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
    try {
      for await (const piece of store.read(entry.content)) {
        await writeAll(handle, piece);
        onBytes(piece.length);
      }
      await applyTo(handle, entry, owner);
    } finally {
      await handle.close();
    }
    this.#note(entry, name);
  }

  /** Of all that is ready; a folder may have given them some of its own. */
  async writeAttributes(): Promise<void> {
    const there = await readAttributesIn(this.#folder);
    const changes = [...new Set([...there.keys(), ...this.#wanted.keys()])].flatMap((name) => {
      const [has, wanted] = [there.get(name) ?? {}, this.#wanted.get(name) ?? {}];
      return isSameAttributes(has, wanted) ? [] : [[name, { has, wanted }] as const];
    });
    await writeAttributesIn(this.#folder, changes);
  }

  async writeLink(entry: FileEntry, owner: OwnerRule): Promise<void> {
    const name = this.#nextName();
    await symlink(bytesOf(entry.to ?? ''), this.#folder.at(name));
    await chownUnlessAllowed(owner, () => lchown(this.#folder.at(name), entry.uid, entry.gid));
    const time = secondsOf(entry);
    await lutimes(this.#folder.at(name), time, time);
    this.#note(entry, name);
  }

  /** Puts what is ready in place, over what stands there, in one step. */
  async place(entry: FileEntry, parent: OpenFolder, name: BytePath, owner: OwnerRule): Promise<void> {
    const ready = this.#nameOf(entry);
    if (ready === undefined) throw new TypeError('it was not made ready');
    try {
      await rename(this.#folder.at(ready), parent.at(name));
    } catch (error) {
      if (errnoOf(error) !== 'EXDEV') throw error;
      await this.#placeElsewhere(entry, ready, parent, name, owner);
    }
    this.#ready.delete(entry.path);
  }

  /** Puts files in place that all belong into one folder, in their order, until one cannot be; says how many it were. */
  async placeMany(entries: readonly FileEntry[], parent: OpenFolder, store: ContentStore): Promise<number> {
    const pairs = entries.map((entry) => {
      const ready = this.#nameOf(entry);
      if (ready === undefined) throw new TypeError('it was not made ready');
      const name = entry.path.slice(entry.path.lastIndexOf('/') + 1);
      return [this.#folder.at(ready), parent.at(name)] as const;
    });
    const count = await store.rename(pairs);
    for (const entry of entries.slice(0, count)) this.#ready.delete(entry.path);
    return count;
  }

  /** On a file system that is mounted within the tree: beside its place, and then by renaming there. */
  async #placeElsewhere(entry: FileEntry, ready: BytePath, parent: OpenFolder, name: BytePath, owner: OwnerRule) {
    const beside = parent.at(this.#name);
    await removeTree(parent, this.#name);
    if (entry.type === 'link') {
      await symlink(bytesOf(entry.to ?? ''), beside);
      await chownUnlessAllowed(owner, () => lchown(beside, entry.uid, entry.gid));
    } else {
      await copyFile(this.#folder.at(ready), beside, constants.COPYFILE_EXCL);
      const handle = await open(beside, O_WRONLY | O_NOFOLLOW);
      try {
        await applyTo(handle, entry, owner);
        await handle.sync();
      } finally {
        await handle.close();
      }
    }
    await rename(beside, parent.at(name));
  }

  async close(): Promise<void> {
    try {
      await this.#folder.letGo();
      await removeTree(this.#home, this.#name);
    } finally {
      await this.#home.letGo();
    }
  }

  #nextName(): BytePath {
    this.#count += 1;
    return String(this.#count);
  }

  #note(entry: FileEntry, name: BytePath): void {
    this.#ready.set(entry.path, Number(name));
  }

  #nameOf(entry: FileEntry): BytePath | undefined {
    const ready = this.#ready.get(entry.path);
    return ready === undefined ? undefined : String(ready);
  }
}

/** A rehearsal by somebody who is not root cannot give files away; a restore has to. */
export type OwnerRule = 'keep' | 'ifAllowed';

/** What it is called there. */
export function stageNameOf({ path }: OpenRoot): BytePath {
  return `${STAGE_PREFIX}${createHash('sha256').update(path).digest('hex').slice(0, 16)}`;
}

/** The folder that the stage of a root is in: the root itself, or the one beside it. Who gets it lets go of it. */
export async function homeOf(root: OpenRoot): Promise<OpenFolder> {
  try {
    return await root.parent.enter(root.name);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ELOOP'].includes(errnoOf(error) ?? '')) return root.parent.use();
    throw error;
  }
}

async function writeAll(handle: FileHandle, piece: Buffer): Promise<void> {
  let written = 0;
  while (written < piece.length) written += (await handle.write(piece, written)).bytesWritten;
}

/** Owner first: chown(2) takes set-user-id bits away. */
export async function applyTo(handle: FileHandle, entry: FileEntry, owner: OwnerRule): Promise<void> {
  await chownUnlessAllowed(owner, () => handle.chown(entry.uid, entry.gid));
  await handle.chmod(entry.mode);
  const time = secondsOf(entry);
  await handle.utimes(time, time);
}

function newFileOf(path: Buffer, entry: FileEntry, owner: OwnerRule): NewFile {
  const { uid, gid, mode } = entry;
  return { path: pathText(path), uid, gid, mode, seconds: secondsOf(entry), mayKeepOwner: owner === 'ifAllowed' };
}

async function chownUnlessAllowed(owner: OwnerRule, chown: () => Promise<void>): Promise<void> {
  try {
    await chown();
  } catch (error) {
    if (owner === 'ifAllowed' && errnoOf(error) === 'EPERM') return;
    throw error;
  }
}

/** Node takes a double; where that would come out below the microsecond that is meant, it is put into its middle. */
export function secondsOf({ mtimeNs }: FileEntry): number {
  const wanted = Number(microseconds(mtimeNs));
  const exact = wanted / 1e6;
  const seconds = Math.floor(exact);
  const got = seconds * 1e6 + Math.floor(Math.trunc((exact - seconds) * 1e9) / 1e3);
  return got === wanted ? exact : (wanted + 0.5) / 1e6;
}

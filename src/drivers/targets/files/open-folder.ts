import { type BigIntStats, constants } from 'node:fs';
import { type FileHandle, lstat, open, opendir } from 'node:fs/promises';
import { TargetError } from '../target-driver.ts';
import { type BytePath, bytesOf, toBytePath } from './byte-path.ts';

const NAMES_AT_ONCE = 256;

const { O_DIRECTORY, O_NOFOLLOW, O_RDONLY } = constants;

/**
 * A folder held open. What is in it is reached through its descriptor (`/proc/self/fd/N/NAME`, which is what openat(2)
 * does), so that nobody who may rename or replace a folder above can lead us elsewhere. It is closed when the last one
 * who uses it has let go.
 */
export class OpenFolder {
  readonly #handle: FileHandle;
  #users = 1;

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  /** A path to something in this very folder. Its last part is a name, which must not be followed if it is a link. */
  at(name: BytePath): Buffer {
    return bytesOf(`${this.prefix}${name}`);
  }

  /** What stands before a name in it, as in `at`. */
  get prefix(): string {
    return `/proc/self/fd/${this.#handle.fd}/`;
  }

  /** The folder itself. */
  get self(): string {
    return `${this.prefix}.`;
  }

  get handle(): FileHandle {
    return this.#handle;
  }

  async stats(): Promise<BigIntStats> {
    return await this.#handle.stat({ bigint: true });
  }

  /** Its names, in the order of their bytes. */
  async names(): Promise<BytePath[]> {
    const names: BytePath[] = [];
    // Some at a time: libuv has each name of a folder twice while it lists them all, and of 100,000 that stays as holes.
    for await (const { name } of await opendir(this.self, { encoding: 'latin1', bufferSize: NAMES_AT_ONCE })) {
      names.push(name);
    }
    return names.sort(byCode);
  }

  async enter(name: BytePath): Promise<OpenFolder> {
    return new OpenFolder(await open(this.at(name), O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  }

  async look(name: BytePath): Promise<BigIntStats> {
    return await lstat(this.at(name), { bigint: true });
  }

  use(): this {
    this.#users += 1;
    return this;
  }

  async letGo(): Promise<void> {
    this.#users -= 1;
    if (this.#users === 0) await this.#handle.close();
  }
}

function byCode(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

/**
 * Opens a folder by its real path, part by part, through no link.
 * @throws {TargetError} `link` if a part is one; the errors of open(2) otherwise.
 */
export async function openRealFolder(path: string): Promise<OpenFolder> {
  let folder = new OpenFolder(await open('/', O_RDONLY | O_DIRECTORY));
  for (const part of path.split('/').filter((name) => name !== '')) {
    const outer = folder;
    try {
      folder = await outer.enter(toBytePath(part));
    } catch (error) {
      throw asLinkFault(error, path, part);
    } finally {
      await outer.letGo();
    }
  }
  return folder;
}

/** open(2): ELOOP for a link, ENOTDIR for one with O_DIRECTORY. */
function asLinkFault(error: unknown, path: string, part: string): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code !== 'ELOOP' && code !== 'ENOTDIR') return error;
  return new TargetError('link', `"${part}" in ${path} is a link or no folder; it is not followed`, error);
}

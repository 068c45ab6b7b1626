import { lstat, realpath } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { CaptureSession } from '../../../store/content/capture-session.ts';
import { errnoOf } from '../../../store/content/content-error.ts';
import type { FileStats } from '../../../store/content/file-stats.ts';
import { inOrder } from '../../../store/content/in-order.ts';
import { TargetError } from '../target-driver.ts';
import { type BytePath, joined, shownPath, toBytePath } from './byte-path.ts';
import type { Exclusion } from './exclusion.ts';
import { typeOf } from './file-entry.ts';
import { type OpenFolder, openRealFolder } from './open-folder.ts';

/** One of the target's paths: the folder that it is in is held open. */
export type OpenRoot = {
  readonly index: number;
  /** After links in the folders above were resolved. */
  readonly path: string;
  readonly parent: OpenFolder;
  readonly name: BytePath;
};

/** Something that was met on a walk. Who gets it lets go of `parent`. */
export type Seen = {
  readonly path: BytePath;
  readonly name: BytePath;
  readonly parent: OpenFolder;
  readonly stats: FileStats;
};

export type WalkOptions = {
  readonly exclude: Exclusion;
  readonly oneFileSystem: boolean;
  readonly signal: AbortSignal;
  /** Something was listed and was gone when it was looked at. */
  readonly onVanished: (path: BytePath) => void;
  /** Looks at many names the short way, where that is possible. */
  readonly lookAt?: CaptureSession['lookAt'];
};

/** So many names are looked at together, and so many such slices at once. */
const SLICE = 64;
const SLICES_AT_ONCE = 3;

/**
 * Links in the folders above a root are the host's own and are followed once, here; the root itself may be none.
 * @throws {TargetError} `link`, `io`
 */
export async function openRoot(path: string, index: number): Promise<OpenRoot> {
  try {
    const folder = await realpath(dirname(path));
    const name = basename(path);
    const real = join(folder, name);
    const stats = await lstat(real).catch((error: unknown) => {
      if (errnoOf(error) === 'ENOENT') return undefined;
      throw error;
    });
    if (stats?.isSymbolicLink() === true) {
      throw new TargetError('link', `${path} is a link; name what it leads to as the target's path`);
    }
    return { index, path: real, parent: await openRealFolder(folder), name: toBytePath(name) };
  } catch (error) {
    throw explained(error, path);
  }
}

/** All that is there, a folder before what is in it. Rejects with TargetError `io` naming what cannot be looked at. */
export async function* walk(root: OpenRoot, options: WalkOptions): AsyncGenerator<Seen> {
  const stats = await lookAt(root.parent, root.name, () => root.path);
  if (stats === undefined) return;
  yield* visit({ root, options, device: stats.dev }, { parent: root.parent, name: root.name, path: '', stats });
}

type Walk = { readonly root: OpenRoot; readonly options: WalkOptions; readonly device: bigint };

async function* visit(at: Walk, seen: Seen): AsyncGenerator<Seen> {
  const { root, options, device } = at;
  const { parent, name, path, stats } = seen;
  if (options.signal.aborted) throw new TargetError('aborted', 'it was ended before it was done');
  yield { ...seen, parent: parent.use() };
  if (typeOf(stats) !== 'folder' || (options.oneFileSystem && stats.dev !== device)) return;
  const folder = await enter(parent, name, shownBelow(root, path));
  if (folder === undefined) {
    options.onVanished(path);
    return;
  }
  try {
    const names = await listed(folder, shownBelow(root, path));
    const slices = inOrder(slicesOf(names), SLICES_AT_ONCE, async (names) => {
      const slice = names.filter((child) => !options.exclude(joined(path, child)));
      return { slice, found: await lookAtAll(at, { folder, path }, slice) };
    });
    for await (const { slice, found } of slices) {
      for (const [index, child] of slice.entries()) {
        const [below, stats] = [joined(path, child), found[index]];
        if (stats === undefined) options.onVanished(below);
        else yield* visit(at, { parent: folder, name: child, path: below, stats });
      }
    }
  } finally {
    await folder.letGo();
  }
}

function* slicesOf(names: readonly BytePath[]): Generator<readonly BytePath[]> {
  for (let from = 0; from < names.length; from += SLICE) yield names.slice(from, from + SLICE);
}

async function lookAtAll(
  { root, options }: Walk,
  { folder, path }: { readonly folder: OpenFolder; readonly path: BytePath },
  names: readonly BytePath[],
): Promise<readonly (FileStats | undefined)[]> {
  const looked = await options.lookAt?.(folder.prefix, names);
  if (looked !== undefined) return looked;
  const looks = names.map((name) => lookAt(folder, name, () => shownBelow(root, joined(path, name))));
  await Promise.allSettled(looks);
  return await Promise.all(looks);
}

/** Undefined if it is gone, or is no folder any more. */
async function enter(parent: OpenFolder, name: BytePath, shown: string): Promise<OpenFolder | undefined> {
  try {
    return await parent.enter(name);
  } catch (error) {
    if (isGone(error)) return undefined;
    throw explained(error, shown);
  }
}

async function listed(folder: OpenFolder, shown: string): Promise<BytePath[]> {
  try {
    return await folder.names();
  } catch (error) {
    throw explained(error, shown);
  }
}

async function lookAt(parent: OpenFolder, name: BytePath, shown: () => string): Promise<FileStats | undefined> {
  try {
    return await parent.look(name);
  } catch (error) {
    if (isGone(error)) return undefined;
    throw explained(error, shown());
  }
}

/** Gone, or something else in its place. */
export function isGone(error: unknown): boolean {
  return ['ENOENT', 'ENOTDIR', 'ELOOP'].includes(errnoOf(error) ?? '');
}

/** A fault of the host with the path that people know, instead of one through a descriptor. */
export function explained(error: unknown, shown: string): unknown {
  const errno = errnoOf(error);
  if (errno === undefined || error instanceof TargetError) return error;
  const words: Readonly<Record<string, string>> = {
    EACCES: 'permission denied',
    EPERM: 'not permitted',
    ENOENT: 'it does not exist',
    ENOSPC: 'no space is left',
    EROFS: 'the file system is read-only',
    EMFILE: 'too many files are open',
  };
  return new TargetError(errno === 'ENOSPC' ? 'space' : 'io', `${shown}: ${words[errno] ?? errno}`, error);
}

export function shownBelow(root: Pick<OpenRoot, 'path'>, path: BytePath): string {
  return path === '' ? root.path : `${root.path}/${shownPath(path)}`;
}

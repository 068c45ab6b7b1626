import { constants, type Stats } from 'node:fs';
import { type FileHandle, lstat, open, readlink, realpath } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import type { AllowList } from '../allow-list.ts';
import { PlaceError, type PlaceErrorCode } from './place-driver.ts';

/** Larger documents are refused: no configuration file is, and each is held in memory. */
export const LARGEST_DOCUMENT_BYTES = 4 * 1024 * 1024;

/**
 * A document's folder, held open. All access goes through the descriptor (`/proc/self/fd/N/…`), so that nobody who may
 * rename a folder above can lead us elsewhere between the check and the write.
 */
export type OpenFolder = {
  /** As the policy names the document; for messages. */
  readonly path: string;
  /** The document's name in the folder, after links. */
  readonly name: string;
  /** A path to `name` in this very folder. */
  readonly at: (name: string) => string;
  readonly handle: FileHandle;
};

export type Content = { readonly bytes: Uint8Array; readonly stats: Stats };

/**
 * Opens the folder that really holds the document and hands it to `use`. A link is followed if its target lies in the
 * folder of the link or below it, and then the target is what is read and replaced. Rejects with PlaceError.
 */
export async function withFolder<T>(path: string, allow: AllowList, use: (folder: OpenFolder) => Promise<T>) {
  refuse('notAllowed', path, allow.mayWrite(path));
  if (basename(path) === '' || path.endsWith('/')) throw new PlaceError('badPath', path, 'is not the path of a file');
  const home = await openFolder(path, path);
  try {
    const target = await linkTarget(home);
    if (target === undefined) return await useAllowed(home, allow, use);
    const folder = await openFolder(path, target);
    try {
      return await useAllowed(folder, allow, use);
    } finally {
      await folder.handle.close();
    }
  } catch (error) {
    throw asPlaceError(path, error);
  } finally {
    await home.handle.close();
  }
}

/** The document's bytes, or undefined if it does not exist. Opens neither devices nor pipes. */
export async function readContent(folder: OpenFolder): Promise<Content | undefined> {
  const place = folder.at(folder.name);
  const seen = await unlessMissing(lstat(place));
  if (seen === undefined) return undefined;
  refuse('notRegular', folder.path, irregularity(seen));
  const file = await open(place, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const stats = await file.stat();
    refuse('notRegular', folder.path, irregularity(stats));
    refuse('tooLarge', folder.path, oversize(stats.size));
    const bytes = await file.readFile();
    refuse('tooLarge', folder.path, oversize(bytes.length));
    return { bytes, stats };
  } finally {
    await file.close();
  }
}

/** Why a document of so many bytes is refused. */
export function oversize(bytes: number): string | undefined {
  return bytes > LARGEST_DOCUMENT_BYTES
    ? `has ${bytes} bytes; at most ${LARGEST_DOCUMENT_BYTES} are handled`
    : undefined;
}

async function openFolder(path: string, target: string): Promise<OpenFolder> {
  const folder = dirname(target);
  try {
    const handle = await open(folder, constants.O_RDONLY | constants.O_DIRECTORY);
    return { path, name: basename(target), handle, at: (name) => `/proc/self/fd/${handle.fd}/${name}` };
  } catch (error) {
    const code = errnoOf(error);
    if (code !== 'ENOENT' && code !== 'ENOTDIR') throw asPlaceError(path, error);
    throw new PlaceError('folderMissing', path, `the folder ${folder} does not exist; create it first`, error);
  }
}

/** Where the document's link leads, or undefined if it is none. */
async function linkTarget(home: OpenFolder): Promise<string | undefined> {
  const stats = await unlessMissing(lstat(home.at(home.name)));
  if (stats?.isSymbolicLink() !== true) return undefined;
  const target = await unlessMissing(realpath(home.at(home.name)));
  if (target === undefined) {
    const link = await readlink(home.at(home.name));
    throw new PlaceError('linkDangling', home.path, `is a link to ${link}, which does not exist`);
  }
  const folder = await readlink(`/proc/self/fd/${home.handle.fd}`);
  if (target.startsWith(`${folder === '/' ? '' : folder}/`)) return target;
  const mend = `Name ${target} itself in the policy`;
  throw new PlaceError('linkLeavesFolder', home.path, `is a link to ${target}, outside its folder ${folder}. ${mend}`);
}

/** Checks the real path of the folder that is open, not the one that was asked for. */
async function useAllowed<T>(folder: OpenFolder, allow: AllowList, use: (folder: OpenFolder) => Promise<T>) {
  const real = await readlink(`/proc/self/fd/${folder.handle.fd}`);
  refuse('notAllowed', folder.path, allow.mayWrite(`${real === '/' ? '' : real}/${folder.name}`));
  return await use(folder);
}

function irregularity(stats: Stats): string | undefined {
  if (stats.isFile()) return undefined;
  const kind = stats.isDirectory()
    ? 'a folder'
    : stats.isSymbolicLink()
      ? 'a link that appeared just now'
      : stats.isFIFO()
        ? 'a pipe'
        : stats.isSocket()
          ? 'a socket'
          : 'a device';
  return `is ${kind}, not a regular file`;
}

function refuse(code: PlaceErrorCode, path: string, reason: string | undefined): void {
  if (reason !== undefined) throw new PlaceError(code, path, reason);
}

async function unlessMissing<T>(found: Promise<T>): Promise<T | undefined> {
  try {
    return await found;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function errnoOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

const ERRNO_MEANS: Readonly<Record<string, readonly [PlaceErrorCode, string]>> = {
  EACCES: ['notPermitted', 'revertd may not read or write here; check the mode and owner of the file and its folder'],
  EPERM: ['notPermitted', 'revertd may not do this; check the owner of the file and its attributes (lsattr)'],
  EROFS: ['notPermitted', 'the file system is read-only; with systemd, add the folder to ReadWritePaths='],
  ENOSPC: ['diskFull', 'the disk is full'],
  EDQUOT: ['diskFull', 'the disk quota is used up'],
  ELOOP: ['linkDangling', 'is a link that leads in a circle'],
  ENAMETOOLONG: ['badPath', 'the path is too long'],
};

/** Faults of the operating system in words; PlaceErrors pass unchanged. */
export function asPlaceError(path: string, error: unknown): PlaceError {
  if (error instanceof PlaceError) return error;
  const errno = errnoOf(error);
  if (error instanceof Error && (error.name === 'AbortError' || error.name === 'TimeoutError')) {
    return new PlaceError('aborted', path, `stopped before anything was changed (${error.message})`, error);
  }
  const [code, text] = ERRNO_MEANS[errno ?? ''] ?? ['io', error instanceof Error ? error.message : String(error)];
  return new PlaceError(code, path, errno === undefined ? text : `${text} (${errno})`, error);
}

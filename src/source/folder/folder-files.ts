import { createHash } from 'node:crypto';
import { constants, type Dirent } from 'node:fs';
import { type FileHandle, lstat, open, readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { PolicyFile, Revision } from '../../core/model/revision.ts';
import { LIMITS, overLimits, tooMany } from '../limits.ts';
import type { Place } from '../links.ts';
import { type Entry, type Selected, selectFiles } from '../select-files.ts';
import { SourceError } from '../source-error.ts';
import { systemCode } from '../system-code.ts';

/** A folder with more entries than this was named by mistake: walking it at every change would cost too much. */
const MOST_ENTRIES = 100_000;

/**
 * Reads the policy files below a folder, sorted by path.
 * @throws {SourceError} a refusal
 * @throws what the file system reports, `ENOENT` too if something vanished meanwhile
 */
export async function readFolder(root: string, signal: AbortSignal): Promise<PolicyFile[]> {
  const selected = await selectFiles(await list(root, signal), (path) => look(root, path));
  refuseLarge(tooMany(selected.length));
  refuseLarge(overLimits(await sizes(root, selected)));
  const files: PolicyFile[] = [];
  for (const { path, at } of selected) {
    signal.throwIfAborted();
    files.push({ path, bytes: await readBounded(join(root, at), path) });
  }
  refuseLarge(overLimits(files.map(({ path, bytes }) => ({ path, sizeBytes: bytes.byteLength }))));
  return files;
}

/** `folder:` and a SHA-256 over the paths and contents; equal folders have equal revisions. */
export function folderRevision(files: readonly PolicyFile[]): Revision {
  const digest = createHash('sha256');
  for (const { path, bytes } of files) {
    digest.update(`${path}\0${createHash('sha256').update(bytes).digest('hex')}\n`);
  }
  return `folder:${digest.digest('hex')}`;
}

/** Everything below the folder that is not hidden, without following links. */
async function list(root: string, signal: AbortSignal): Promise<Entry[]> {
  const entries: Entry[] = [];
  const folders = [''];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    signal.throwIfAborted();
    for (const found of await readdir(join(root, folder), { withFileTypes: true })) {
      if (found.name.startsWith('.')) continue;
      const path = folder === '' ? found.name : `${folder}/${found.name}`;
      if (found.isDirectory()) folders.push(path);
      else entries.push({ path, kind: kindOf(found) });
    }
    if (entries.length + folders.length > MOST_ENTRIES) {
      refuseLarge(`there are more than ${MOST_ENTRIES} files and folders in it. Name the folder of the policies alone`);
    }
  }
  return entries;
}

function kindOf(found: Dirent): Entry['kind'] {
  if (found.isFile()) return 'file';
  return found.isSymbolicLink() ? 'link' : 'special';
}

async function look(root: string, path: string): Promise<Place | undefined> {
  const at = join(root, path);
  const found = await lstat(at).catch(absent);
  if (found === undefined) return undefined;
  if (found.isSymbolicLink()) return { kind: 'link', target: await readlink(at) };
  if (found.isDirectory()) return { kind: 'folder' };
  return { kind: found.isFile() ? 'file' : 'other' };
}

async function sizes(root: string, selected: readonly Selected[]) {
  const sized: { path: string; sizeBytes: number }[] = [];
  for (const { path, at } of selected) sized.push({ path, sizeBytes: (await lstat(join(root, at))).size });
  return sized;
}

/** A file may grow between the look at its size and the reading, so that the limit holds here as well. */
async function readBounded(at: string, path: string): Promise<Uint8Array> {
  // Without waiting, as a pipe that took the file's place would block for ever.
  const handle = await open(at, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    return await readUpTo(handle, path);
  } finally {
    await handle.close();
  }
}

async function readUpTo(handle: FileHandle, path: string): Promise<Uint8Array> {
  const buffer = Buffer.alloc(Math.min((await handle.stat()).size, LIMITS.fileBytes) + 1);
  let length = 0;
  for (;;) {
    const { bytesRead } = await handle.read(buffer, length, buffer.length - length);
    length += bytesRead;
    if (bytesRead === 0) return buffer.subarray(0, length);
    if (length === buffer.length) {
      throw new SourceError('unsteady', `${path} grows while it is read; it is read again at its next change`);
    }
  }
}

function refuseLarge(message: string | undefined): void {
  if (message !== undefined) throw new SourceError('fileTooLarge', message);
}

function absent(error: unknown): undefined {
  const code = systemCode(error);
  if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
  throw error;
}

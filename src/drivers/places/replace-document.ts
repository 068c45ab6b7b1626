import { createHash, randomBytes } from 'node:crypto';
import { constants, type Stats } from 'node:fs';
import { type FileHandle, link, open, readdir, rename, unlink } from 'node:fs/promises';
import { type Content, type OpenFolder, oversize, readContent } from './open-document.ts';
import { PlaceError, type PlaceWritten } from './place-driver.ts';

/** Mode of a document that did not exist: env files often hold secrets, so others do not read it. */
const MODE_OF_NEW = 0o640;

/** The new bytes for the old ones (undefined: the document does not exist). */
export type Edit = (bytes: Uint8Array | undefined) => Uint8Array;

export function digestOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/**
 * Replaces the document's content by what `edit` makes of it, atomically: whoever reads it sees the old content or the
 * new one, also after a crash at any point. Mode and owner are kept. If somebody changes the document meanwhile,
 * the edit is made once more on what they wrote, and then gives up with `changedMeanwhile`.
 *
 * What remains: a change in the microseconds between the last look and the rename is lost, as with every editor that
 * saves by renaming. Extended attributes are not kept, for Node cannot read them.
 */
export async function replaceDocument(folder: OpenFolder, edit: Edit, signal: AbortSignal): Promise<PlaceWritten> {
  await removeLeftovers(folder);
  const written = (await attempt(folder, edit, signal)) ?? (await attempt(folder, edit, signal));
  if (written !== undefined) return written;
  const mend = 'It is tried again with the next loop';
  throw new PlaceError('changedMeanwhile', folder.path, `was changed twice by somebody while being written. ${mend}`);
}

/** Undefined if the document changed between being read and being replaced. */
async function attempt(folder: OpenFolder, edit: Edit, signal: AbortSignal): Promise<PlaceWritten | undefined> {
  signal.throwIfAborted();
  const old = await readContent(folder);
  const before = old && digestOf(old.bytes);
  const bytes = edit(old?.bytes);
  const digest = digestOf(bytes);
  if (digest === before) return { digest, before };
  const tooLarge = oversize(bytes.length);
  if (tooLarge !== undefined) throw new PlaceError('tooLarge', folder.path, tooLarge);
  const temporary = folder.at(`${leftoverPrefix(folder)}${randomBytes(6).toString('hex')}`);
  try {
    await writeTemporary(folder, temporary, bytes, old?.stats);
    signal.throwIfAborted();
    if (!(await takePlace(folder, temporary, old))) return undefined;
  } finally {
    await unlink(temporary).catch(ignoreMissing);
  }
  await folder.handle.sync();
  return { digest, before };
}

async function writeTemporary(folder: OpenFolder, temporary: string, bytes: Uint8Array, old: Stats | undefined) {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  const file = await open(temporary, flags, 0o600);
  try {
    await file.writeFile(bytes);
    if (old !== undefined) await keepOwner(folder, file, old);
    await file.chmod(old === undefined ? MODE_OF_NEW : old.mode & 0o7777);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Refuses to replace a file if its owner would change, for its service might then not be able to read it. */
async function keepOwner(folder: OpenFolder, file: FileHandle, old: Stats): Promise<void> {
  const own = await file.stat();
  if (own.uid === old.uid && own.gid === old.gid) return;
  try {
    await file.chown(old.uid, old.gid);
  } catch (error) {
    const mend = `run revertd as root or as user ${old.uid}, with group ${old.gid}`;
    const text = `belongs to ${old.uid}:${old.gid}, which could not be kept; ${mend}`;
    throw new PlaceError('ownerNotKept', folder.path, text, error);
  }
}

/** False if the document is not any more what was read. A new document never overwrites one that appeared meanwhile. */
async function takePlace(folder: OpenFolder, temporary: string, old: Content | undefined): Promise<boolean> {
  const place = folder.at(folder.name);
  if (old === undefined) return await linkNew(temporary, place);
  const now = await readContent(folder);
  if (now === undefined || digestOf(now.bytes) !== digestOf(old.bytes)) return false;
  await rename(temporary, place);
  return true;
}

async function linkNew(temporary: string, place: string): Promise<boolean> {
  try {
    await link(temporary, place);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

/** Temporary files of a write that a crash ended. Nobody else names files like this. */
async function removeLeftovers(folder: OpenFolder): Promise<void> {
  for (const name of await readdir(folder.at('.'))) {
    if (name.startsWith(leftoverPrefix(folder))) await unlink(folder.at(name)).catch(ignoreMissing);
  }
}

/** A digest of the document's name, so that the temporary name is short enough however long that is. */
function leftoverPrefix(folder: OpenFolder): string {
  return `.revertd-tmp-${digestOf(Buffer.from(folder.name)).slice(0, 16)}-`;
}

function ignoreMissing(error: unknown): void {
  if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
}

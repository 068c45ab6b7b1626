import { posix } from 'node:path';
import type { AllowList } from '../allow-list.ts';
import type { ContainerState } from '../containers/container-state.ts';
import type { ContainerEngine } from '../containers/engine.ts';
import { EngineError } from '../containers/engine-error.ts';
import { mountAbove, type Owner } from '../containers/engine-files.ts';
import { findContainer } from '../containers/find-container.ts';
import type { TarFile } from '../containers/tar-file.ts';
import { oversize, stopIfAborted } from './open-document.ts';
import { PlaceError, type PlaceErrorCode, type PlaceWritten } from './place-driver.ts';
import { digestOf, type Edit } from './replace-document.ts';

export type InContainer = {
  readonly allow: AllowList;
  readonly engine: ContainerEngine;
  readonly container: string;
  readonly path: string;
};

/** Those who read a container's files are its services, as a rule users of their own, so that 0640 of root would hide it. */
const MODE_OF_NEW = 0o644;
const ROOT: Owner = { uid: 0, gid: 0 };
/** Where images have it. The folders may be links: only the last part of a path is looked at as it is. */
const MOVERS = ['/bin/mv', '/usr/bin/mv'] as const;
/** The kernel's interfaces, whose files are none. */
const NEVER_WRITTEN = /^\/(?:proc|sys|dev)(?:\/|$)/;

/** The document's bytes, or undefined if it does not exist. The container need not run. Rejects with PlaceError. */
export async function readInContainer(document: InContainer, signal: AbortSignal): Promise<Uint8Array | undefined> {
  return await inWords(document, async () => {
    const state = await openContainer(document, signal);
    return (await readContent(document, state.id, signal))?.bytes;
  });
}

/**
 * Replaces the document's content by what `edit` makes of it. Mode and owner are kept. Rejects with PlaceError.
 *
 * In a running container that has `mv`, this is atomic: the new file is put beside the old one and renamed over it, so
 * that whoever reads sees the old content or the new one, also after a crash. Without `mv`, and while the container does
 * not run (then only others that share a volume with it could read), the engine itself removes the old file and writes
 * the new one; one that dies between both leaves no file or a part of it. What is there is read back in each case.
 */
export async function replaceInContainer(
  document: InContainer,
  edit: Edit,
  signal: AbortSignal,
): Promise<PlaceWritten> {
  return await inWords(document, async () => {
    const state = await openContainer(document, signal);
    const written = (await attempt(document, state, edit, signal)) ?? (await attempt(document, state, edit, signal));
    if (written !== undefined) return written;
    throw fault(document, 'changedMeanwhile', 'was changed twice by somebody while being written; it is tried again');
  });
}

/** Undefined if the document changed between being read and being replaced. */
async function attempt(
  document: InContainer,
  state: ContainerState,
  edit: Edit,
  signal: AbortSignal,
): Promise<PlaceWritten | undefined> {
  const { engine, path } = document;
  stopIfAborted(labelOf(document), signal);
  const old = await readContent(document, state.id, signal);
  const before = old && digestOf(old.bytes);
  const bytes = edit(old?.bytes);
  const digest = digestOf(bytes);
  if (digest === before) return { digest, before };
  refuse(document, 'tooLarge', oversize(bytes.length));
  const owner = old === undefined ? ROOT : await engine.ownerOf(state, path, old, signal);
  if (owner === undefined) {
    const why =
      'whose it is cannot be found out, so that the owner could not be kept; set it in the image, or mount the file';
    throw fault(document, 'ownerNotKept', why);
  }
  const file = { name: posix.basename(path), mode: old?.mode ?? MODE_OF_NEW, ...owner, bytes };
  const mover = state.running && !state.paused ? await findMover(document, state.id, signal) : undefined;
  const isMoved = await (mover === undefined ? putDirectly : putAndMove(mover))(
    document,
    state.id,
    file,
    before,
    signal,
  );
  if (!isMoved) return undefined;
  const now = await readContent(document, state.id, signal);
  if (now === undefined || digestOf(now.bytes) !== digest) {
    throw fault(document, 'changedMeanwhile', 'does not show what was just written; somebody else wrote it too');
  }
  return { digest, before };
}

type Put = (
  document: InContainer,
  id: string,
  file: TarFile,
  before: string | undefined,
  signal: AbortSignal,
) => Promise<boolean>;

const putDirectly: Put = async (document, id, file, before, signal) => {
  if (!(await isAsBefore(document, id, before, signal))) return false;
  await document.engine.writeFile(id, posix.dirname(document.path), file, signal);
  return true;
};

/** The temporary name is always the same, so that what a crash leaves is used and moved by the next write. */
function putAndMove(mover: string): Put {
  return async (document, id, file, before, signal) => {
    const { engine, path } = document;
    const name = `.revertd-tmp-${digestOf(Buffer.from(file.name)).slice(0, 16)}`;
    const folder = posix.dirname(path);
    const temporary = posix.join(folder, name);
    await engine.writeFile(id, folder, { ...file, name }, signal);
    const remove = () => engine.exec({ id, argv: [mover.replace(/mv$/, 'rm'), '-f', temporary], user: '0' }, signal);
    if (!(await isAsBefore(document, id, before, signal))) {
      await remove();
      return false;
    }
    const { exitCode, output } = await engine.exec({ id, argv: [mover, '-f', temporary, path], user: '0' }, signal);
    if (exitCode === 0) return true;
    await remove();
    throw fault(document, 'io', `could not be replaced: mv ended with ${exitCode}: ${output.slice(0, 500)}`);
  };
}

async function isAsBefore(document: InContainer, id: string, before: string | undefined, signal: AbortSignal) {
  stopIfAborted(labelOf(document), signal);
  const now = await readContent(document, id, signal);
  return (now && digestOf(now.bytes)) === before;
}

async function findMover({ engine }: InContainer, id: string, signal: AbortSignal): Promise<string | undefined> {
  for (const path of MOVERS) if ((await engine.statPath(id, path, signal)) !== undefined) return path;
  return undefined;
}

/** The container, if it and the path in it may be touched. */
async function openContainer(document: InContainer, signal: AbortSignal): Promise<ContainerState> {
  const { allow, engine, container, path } = document;
  refuse(document, 'notAllowed', allow.mayTouchContainer(container));
  refuse(document, 'badPath', badPath(path));
  const { id } = await findContainer(engine, container, signal);
  const state = await engine.inspect(id, signal);
  refuse(document, 'onHost', onHost(state, path));
  await refuseLinks(document, id, signal);
  return state;
}

function badPath(path: string): string | undefined {
  if (posix.normalize(path) !== path || !path.startsWith('/') || path.endsWith('/') || path.includes('\0')) {
    return 'is not the absolute path of a file, without empty, "." and ".." parts';
  }
  return NEVER_WRITTEN.test(path) ? "is one of the kernel's, which are never written for a policy" : undefined;
}

/** A file of the host is named as such: then the host's list of paths holds for it, and replacing it is atomic. */
function onHost({ mounts }: ContainerState, path: string): string | undefined {
  const mount = mountAbove(mounts, path);
  if (mount?.type !== 'bind') return undefined;
  const source = `${mount.source}${path.slice(mount.destination.length)}`;
  return `is the host's ${source}, mounted into the container; name that path, and no container`;
}

/** A folder on the way that is a link could lead into what is mounted from the host, or out of what was looked at. */
async function refuseLinks(document: InContainer, id: string, signal: AbortSignal): Promise<void> {
  const parts = posix
    .dirname(document.path)
    .split('/')
    .filter((part) => part !== '');
  for (const depth of parts.keys()) {
    const folder = `/${parts.slice(0, depth + 1).join('/')}`;
    const found = await document.engine.statPath(id, folder, signal);
    if (found === undefined) {
      throw fault(document, 'folderMissing', `the folder ${folder} does not exist in the container; create it first`);
    }
    if (found.kind === 'link') {
      throw fault(document, 'throughLink', `${folder} is a link${leadingTo(found.target)}; name the path without it`);
    }
    if (found.kind !== 'folder') throw fault(document, 'folderMissing', `${folder} is not a folder`);
  }
}

/** podman tells the link's own path where Docker tells its target. */
function leadingTo(target: string): string {
  return target === '' ? '' : ` (${target})`;
}

async function readContent(document: InContainer, id: string, signal: AbortSignal): Promise<TarFile | undefined> {
  const { engine, path } = document;
  const found = await engine.statPath(id, path, signal);
  switch (found?.kind) {
    case undefined:
      return undefined;
    case 'link':
      throw fault(document, 'throughLink', `is a link${leadingTo(found.target)}; name the file that it leads to`);
    case 'folder':
    case 'other':
      throw fault(document, 'notRegular', `is ${found.kind === 'folder' ? 'a folder' : 'special'}, not a regular file`);
    case 'file':
      refuse(document, 'tooLarge', oversize(found.sizeBytes));
      return await engine.readFile(id, path, signal);
  }
}

function labelOf({ container, path }: InContainer): string {
  return `${container}:${path}`;
}

function fault(document: InContainer, code: PlaceErrorCode, message: string, cause?: unknown): PlaceError {
  return new PlaceError(code, labelOf(document), message, cause);
}

function refuse(document: InContainer, code: PlaceErrorCode, reason: string | undefined): void {
  if (reason !== undefined) throw fault(document, code, reason);
}

async function inWords<T>(document: InContainer, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof EngineError) throw fault(document, placeCode(error), error.message, error);
    throw error;
  }
}

function placeCode({ code }: EngineError): PlaceErrorCode {
  switch (code) {
    case 'noSocket':
    case 'notPermitted':
    case 'refused':
    case 'notAnEngine':
      return 'noEngine';
    case 'noSuchContainer':
      return 'noSuchContainer';
    case 'stopped':
      return 'aborted';
    case 'tooLarge':
      return 'tooLarge';
    case 'noSuchPath':
    case 'lost':
    case 'engine':
      return 'io';
  }
}

import { posix } from 'node:path';
import type { AllowList } from '../allow-list.ts';
import type { ContainerState } from '../containers/container-state.ts';
import type { ContainerEngine } from '../containers/engine.ts';
import { EngineError } from '../containers/engine-error.ts';
import { mountAbove } from '../containers/engine-files.ts';
import { findContainer } from '../containers/find-container.ts';
import type { TarFile } from '../containers/tar-file.ts';
import { oversize } from './open-document.ts';
import { PlaceError, type PlaceErrorCode } from './place-driver.ts';

export type InContainer = {
  readonly allow: AllowList;
  readonly engine: ContainerEngine;
  readonly container: string;
  readonly path: string;
};

/** The kernel's interfaces, whose files are none. */
const NEVER_WRITTEN = /^\/(?:proc|sys|dev)(?:\/|$)/;

/** The document's bytes, or undefined if it does not exist. The container need not run. Rejects with PlaceError. */
export async function readInContainer(document: InContainer, signal: AbortSignal): Promise<Uint8Array | undefined> {
  return await inWords(document, async () => {
    const state = await openContainer(document, signal);
    return (await readContent(document, state.id, signal))?.bytes;
  });
}

/** The container, if it and the path in it may be touched. */
export async function openContainer(document: InContainer, signal: AbortSignal): Promise<ContainerState> {
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

/** Undefined if there is nothing. */
export async function readContent(
  document: InContainer,
  id: string,
  signal: AbortSignal,
): Promise<TarFile | undefined> {
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

export function labelOf({ container, path }: InContainer): string {
  return `${container}:${path}`;
}

export function fault(document: InContainer, code: PlaceErrorCode, message: string, cause?: unknown): PlaceError {
  return new PlaceError(code, labelOf(document), message, cause);
}

export function refuse(document: InContainer, code: PlaceErrorCode, reason: string | undefined): void {
  if (reason !== undefined) throw fault(document, code, reason);
}

export async function inWords<T>(document: InContainer, work: () => Promise<T>): Promise<T> {
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

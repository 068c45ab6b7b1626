import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ContainerState, Mount } from './container-state.ts';
import { numberAt, objectAt, textAt } from './decode.ts';
import type { EngineConnection } from './engine-connection.ts';
import { EngineError } from './engine-error.ts';
import { packFile, type TarFile, unpackFile } from './tar-file.ts';

/** What is at a path inside of a container; of a link, the link itself. */
export type PathStat = {
  readonly kind: 'file' | 'folder' | 'link' | 'other';
  readonly sizeBytes: number;
  /** Where a link leads. */
  readonly target: string;
};

export type Owner = { readonly uid: number; readonly gid: number };

/** Files inside of containers, also of those that do not run, through the archive half of the API. */
export type EngineFiles = {
  /** Undefined if there is nothing. */
  readonly statPath: (id: string, path: string, signal: AbortSignal) => Promise<PathStat | undefined>;
  /** Of podman, which hands every file out as the container's user's, `uid` and `gid` are not to be relied on. */
  readonly readFile: (id: string, path: string, signal: AbortSignal) => Promise<TarFile>;
  /** Puts the file into a folder that exists, in place of what is there: by removing that, so that it is not atomic. */
  readonly writeFile: (id: string, folder: string, file: TarFile, signal: AbortSignal) => Promise<void>;
  /** To whom a file belongs, by the ids inside of the container; undefined if that cannot be found out. */
  readonly ownerOf: (
    state: ContainerState,
    path: string,
    read: TarFile,
    signal: AbortSignal,
  ) => Promise<Owner | undefined>;
};

/** Bits of Go's `fs.FileMode`, which the header shows. */
const MODE_FOLDER = 0x8000_0000;
const MODE_LINK = 0x0800_0000;
/** Devices, pipes, sockets, and what is none of all these. */
const MODE_OTHER = 0x0728_0000;

export function createEngineFiles(connection: EngineConnection): EngineFiles {
  return {
    statPath: async (id, path, signal) => {
      const missing = { code: 'noSuchPath', message: `there is no ${path} in the container` } as const;
      try {
        const { headers } = await connection.ask({ method: 'HEAD', path: archivePath(id, path), missing }, signal);
        return decodeStat(String(headers['x-docker-container-path-stat'] ?? ''));
      } catch (error) {
        if (error instanceof EngineError && error.code === 'noSuchPath') return undefined;
        throw error;
      }
    },
    readFile: async (id, path, signal) => {
      const missing = { code: 'noSuchPath', message: `there is no ${path} in the container` } as const;
      const { body } = await connection.ask({ method: 'GET', path: archivePath(id, path), missing }, signal);
      const file = unpackFile(body);
      if (file === undefined) throw new EngineError('noSuchPath', `${path} is not a regular file`);
      return file;
    },
    writeFile: async (id, folder, file, signal) => {
      const missing = { code: 'noSuchPath', message: `there is no folder ${folder} in the container` } as const;
      const body = { type: 'application/x-tar', bytes: packFile(file, Date.now() / 1000) };
      // Without this, podman would give the file to the container's user.
      const path = `${archivePath(id, folder)}&copyUIDGID=false`;
      await connection.ask({ method: 'PUT', path, body, missing }, signal);
    },
    ownerOf: async (state, path, { uid, gid }, signal) => {
      const { libpod } = await connection.greet(signal);
      return libpod === undefined ? { uid, gid } : await ownerByPodman(connection, state, path, signal);
    },
  };
}

function archivePath(id: string, path: string): string {
  return `/containers/${id}/archive?path=${encodeURIComponent(path)}`;
}

function decodeStat(header: string): PathStat {
  const found = objectAt(JSON.parse(Buffer.from(header, 'base64').toString('utf8')));
  const mode = numberAt(found, 'mode');
  // Numbers of more than 31 bits: by division, for JavaScript's operators have a sign.
  const has = (bits: number) => Math.floor(mode / bits) % 2 === 1;
  const kind = has(MODE_LINK) ? 'link' : has(MODE_FOLDER) ? 'folder' : (mode & MODE_OTHER) === 0 ? 'file' : 'other';
  return { kind, sizeBytes: numberAt(found, 'size'), target: textAt(found, 'linkTarget') };
}

/** podman shows where a container's files lie on the host; there they are looked at, and nothing else is done. */
async function ownerByPodman(
  connection: EngineConnection,
  { id, mounts, userNamespace }: ContainerState,
  path: string,
  signal: AbortSignal,
): Promise<Owner | undefined> {
  if (userNamespace) return undefined;
  const volume = mountAbove(mounts, path);
  if (volume !== undefined) return await ownerOnHost(join(volume.source, path.slice(volume.destination.length)));
  const mount = { path: `/containers/${id}/mount`, method: 'POST', libpod: true };
  const { body } = await connection.ask(mount, signal);
  try {
    // Some versions write the path as JSON, some as it is.
    const root = body.toString('utf8').trim().replaceAll(/^"|"$/g, '');
    return await ownerOnHost(join(root, path));
  } finally {
    await connection.ask({ ...mount, path: `/containers/${id}/unmount` }, signal);
  }
}

async function ownerOnHost(path: string): Promise<Owner | undefined> {
  try {
    const { uid, gid } = await lstat(path);
    return { uid, gid };
  } catch {
    return undefined;
  }
}

/** The innermost mount that the path is in, or is itself. */
export function mountAbove(mounts: readonly Mount[], path: string): Mount | undefined {
  return mounts
    .filter(({ destination }) => path === destination || path.startsWith(`${destination.replace(/\/$/, '')}/`))
    .sort((one, other) => other.destination.length - one.destination.length)[0];
}

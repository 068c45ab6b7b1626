import { constants } from 'node:fs';
import { type FileHandle, open, rename, unlink } from 'node:fs/promises';
import { errnoOf } from '../../../store/content/content-error.ts';
import type { BytePath } from './byte-path.ts';
import type { OpenFolder } from './open-folder.ts';
import { removeTree } from './remove-tree.ts';
import { homeOf, stageNameOf } from './stage.ts';
import { isGone, type OpenRoot } from './walk.ts';

/**
 * Changes that take more than one call of the system: a file takes the place of a folder or a folder that of a file, a folder
 * is made and then gets its rights, a file gets an owner and then a mode. A merge that a crash ended in between would take
 * what it finds for something that people did, so such places are written down before.
 */
export type Begun = {
  /** Which merge it is; what another one has left says nothing. */
  readonly merge: string;
  readonly paths: readonly BytePath[];
};

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY } = constants;

/** Durable when it resolves. */
export async function noteBegun(root: OpenRoot, begun: Begun): Promise<void> {
  await atHome(root, async (home, name) => {
    const beside = `${name}-new`;
    await unlinkIfThere(home, beside);
    const handle = await open(home.at(beside), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
    await closing(handle, async () => {
      await handle.writeFile(JSON.stringify(begun));
      await handle.sync();
    });
    await rename(home.at(beside), home.at(name));
    await home.handle.sync();
  });
}

/** What a merge that was interrupted may have left half done. What somebody else wrote there says nothing. */
export async function begunIn(root: OpenRoot, merge: string): Promise<readonly BytePath[]> {
  return await atHome(root, async (home, name) => {
    const handle = await open(home.at(name), O_RDONLY | O_NOFOLLOW | O_NONBLOCK).catch((error: unknown) => {
      if (isGone(error)) return undefined;
      throw error;
    });
    if (handle === undefined) return [];
    return await closing(handle, async () => {
      const stats = await handle.stat();
      if (!stats.isFile() || stats.uid !== process.geteuid?.()) return [];
      const found = JSON.parse(await handle.readFile('utf8')) as Begun;
      return found.merge === merge ? found.paths : [];
    });
  });
}

/** All is done; what an attempt that was interrupted had made ready is cleared away too. */
export async function forgetBegun(root: OpenRoot): Promise<void> {
  await atHome(root, async (home, name) => {
    await removeTree(home, stageNameOf(root));
    await unlinkIfThere(home, name);
  });
}

async function atHome<T>(root: OpenRoot, use: (home: OpenFolder, name: BytePath) => Promise<T>): Promise<T> {
  const home = await homeOf(root);
  try {
    return await use(home, `${stageNameOf(root)}-begun`);
  } finally {
    await home.letGo();
  }
}

async function unlinkIfThere(home: OpenFolder, name: BytePath): Promise<void> {
  await unlink(home.at(name)).catch((error: unknown) => {
    if (errnoOf(error) !== 'ENOENT') throw error;
  });
}

async function closing<T>(handle: FileHandle, use: () => Promise<T>): Promise<T> {
  try {
    return await use();
  } finally {
    await handle.close();
  }
}

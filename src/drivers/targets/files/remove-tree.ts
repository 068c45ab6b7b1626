import { rmdir, unlink } from 'node:fs/promises';
import { errnoOf } from '../../../store/content/content-error.ts';
import type { BytePath } from './byte-path.ts';
import type { OpenFolder } from './open-folder.ts';

/** Removes a folder with all that is in it, or anything else; through no link. What is not there is no fault. */
export async function removeTree(parent: OpenFolder, name: BytePath): Promise<void> {
  try {
    if (!(await parent.look(name)).isDirectory()) {
      await unlink(parent.at(name));
      return;
    }
    const folder = await parent.enter(name);
    try {
      for (const child of await folder.names()) await removeTree(folder, child);
    } finally {
      await folder.letGo();
    }
    await rmdir(parent.at(name));
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
  }
}

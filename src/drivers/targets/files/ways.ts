import { TargetError } from '../target-driver.ts';
import type { BytePath } from './byte-path.ts';
import type { FileEntry } from './file-entry.ts';
import type { OpenFolder } from './open-folder.ts';
import { type OpenRoot, shownBelow } from './walk.ts';

/** The way to something: its folder, opened from the root on and through no link. The last one is kept open. */
export class Ways {
  readonly #roots: readonly OpenRoot[];
  #open: { readonly key: string; readonly folder: OpenFolder } | undefined;

  constructor(roots: readonly OpenRoot[]) {
    this.#roots = roots;
  }

  /** Stays open until the next call. */
  async to({ root: index, path }: Pick<FileEntry, 'root' | 'path'>): Promise<{ parent: OpenFolder; name: BytePath }> {
    const root = rootAt(this.#roots, index);
    if (path === '') return { parent: root.parent, name: root.name };
    const parts = path.split('/');
    const name = parts.pop() ?? '';
    const key = `${index}:${parts.join('/')}`;
    if (this.#open?.key !== key) {
      await this.close();
      this.#open = { key, folder: await descend(root, parts) };
    }
    return { parent: this.#open?.folder ?? root.parent, name };
  }

  async close(): Promise<void> {
    const open = this.#open;
    this.#open = undefined;
    await open?.folder.letGo();
  }
}

async function descend(root: OpenRoot, parts: readonly BytePath[]): Promise<OpenFolder> {
  let folder = await root.parent.enter(root.name);
  for (const part of parts) {
    const outer = folder;
    try {
      folder = await outer.enter(part);
    } finally {
      await outer.letGo();
    }
  }
  return folder;
}

export function rootAt(roots: readonly OpenRoot[], index: number): OpenRoot {
  const root = roots[index];
  if (root === undefined) throw new TargetError('snapshot', `the snapshot names a path ${index} that it does not have`);
  return root;
}

/** Where it is, for people. */
export function shownIn(roots: readonly OpenRoot[], { root, path }: Pick<FileEntry, 'root' | 'path'>): string {
  return shownBelow(roots[root] ?? { path: '' }, path);
}

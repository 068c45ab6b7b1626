import { TargetError } from '../target-driver.ts';
import { type BytePath, isAtOrBelow, toBytePath } from './byte-path.ts';
import { exclusionOf } from './exclusion.ts';
import type { FileEntry, FilesHead } from './file-entry.ts';

/** Which part of the trees is meant. */
export type Selection = {
  /** Whether it is at or below one of the places that are meant, and not left out. */
  readonly has: (entry: Pick<FileEntry, 'root' | 'path'>) => boolean;
  /** Whether it is a folder that leads to one of them. */
  readonly leadsTo: (entry: Pick<FileEntry, 'root' | 'path'>) => boolean;
  readonly places: readonly Place[];
};

type Place = { readonly root: number; readonly path: BytePath; readonly text: string };

/**
 * `paths` are absolute, or relative to the only root; none stands for everything. What `exclude` names now is left out
 * too, though the snapshot may still have it.
 * @throws {TargetError} `snapshot` for a path that is below none of the roots.
 */
export function selectionOf(
  { roots }: Pick<FilesHead, 'roots'>,
  paths: readonly string[],
  exclude: readonly string[],
): Selection {
  const places = paths.map((path) => placeOf(roots, path));
  const exclusions = roots.map((root) => exclusionOf(exclude, root));
  const isExcluded = ({ root, path }: Pick<FileEntry, 'root' | 'path'>) =>
    prefixes(path).some((prefix) => exclusions[root]?.(prefix) === true);
  return {
    places,
    has: (entry) =>
      (places.length === 0 || places.some(({ root, path }) => root === entry.root && isAtOrBelow(entry.path, path))) &&
      !isExcluded(entry),
    leadsTo: (entry) => places.some(({ root, path }) => root === entry.root && isAtOrBelow(path, entry.path)),
  };
}

function placeOf(roots: readonly string[], text: string): Place {
  const path = text.replace(/\/+$/, '');
  if (!path.startsWith('/')) {
    if (roots.length === 1) return { root: 0, path: toBytePath(path), text };
    throw new TargetError('snapshot', `"${text}" could be in any of ${roots.join(', ')}; write it as an absolute path`);
  }
  const root = roots.findIndex((candidate) => path === candidate || path.startsWith(`${candidate}/`));
  if (root < 0) throw new TargetError('snapshot', `${text} is in none of the target's paths: ${roots.join(', ')}`);
  return { root, path: toBytePath(path.slice((roots[root] ?? '').length + 1)), text };
}

function prefixes(path: BytePath): readonly BytePath[] {
  const found: BytePath[] = [];
  for (let end = path.indexOf('/'); end >= 0; end = path.indexOf('/', end + 1)) found.push(path.slice(0, end));
  return path === '' ? found : [...found, path];
}

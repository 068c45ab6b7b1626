import { byPath, hasPolicyFile, isHidden, isRevisionPath, isUndecodable } from '../policy/policy-paths.ts';
import { followLink, type Look } from './links.ts';
import { SourceError } from './source-error.ts';

/** What a listing of the policy folder, without following anything, finds at a path. */
export type Entry = { readonly path: string; readonly kind: 'file' | 'link' | 'submodule' | 'special' };

/** A policy file under the name that it is loaded by, and the path where its bytes are; they differ for links. */
export type Selected = { readonly path: string; readonly at: string };

/**
 * The policy files of a listing and the templates beside them, sorted by path; the same rules for git and for folders. Links to files inside the folder
 * are followed and loaded under their own name.
 * @throws {SourceError} `linkOutside`, `unsupportedEntry`
 */
export async function selectFiles(entries: readonly Entry[], look: Look): Promise<Selected[]> {
  const selected: Selected[] = [];
  for (const entry of entries) {
    const found = isHidden(entry.path) ? undefined : await select(entry, look);
    if (found !== undefined) selected.push(found);
  }
  // Templates alone say nothing: a folder without a policy is an empty one.
  return hasPolicyFile(selected) ? selected.sort(byPath) : [];
}

async function select(entry: Entry, look: Look): Promise<Selected | undefined> {
  const { path, kind } = entry;
  switch (kind) {
    case 'file':
      return isRevisionPath(path) ? { path: decodable(path), at: path } : undefined;
    case 'link':
      return selectLink(path, look);
    case 'submodule':
      throw unsupported(path, 'is a submodule, whose files are not part of the revision. Copy the policies in');
    case 'special':
      if (!isRevisionPath(path)) return undefined;
      throw unsupported(path, 'is no regular file. Remove it');
  }
}

/** A link that is no policy file by its name is judged too: it could be a folder of them. */
async function selectLink(path: string, look: Look): Promise<Selected | undefined> {
  const target = await followLink(path, look);
  switch (target.end) {
    case 'file':
      return isRevisionPath(path) ? { path: decodable(path), at: target.path } : undefined;
    case 'folder':
      throw unsupported(path, 'is a link to a folder. Link the files one by one, or move the folder');
    case 'outside':
      throw new SourceError(
        'linkOutside',
        `${path} is a link that leads out of the policy folder. Replace it by the file itself, or by a relative link within the folder`,
      );
    case 'nowhere':
    case 'loop':
      if (!isRevisionPath(path)) return undefined;
      throw unsupported(
        path,
        `is a link that ${target.end === 'loop' ? 'leads back to itself' : 'leads nowhere'}. Mend or remove it`,
      );
  }
}

function decodable(path: string): string {
  if (!isUndecodable(path)) return path;
  throw unsupported(JSON.stringify(path), 'has a name that is not UTF-8. Rename it');
}

function unsupported(path: string, what: string): SourceError {
  return new SourceError('unsupportedEntry', `${path} ${what}`);
}

import { realpathSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import type { PolicyFile, Revision } from '../../core/model/revision.ts';
import type { PolicySource, ReadRequest, SourceNotice, SourceReading } from '../policy-source.ts';
import { readingOf, SourceError } from '../source-error.ts';
import { systemCode } from '../system-code.ts';
import { folderRevision, readFolder } from './folder-files.ts';
import { watchFolder } from './folder-watch.ts';

/** The revision of a folder without policy files. */
export const EMPTY_FOLDER: Revision = folderRevision([]);

const ATTEMPTS = 3;
const BETWEEN_ATTEMPTS_MS = 20;

export type FolderSourceOptions = {
  /** An absolute path. */
  readonly root: string;
  readonly tell: (notice: SourceNotice) => void;
};

/** A plain folder, for development: it has no history, and its revision is a digest of its files. */
export function folderSource({ root, tell }: FolderSourceOptions): PolicySource {
  const failed = (error: unknown) =>
    tell({
      code: 'watchFailed',
      message: `${root} cannot be watched; changes are seen when it is polled: ${String(error)}`,
    });
  return {
    read: (request, signal) => read(root, request, signal),
    watch: (onHint) => watchFolder(realPathOf(root), onHint, failed),
    describe: () => `folder ${root}, watched`,
  };
}

async function read(root: string, { accepted, consented }: ReadRequest, signal: AbortSignal): Promise<SourceReading> {
  try {
    const files = await readSteadily(root, signal);
    const revision = folderRevision(files);
    if (revision === accepted) return { state: 'unchanged', revision };
    if (files.length === 0 && accepted !== undefined && !consented.has(revision)) throw emptied(root);
    return { state: 'changed', snapshot: { revision, files } };
  } catch (error) {
    return readingOf(error);
  }
}

/** Editors replace files; one that vanished between the listing and the reading is no fault of the folder. */
async function readSteadily(root: string, signal: AbortSignal): Promise<PolicyFile[]> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await checkRoot(root);
      return await readFolder(root, signal);
    } catch (error) {
      const code = systemCode(error);
      const vanished = code === 'ENOENT' || code === 'ELOOP';
      if (!vanished || attempt === ATTEMPTS) throw vanished ? unsteady(root, error) : unreadable(root, error);
      await pause(BETWEEN_ATTEMPTS_MS, undefined, { signal });
    }
  }
}

async function checkRoot(root: string): Promise<void> {
  let isFolder: boolean;
  try {
    isFolder = (await stat(root)).isDirectory();
  } catch (error) {
    const code = systemCode(error);
    if (code !== 'ENOENT' && code !== 'ENOTDIR') throw error;
    throw new SourceError('folderGone', `there is no folder ${root}. Make it again, or correct the source`, {
      cause: error,
    });
  }
  if (!isFolder) throw new SourceError('folderGone', `${root} is no folder. Name the folder that the policies are in`);
}

function emptied(root: string): SourceError {
  return new SourceError(
    'emptied',
    `${root} has no policy files any more. If that is meant: revertd source accept ${EMPTY_FOLDER}`,
    { revision: EMPTY_FOLDER },
  );
}

function unsteady(root: string, cause: unknown): SourceError {
  return new SourceError(
    'unsteady',
    `files in ${root} vanish while they are read; it is read again at the next change`,
    { cause },
  );
}

/** What the operating system refuses; everything else is passed on as it is. */
function unreadable(root: string, error: unknown): unknown {
  const code = systemCode(error);
  if (code === undefined) return error;
  const denied = code === 'EACCES' || code === 'EPERM';
  const what = denied ? 'may not be read by this user' : 'cannot be read';
  return new SourceError(denied ? 'auth' : 'storage', `${root} ${what}: ${String(error)}`, { cause: error });
}

/** The folder that a link stands for, since the watcher would watch the link; the path itself while there is nothing. */
function realPathOf(root: string): string {
  try {
    return realpathSync(root);
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return root;
  }
}

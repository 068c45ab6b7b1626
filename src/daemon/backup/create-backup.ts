import { access, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, isAbsolute, join } from 'node:path';
import type { Halt } from '../../core/observed.ts';
import type { Millis } from '../../core/units.ts';
import { ContentError } from '../../store/content/content-error.ts';
import type { ContentStore } from '../../store/content/content-store.ts';
import { makeDurable, syncFolder } from '../../store/content/make-durable.ts';
import { STORE_FILE } from '../../store/database.ts';
import type { Store } from '../../store/store.ts';
import { faultPoint } from '../fault-point.ts';
import { BackupError, inBackup } from './backup-error.ts';
import { BACKUP_NOTE, type BackupNote } from './backup-note.ts';
import { readStoreCopy, sha256Of } from './store-copy.ts';

export type BackupMeans = {
  readonly store: Pick<Store, 'copyTo'>;
  readonly dataDir: string;
  readonly host: string;
  readonly version: string;
  readonly now: () => Millis;
  readonly halt: () => Halt | null;
  readonly content: () => Promise<ContentStore>;
  /** The content that points need now; null where it is in memory only. */
  readonly manifests: () => readonly string[] | null;
};

export type BackupRequest = {
  /** A file that is not there yet, or a folder in which it gets a name. */
  readonly path: string;
  /** Leaves the content of points out. */
  readonly withoutContent: boolean;
};

export type BackupProgress = { readonly bytes: number; readonly total?: number };

export type Backup = { readonly path: string; readonly bytes: number } & BackupNote['store'];

const DEADLINE_MS = 24 * 3_600_000;
const OPERATION = 'backup';
const SCRATCH = 'backup-';

/**
 * Writes all that revertd knows into one file: the store as of one instant, and the content of its points. The file has its name
 * once it is whole and durable. Rejects with BackupError, ContentError or StoreError.
 */
export async function createBackup(
  means: BackupMeans,
  request: BackupRequest,
  onProgress: (progress: BackupProgress) => void,
): Promise<Backup> {
  const path = await fileFor(request.path, means);
  const [scratch, content] = await Promise.all([makeScratch(means.dataDir), means.content()]);
  const partial = `${path}.partial`;
  try {
    const { note, bytes } = await inBackup(`backing up to ${path}`, async () => {
      // What points need at the begin or at the end is all that the copy can speak of.
      const before = request.withoutContent ? null : means.manifests();
      content.hold(OPERATION, before ?? []);
      const store = await copyStore(means.store, join(scratch, STORE_FILE), onProgress);
      const after = request.withoutContent ? null : means.manifests();
      content.hold(OPERATION, after ?? []);
      const wanted = before === null || after === null ? null : [...new Set([...before, ...after])];
      const lacking = new Set(wanted === null ? [] : await content.lacks(wanted));
      const needed = new Set(after);
      // A point that was given up meanwhile may take its content with it; of the others all has to be there.
      const manifests = wanted?.filter((one) => needed.has(one) || !lacking.has(one)) ?? null;
      const made = noteOf(means, store, manifests);
      return { note: made, bytes: await pack(partial, scratch, content, made, onProgress) };
    });
    faultPoint('backup:written');
    await inBackup(`making ${path} durable`, () => giveName(partial, path));
    return { path, bytes, ...note.store };
  } catch (error) {
    await rm(partial, { force: true });
    throw error instanceof ContentError && error.code === 'missing' ? lost(error) : error;
  } finally {
    content.release(OPERATION);
    await rm(scratch, { recursive: true, force: true });
  }
}

function lost(error: ContentError): BackupError {
  const mend =
    '`revertd points verify` finds the point, which `revertd points prune POINT` gives up; or leave content out with --no-content';
  return new BackupError('damaged', `the content of a point is not whole: ${error.message}; ${mend}`, { cause: error });
}

async function fileFor(given: string, { host, now }: BackupMeans): Promise<string> {
  if (!isAbsolute(given)) throw new BackupError('io', `name the file by its whole path, not ${given}`);
  const isFolder = await stat(given).then(
    (found) => found.isDirectory(),
    () => false,
  );
  const time = new Date(now()).toISOString().slice(0, 19).replaceAll(':', '-');
  const path = isFolder ? join(given, `revertd-${host}-${time}Z.tar`) : given;
  const isThere = await access(path).then(
    () => true,
    () => false,
  );
  if (isThere) throw new BackupError('exists', `${path} is there already; nothing is written over`);
  return path;
}

/** What a killed one left is of no use. There is one backup at a time, for there is one process. */
async function makeScratch(dataDir: string): Promise<string> {
  return await inBackup(`making room in ${dataDir}`, async () => {
    for (const name of await readdir(dataDir)) {
      if (name.startsWith(SCRATCH)) await rm(join(dataDir, name), { recursive: true, force: true });
    }
    return await mkdtemp(join(dataDir, SCRATCH));
  });
}

async function copyStore(
  store: BackupMeans['store'],
  path: string,
  onProgress: (progress: BackupProgress) => void,
): Promise<BackupNote['store']> {
  // Counted in pages: how large one is does not matter for how far it is.
  await store.copyTo(path, (done, total) => onProgress({ bytes: done * PAGE_BYTES, total: total * PAGE_BYTES }));
  faultPoint('backup:copied');
  const { schema, seq, hash } = readStoreCopy(path);
  return { schema, seq, hash, sha256: await sha256Of(path) };
}

const PAGE_BYTES = 4096;

function noteOf(means: BackupMeans, store: BackupNote['store'], manifests: readonly string[] | null): BackupNote {
  const { host, version, now, halt } = means;
  return { schemaVersion: 1, revertd: version, host, takenAt: now(), store, halt: halt(), manifests };
}

async function pack(
  path: string,
  scratch: string,
  content: ContentStore,
  note: BackupNote,
  onProgress: (progress: BackupProgress) => void,
): Promise<number> {
  await rm(path, { force: true });
  const size = async (): Promise<number> => (await stat(path)).size;
  const timer = setInterval(() => {
    // Before there is a file there is nothing to tell.
    size().then(
      (bytes) => onProgress({ bytes }),
      () => undefined,
    );
  }, TELL_EVERY_MS);
  try {
    return await content.pack(path, {
      manifests: note.manifests ?? [],
      note: `${JSON.stringify(note, null, 2)}\n`,
      head: { noteName: BACKUP_NOTE, files: { folder: scratch, names: [STORE_FILE] } },
      signal: AbortSignal.timeout(DEADLINE_MS),
    });
  } finally {
    clearInterval(timer);
  }
}

const TELL_EVERY_MS = 500;

async function giveName(partial: string, path: string): Promise<void> {
  await makeDurable(dirname(partial), [partial]);
  await rename(partial, path);
  await syncFolder(dirname(path));
}

import { existsSync } from 'node:fs';
import { link, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { makeDurable, syncFolder } from '../../store/content/make-durable.ts';
import { STORE_FILE } from '../../store/database.ts';
import { lockStore, unlockStore } from '../../store/lock.ts';
import { faultPoint } from '../fault-point.ts';
import { BackupError } from './backup-error.ts';
import { describeStore, type StoreCopy } from './store-copy.ts';

/** The store that is where a backup is to go, held so that no daemon begins with it. */
export type PresentStore = AsyncDisposable & {
  /** Null if there is none, `damaged` if nobody can read it. */
  readonly found: StoreCopy | 'damaged' | null;
  /** Puts another file in its place, in one step; `aside` keeps what was there under another name, which it answers. */
  readonly replaceBy: (file: string, aside: string | null) => Promise<void>;
};

/** @throws StoreError `locked` when a daemon has it. */
export function holdStore(dataDir: string): PresentStore {
  const path = join(dataDir, STORE_FILE);
  if (!existsSync(path)) return { found: null, replaceBy: (file) => giveName(file, dataDir), ...nothingHeld };
  const database = openHeld(path, dataDir);
  if (database === null)
    return { found: 'damaged', replaceBy: (file, aside) => replaceDamaged(file, dataDir, aside), ...nothingHeld };
  return {
    found: describeStore(database),
    async replaceBy(file, aside) {
      // All of it is in the one file then, so that no log of pages is taken for that of the new one.
      database.exec('PRAGMA wal_checkpoint(TRUNCATE); PRAGMA journal_mode = DELETE');
      if (aside !== null) await link(path, aside);
      await overwrite(file, dataDir);
    },
    async [Symbol.asyncDispose]() {
      database.close();
      unlockStore(dataDir);
    },
  };
}

const nothingHeld = { [Symbol.asyncDispose]: async () => undefined };

function openHeld(path: string, dataDir: string): DatabaseSync | null {
  const database = new DatabaseSync(path);
  try {
    lockStore(database, dataDir);
    describeStore(database);
    return database;
  } catch (error) {
    database.close();
    if (isDamage(error)) return null;
    throw error;
  }
}

const SQLITE_CORRUPT = 11;
const SQLITE_NOTADB = 26;

function isDamage(error: unknown): boolean {
  if (!(error instanceof Error && 'errcode' in error && typeof error.errcode === 'number')) return false;
  const code = error.errcode & 0xff;
  return code === SQLITE_CORRUPT || code === SQLITE_NOTADB;
}

/** A daemon that began meanwhile has made a store of its own, which is not written over. */
async function giveName(file: string, dataDir: string): Promise<void> {
  const path = join(dataDir, STORE_FILE);
  try {
    await makeDurable(dirname(file), [file]);
    await link(file, path);
  } catch (cause) {
    if (!(cause instanceof Error && 'code' in cause && cause.code === 'EEXIST')) throw cause;
    throw new BackupError('exists', `a daemon began in ${dataDir} meanwhile; stop it, and restore again`, { cause });
  }
  await syncFolder(dataDir);
}

async function overwrite(file: string, dataDir: string): Promise<void> {
  await makeDurable(dirname(file), [file]);
  faultPoint('restore:place');
  await rename(file, join(dataDir, STORE_FILE));
  await syncFolder(dataDir);
}

async function replaceDamaged(file: string, dataDir: string, aside: string | null): Promise<void> {
  const path = join(dataDir, STORE_FILE);
  if (aside !== null) await link(path, aside);
  for (const suffix of ['-wal', '-shm']) {
    if (existsSync(`${path}${suffix}`)) await rename(`${path}${suffix}`, `${aside ?? path}${suffix}`);
  }
  await overwrite(file, dataDir);
}

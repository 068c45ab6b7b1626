import { readdirSync, statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { sqliteUrl } from '../../sql/sqlite-url.ts';

/** A file, and which it was when it was looked at: it must not be another one when it is opened. */
export type FileIdentity = { readonly path: string; readonly dev: string; readonly ino: string };

/** The file must be the one that was looked at, whatever somebody put at its path meanwhile. Throws an error for people. */
export function openExpected({ path, dev, ino }: FileIdentity, mode: 'ro' | 'rw', lockMs: number): DatabaseSync {
  const database = new DatabaseSync(sqliteUrl(path, { mode }), { readOnly: mode === 'ro', timeout: lockMs });
  const isOpen = readdirSync('/proc/self/fd').some((fd) => {
    const stats = statSync(`/proc/self/fd/${fd}`, { bigint: true, throwIfNoEntry: false });
    return stats !== undefined && String(stats.dev) === dev && String(stats.ino) === ino;
  });
  if (isOpen) return database;
  database.close();
  throw new Error('it was replaced by another file while it was opened');
}

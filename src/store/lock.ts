import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { type LockHolder, StoreError } from './store-error.ts';

/**
 * Takes the store for this process. The lock is the kernel's: it ends with the process, however that ends. A file
 * beside it says who has it, for people; it decides nothing.
 * @throws StoreError `locked` with the holder, at once.
 */
export function lockStore(database: DatabaseSync, folder: string): void {
  database.exec('PRAGMA busy_timeout = 0; PRAGMA locking_mode = EXCLUSIVE');
  try {
    // In exclusive mode the lock that a write takes is kept until the connection is closed.
    database.exec('PRAGMA journal_mode = WAL; BEGIN IMMEDIATE; COMMIT');
  } catch (cause) {
    if (!isBusy(cause)) throw cause;
    const holder = readHolder(folder);
    const who = holder === null ? 'another process' : `process ${holder.pid} on ${holder.host}, since ${holder.since}`;
    throw new StoreError('locked', `${folder} is in use by ${who}; one daemon per data directory`, { cause, holder });
  }
  writeHolder(folder);
}

export function unlockStore(folder: string): void {
  rmSync(holderFile(folder), { force: true });
}

function isBusy(error: unknown): boolean {
  const SQLITE_BUSY = 5;
  const SQLITE_LOCKED = 6;
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return false;
  return (error.errcode & 0xff) === SQLITE_BUSY || (error.errcode & 0xff) === SQLITE_LOCKED;
}

function writeHolder(folder: string): void {
  const holder: LockHolder = { pid: process.pid, host: hostname(), since: new Date().toISOString() };
  const temporary = `${holderFile(folder)}.${process.pid}`;
  writeFileSync(temporary, `${JSON.stringify(holder)}\n`, { mode: 0o644 });
  renameSync(temporary, holderFile(folder));
}

function readHolder(folder: string): LockHolder | null {
  try {
    const parsed: unknown = JSON.parse(readFileSync(holderFile(folder), 'utf8'));
    return isHolder(parsed) ? parsed : null;
  } catch {
    // The file is only a courtesy: without it the message names nobody.
    return null;
  }
}

function isHolder(value: unknown): value is LockHolder {
  if (typeof value !== 'object' || value === null) return false;
  return 'pid' in value && typeof value.pid === 'number' && 'host' in value && 'since' in value;
}

function holderFile(folder: string): string {
  return join(folder, 'daemon.json');
}

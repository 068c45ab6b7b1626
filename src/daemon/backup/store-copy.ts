import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { pipeline } from 'node:stream/promises';
import { GENESIS } from '../../store/hash-chain.ts';

export type StoreCopy = {
  /** The schema's version. */
  readonly schema: number;
  /** Of the last event; 0 and zeros where there is none. */
  readonly seq: number;
  readonly hash: string;
  /** When that was; null where there is none. */
  readonly at: number | null;
};

/** What a file that nobody else has open says of itself. From then on it is one file, without a log of pages beside it. */
export function readStoreCopy(path: string): StoreCopy {
  const database = new DatabaseSync(path);
  try {
    database.exec('PRAGMA journal_mode = DELETE');
    return describeStore(database);
  } finally {
    database.close();
  }
}

export function describeStore(database: DatabaseSync): StoreCopy {
  const schema = Number(database.prepare('PRAGMA user_version').get()?.['user_version'] ?? 0);
  const isStore = database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'events'").get() !== undefined;
  const last = isStore
    ? database.prepare('SELECT seq, hash, at FROM events ORDER BY seq DESC LIMIT 1').get()
    : undefined;
  if (last === undefined) return { schema, seq: 0, hash: GENESIS, at: null };
  return { schema, seq: Number(last['seq']), hash: String(last['hash']), at: Number(last['at']) };
}

/** Whether the log has that event as it was. */
export function hasEvent(path: string, { seq, hash }: Pick<StoreCopy, 'seq' | 'hash'>): boolean {
  if (seq === 0) return true;
  const database = new DatabaseSync(path);
  try {
    return database.prepare('SELECT 1 FROM events WHERE seq = ? AND hash = ?').get(seq, hash) !== undefined;
  } finally {
    database.close();
  }
}

export async function sha256Of(path: string): Promise<string> {
  const sum = createHash('sha256');
  await pipeline(createReadStream(path), sum);
  return sum.digest('hex');
}

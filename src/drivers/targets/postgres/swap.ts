import { setTimeout as delay } from 'node:timers/promises';
import type { Millis } from '../../../core/units.ts';
import { TargetError } from '../target-driver.ts';
import { literal, type Place, quoted } from './connection.ts';
import { besideDatabase } from './scratch.ts';

export type Swap = {
  readonly place: Place;
  readonly signal: AbortSignal;
  readonly live: string;
  readonly staged: string;
  readonly old: string;
  /** Stands on the old database from then on. */
  readonly mark: string;
};

const SEND_AWAY_MS: Millis = 200;
const TRIES = 30;
const RETRY_MS: Millis = 1000;

/**
 * Puts the staged database in the place of the live one, in one transaction. While the first renaming waits for the
 * connections to the live database to end (PostgreSQL waits 5 s) it keeps new ones out, so another connection sends away
 * those that are there. Whoever came too late finds the new one. Rejects with TargetError; then nothing was changed.
 */
export async function swapDatabases({ place, signal, live, staged, old, mark }: Swap): Promise<void> {
  const over = new AbortController();
  const sending = sendAway(place, [live, staged], AbortSignal.any([signal, over.signal]));
  try {
    // The connection that the database was filled by may be long gone.
    await besideDatabase(place, signal, async ({ rows }) => {
      const [[isThere] = []] = await rows(`SELECT count(*) FROM pg_database WHERE datname = ${literal(live)}`);
      await rows('BEGIN');
      if (isThere !== '0') {
        await rows(`ALTER DATABASE ${quoted(live)} RENAME TO ${quoted(old)}`);
        await rows(`COMMENT ON DATABASE ${quoted(old)} IS ${literal(mark)}`);
      }
      await rows(`ALTER DATABASE ${quoted(staged)} RENAME TO ${quoted(live)}`);
      await rows('COMMIT');
    });
  } catch (error) {
    if (!(error instanceof TargetError)) throw error;
    if (error.code === 'unreachable' && (await wasReplaced(place, staged, signal))) return;
    const what = `${live} could not be replaced, and is as it was: ${error.message}`;
    throw new TargetError(error.code, what, error);
  } finally {
    over.abort();
    await sending;
  }
}

/** The server may have committed before the connection broke. It is given time to come back, for instance from a restart. */
async function wasReplaced(place: Place, staged: string, signal: AbortSignal): Promise<boolean> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await besideDatabase(place, signal, async ({ rows }) => {
        const [[left] = []] = await rows(`SELECT count(*) FROM pg_database WHERE datname = ${literal(staged)}`);
        return left === '0';
      });
    } catch (error) {
      if (!(error instanceof TargetError)) throw error;
      if (tries < TRIES) await delay(RETRY_MS);
      else throw new TargetError('unreachable', `it is not known whether it was replaced: ${error.message}`, error);
    }
  }
}

/** A connection that may not be ended shows in the renaming, which then fails. */
async function sendAway(place: Place, databases: readonly string[], signal: AbortSignal): Promise<void> {
  const names = databases.map(literal).join(', ');
  try {
    await besideDatabase(place, signal, async ({ rows }) => {
      for (;;) {
        await rows(
          `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
           WHERE datname IN (${names}) AND pg_has_role(usesysid, 'MEMBER')`,
        );
        await delay(SEND_AWAY_MS, undefined, { signal });
      }
    });
  } catch (error) {
    const isOver = error instanceof Error && error.name === 'AbortError';
    if (!isOver && !(error instanceof TargetError)) throw error;
  }
}

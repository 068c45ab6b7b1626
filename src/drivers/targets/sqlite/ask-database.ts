import { type Ended, startBeside } from '../../child-program.ts';
import { type SqliteFailure, sqliteFaultOf } from '../../sql/sqlite-failure.ts';
import { TargetError } from '../target-driver.ts';
import type { DatabaseQuestion, DatabaseReply } from './database-child.ts';

export type DatabaseAnswer = Exclude<DatabaseReply, { kind: 'failed' }>;

/**
 * Asks in a process of its own, which ends when the signal aborts.
 * @throws {TargetError} `locked`, `damaged`, `space`, `aborted`, `io`
 */
export async function askDatabase(
  question: DatabaseQuestion,
  shown: string,
  signal: AbortSignal,
): Promise<DatabaseAnswer> {
  if (signal.aborted) throw new TargetError('aborted', `${shown}: ended before it was begun`);
  const child = startBeside<DatabaseQuestion, DatabaseReply>(import.meta.url, 'database-child', signal);
  try {
    return answered(await child.ask(question), shown, signal);
  } finally {
    await child.end();
  }
}

/**
 * What a process answered that had a database open.
 * @throws {TargetError} where it could not
 */
export function answered<T extends { readonly kind: string }>(
  reply: T | SqliteFailure | Ended,
  shown: string,
  signal: AbortSignal,
): Exclude<T, { kind: 'failed' | 'ended' }> {
  if (isEnd(reply)) {
    if (signal.aborted) throw new TargetError('aborted', `${shown}: ended before it was done`);
    throw new TargetError('io', `${shown}: the process that had it open has ended`);
  }
  if (isFailure(reply)) throw new TargetError(codeOf(reply), `${shown}: ${reply.message}`);
  return reply as Exclude<T, { kind: 'failed' | 'ended' }>;
}

function isEnd(reply: { readonly kind: string }): reply is Ended {
  return reply.kind === 'ended';
}

function isFailure(reply: { readonly kind: string }): reply is SqliteFailure {
  return reply.kind === 'failed';
}

function codeOf(failure: SqliteFailure): TargetError['code'] {
  switch (sqliteFaultOf(failure)) {
    case 'locked':
      return 'locked';
    case 'corrupt':
      return 'damaged';
    case 'full':
      return 'space';
    case 'constraint':
      return 'constraint';
    default:
      return 'io';
  }
}

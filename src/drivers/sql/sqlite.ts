import { realpath } from 'node:fs/promises';
import type { SqliteDatabase } from '../../core/model/metric-source.ts';
import { splitStatements } from '../../core/sql/split-statements.ts';
import { type Ended, startBeside } from '../child-program.ts';
import {
  type BoundValue,
  type SessionOptions,
  SqlError,
  type SqlHost,
  type SqlResult,
  type SqlSession,
} from './session.ts';
import type { SqliteCell, SqliteQuestion, SqliteReply } from './sqlite-child.ts';
import { type SqliteFailure, sqliteFaultOf } from './sqlite-failure.ts';

/** Statements whose count of changed rows is their own; after others SQLite repeats that of the one before. */
const COUNTED = new Set(['INSERT', 'UPDATE', 'DELETE', 'REPLACE', 'WITH']);

/**
 * The file is opened in a process of its own: SQLite in this process could not be interrupted, and would share the locks
 * of revertd's own database. Ending that process undoes what was not committed.
 */
export async function openSqlite(
  { path }: SqliteDatabase,
  { allow }: SqlHost,
  { access, lockMs }: SessionOptions,
  signal: AbortSignal,
): Promise<SqlSession> {
  if (signal.aborted) throw new SqlError('stopped', 'stopped before the file was opened');
  const file = await realFile(path);
  const refused = access === 'write' ? (allow.mayWrite(path) ?? allow.mayWrite(file)) : undefined;
  if (refused !== undefined) throw new SqlError('notAllowed', refused);
  const child = startBeside<SqliteQuestion, SqliteReply>(import.meta.url, 'sqlite-child', signal);
  const ask = async (question: SqliteQuestion) => resultOf(await child.ask(question), signal);
  try {
    await ask({ ask: 'open', path: file, access, lockMs });
  } catch (error) {
    await child.end();
    throw error;
  }
  return {
    begin: async () => void (access === 'write' && (await ask({ ask: 'begin' }))),
    run: (text, params) => ask({ ask: 'run', text, counts: isCounted(text), params: toParams(params) }),
    identity: () => Promise.resolve(undefined),
    commit: async () => {
      const reply = await child.ask({ ask: 'commit' });
      if (reply.kind === 'ended') throw new SqlError('commitLost', 'its process ended before it had answered COMMIT');
      resultOf(reply, signal);
    },
    close: () => child.end(),
  };
}

async function realFile(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    const errno = error instanceof Error && 'code' in error ? String(error.code) : '';
    if (errno === 'ENOENT' || errno === 'ENOTDIR') throw new SqlError('noDatabase', `${path} does not exist`, error);
    throw new SqlError('unreachable', `${path} cannot be reached (${errno})`, error);
  }
}

function isCounted(text: string): boolean {
  const [statement] = splitStatements(text, 'sqlite');
  return COUNTED.has(statement?.verb[0] ?? '');
}

function toParams(params: readonly BoundValue[]): Readonly<Record<string, SqliteCell>> {
  return Object.fromEntries(
    params.map(({ name, value }) => [name, typeof value === 'boolean' ? Number(value) : value] as const),
  );
}

function resultOf(reply: SqliteReply | Ended, signal: AbortSignal): SqlResult {
  switch (reply.kind) {
    case 'done':
      return reply;
    case 'ended':
      throw signal.aborted
        ? new SqlError('stopped', 'ended before it was done')
        : new SqlError('connectionLost', 'the process that had the database open has ended');
    case 'failed':
      throw new SqlError(codeOf(reply), reply.message);
  }
}

function codeOf(failure: SqliteFailure): SqlError['code'] {
  switch (sqliteFaultOf(failure)) {
    case 'locked':
      return 'locked';
    case 'corrupt':
      return 'notADatabase';
    case 'cantOpen':
      return 'unreachable';
    default:
      return 'statement';
  }
}

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { realpath } from 'node:fs/promises';
import type { SqliteDatabase } from '../../core/model/metric-source.ts';
import { splitStatements } from '../../core/sql/split-statements.ts';
import {
  type BoundValue,
  type SessionOptions,
  SqlError,
  type SqlHost,
  type SqlResult,
  type SqlSession,
} from './session.ts';
import type { SqliteCell, SqliteQuestion, SqliteReply } from './sqlite-child.ts';

const CHILD = new URL(import.meta.url.endsWith('.ts') ? './sqlite-child.ts' : './sqlite-child.js', import.meta.url);

/** Primary result codes, in the low byte of the extended ones: sqlite.org/rescode.html. */
const BUSY = 5;
const LOCKED = 6;
const CORRUPT = 11;
const CANTOPEN = 14;
const NOTADB = 26;

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
  const child = start();
  const end = () => child.kill('SIGKILL');
  signal.addEventListener('abort', end, { once: true });
  const close = async () => {
    signal.removeEventListener('abort', end);
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    end();
    await gone;
  };
  const ask = async (question: SqliteQuestion) => resultOf(await converse(child, question), signal);
  try {
    await ask({ ask: 'open', path: file, access, lockMs });
  } catch (error) {
    await close();
    throw error;
  }
  return {
    begin: async () => void (access === 'write' && (await ask({ ask: 'begin' }))),
    run: (text, params) => ask({ ask: 'run', text, counts: isCounted(text), params: toParams(params) }),
    identity: () => Promise.resolve(undefined),
    commit: async () => {
      const reply = await converse(child, { ask: 'commit' });
      if (reply.kind === 'ended') throw new SqlError('commitLost', 'its process ended before it had answered COMMIT');
      resultOf(reply, signal);
    },
    close,
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

function resultOf(reply: SqliteReply, signal: AbortSignal): SqlResult {
  switch (reply.kind) {
    case 'done':
      return reply;
    case 'ended':
      throw signal.aborted
        ? new SqlError('stopped', 'ended before it was done')
        : new SqlError('connectionLost', 'the process that had the database open has ended');
    case 'failed':
      throw new SqlError(codeOf(reply.errcode), reply.message);
  }
}

function codeOf(errcode: number): SqlError['code'] {
  switch (errcode & 0xff) {
    case BUSY:
    case LOCKED:
      return 'locked';
    case CORRUPT:
    case NOTADB:
      return 'notADatabase';
    case CANTOPEN:
      return 'unreachable';
    default:
      return 'statement';
  }
}

function start(): ChildProcess {
  const child = fork(CHILD, [], {
    env: { LANG: 'C.UTF-8' },
    execArgv: ['--disable-warning=ExperimentalWarning'],
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  // Whatever goes wrong with it shows as its end.
  child.on('error', () => child.kill('SIGKILL'));
  return child;
}

/** One question at a time. */
async function converse(child: ChildProcess, question: SqliteQuestion): Promise<SqliteReply> {
  if (child.exitCode !== null || child.signalCode !== null) return { kind: 'ended' };
  const over = new AbortController();
  try {
    const answered = once(child, 'message', { signal: over.signal }).then(([reply]) => reply as SqliteReply);
    const ended = once(child, 'exit', { signal: over.signal }).then(() => ({ kind: 'ended' }) as const);
    void Promise.allSettled([answered, ended]);
    child.send(question, () => undefined);
    return await Promise.race([answered, ended]);
  } finally {
    over.abort();
  }
}

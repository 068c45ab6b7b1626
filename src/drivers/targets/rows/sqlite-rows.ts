import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import type { Row } from '../../../core/merge/cell.ts';
import type { Batches } from '../../../core/merge/join-sorted.ts';
import { lookAtDatabase, withDatabase } from '../sqlite/database-file.ts';
import { describeOpeners } from '../sqlite/openers.ts';
import { TargetError } from '../target-driver.ts';
import type { RowsAccess, RowsTransaction, TableShape } from './rows-session.ts';
import type { RowsQuestion, RowsReply } from './sqlite-child.ts';

const CHILD = new URL(import.meta.url.endsWith('.ts') ? './sqlite-child.ts' : './sqlite-child.js', import.meta.url);

/** How long a lock of somebody else's is waited for. */
const LOCK_MS = 10_000;

/** Primary result codes, in the low byte of the extended ones: sqlite.org/rescode.html. */
const BUSY = 5;
const LOCKED = 6;
const CORRUPT = 11;
const FULL = 13;
const CONSTRAINT = 19;
const NOTADB = 26;

/** The rows of a SQLite database, in a process of its own for the time of each use. */
export function sqliteRows(path: string): RowsAccess {
  return {
    shown: path,
    identity: `sqlite ${path}`,
    withState: (signal, use) => withChild(path, 'read', signal, use),
    withTransaction: (_tables, signal, use) => withChild(path, 'write', signal, use),
  };
}

async function withChild<T>(
  path: string,
  access: 'read' | 'write',
  signal: AbortSignal,
  use: (transaction: RowsTransaction) => Promise<T>,
): Promise<T> {
  if (signal.aborted) throw new TargetError('aborted', `${path}: ended before it was begun`);
  return await withDatabase(path, async (root) => {
    const { dev, ino } = await lookAtDatabase(root);
    const file = { path: root.path, dev: String(dev), ino: String(ino) };
    const child = fork(CHILD, [], {
      env: { LANG: 'C.UTF-8' },
      execArgv: ['--disable-warning=ExperimentalWarning'],
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    const end = () => child.kill('SIGKILL');
    child.on('error', end);
    signal.addEventListener('abort', end, { once: true });
    const ask = async (question: RowsQuestion) => answerOf(await converse(child, question), path, signal);
    try {
      await ask({ ask: 'open', file, access, lockMs: LOCK_MS });
      const result = await use(transactionOn(ask));
      await letGo(child);
      return result;
    } catch (error) {
      if (!(error instanceof TargetError) || error.code !== 'locked') throw error;
      const who = await describeOpeners(root);
      throw new TargetError('locked', `${path} was locked for ${LOCK_MS / 1000} s by somebody else${who}`, error);
    } finally {
      signal.removeEventListener('abort', end);
      await ended(child);
    }
  });
}

type Answer = Exclude<RowsReply, { kind: 'failed' | 'ended' | 'refused' }>;

function transactionOn(ask: (question: RowsQuestion) => Promise<Answer>): RowsTransaction {
  return {
    shapes: async (tables) => {
      const answer = await ask({ ask: 'shapes', tables });
      return answer.kind === 'shapes' ? answer.tables : [];
    },
    read: (table) => readRows(ask, table),
    stage: async (table, changes) => {
      if (changes.length > 0) await ask({ ask: 'stage', table, changes });
    },
    apply: async (without) => {
      const answer = await ask({ ask: 'apply', without });
      return answer.kind === 'applied' ? answer.orphans : [];
    },
    commit: async () => void (await ask({ ask: 'commit' })),
  };
}

async function* readRows(ask: (question: RowsQuestion) => Promise<Answer>, table: TableShape): Batches<Row> {
  let answer = await ask({ ask: 'read', table });
  while (answer.kind === 'rows' && answer.rows.length > 0) {
    yield answer.rows;
    answer = await ask({ ask: 'more' });
  }
}

/** One question at a time. */
async function converse(child: ChildProcess, question: RowsQuestion): Promise<RowsReply> {
  if (child.exitCode !== null || child.signalCode !== null) return { kind: 'ended' };
  const over = new AbortController();
  try {
    const answered = once(child, 'message', { signal: over.signal }).then(([reply]) => reply as RowsReply);
    const gone = once(child, 'exit', { signal: over.signal }).then(() => ({ kind: 'ended' }) as const);
    void Promise.allSettled([answered, gone]);
    child.send(question, () => undefined);
    return await Promise.race([answered, gone]);
  } finally {
    over.abort();
  }
}

/** It closes the database by itself. */
async function letGo(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.disconnect();
  await gone;
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

function answerOf(reply: RowsReply, path: string, signal: AbortSignal): Answer {
  switch (reply.kind) {
    case 'ended':
      if (signal.aborted) throw new TargetError('aborted', `${path}: ended before it was done`);
      throw new TargetError('io', `${path}: the process that had it open has ended`);
    case 'failed':
      throw new TargetError(codeOf(reply.errcode), `${path}: ${reply.message}`);
    case 'refused':
      throw new TargetError(reply.code, `${path}: ${reply.message}`);
    case 'done':
    case 'shapes':
    case 'rows':
    case 'applied':
      return reply;
  }
}

function codeOf(errcode: number): TargetError['code'] {
  switch (errcode & 0xff) {
    case BUSY:
    case LOCKED:
      return 'locked';
    case CORRUPT:
    case NOTADB:
      return 'damaged';
    case FULL:
      return 'space';
    case CONSTRAINT:
      return 'constraint';
    default:
      return 'io';
  }
}

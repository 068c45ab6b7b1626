import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { TargetError } from '../target-driver.ts';
import type { DatabaseQuestion, DatabaseReply } from './database-child.ts';

const CHILD = new URL(import.meta.url.endsWith('.ts') ? './database-child.ts' : './database-child.js', import.meta.url);

/** Primary result codes, in the low byte of the extended ones: sqlite.org/rescode.html. */
const BUSY = 5;
const LOCKED = 6;
const CORRUPT = 11;
const FULL = 13;
const NOTADB = 26;

export type DatabaseAnswer = Exclude<DatabaseReply, { kind: 'failed' | 'ended' }>;

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
  const child = fork(CHILD, [], {
    env: { LANG: 'C.UTF-8' },
    execArgv: ['--disable-warning=ExperimentalWarning'],
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  const end = () => child.kill('SIGKILL');
  child.on('error', end);
  signal.addEventListener('abort', end, { once: true });
  try {
    return answerOf(await converse(child, question), shown, signal);
  } finally {
    signal.removeEventListener('abort', end);
    await ended(child);
  }
}

async function converse(child: ChildProcess, question: DatabaseQuestion): Promise<DatabaseReply> {
  const over = new AbortController();
  try {
    const answered = once(child, 'message', { signal: over.signal }).then(([reply]) => reply as DatabaseReply);
    const ended = once(child, 'exit', { signal: over.signal }).then(() => ({ kind: 'ended' }) as const);
    void Promise.allSettled([answered, ended]);
    child.send(question, () => undefined);
    return await Promise.race([answered, ended]);
  } finally {
    over.abort();
  }
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

function answerOf(reply: DatabaseReply, shown: string, signal: AbortSignal): DatabaseAnswer {
  switch (reply.kind) {
    case 'ended':
      if (signal.aborted) throw new TargetError('aborted', `${shown}: ended before it was done`);
      throw new TargetError('io', `${shown}: the process that had it open has ended`);
    case 'failed':
      throw new TargetError(codeOf(reply.errcode), `${shown}: ${reply.message}`);
    case 'intact':
    case 'damaged':
    case 'copied':
    case 'settled':
    case 'recovered':
    case 'replaced':
    case 'compared':
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
    default:
      return 'io';
  }
}

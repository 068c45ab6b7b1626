import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';

/** The process ended before it answered. */
export type Ended = { readonly kind: 'ended' };

/** A program of revertd's own that answers questions in a process of its own, one at a time. */
export type ChildProgram<Question, Reply> = {
  readonly hasEnded: boolean;
  /** Never rejects: whatever goes wrong with the process shows as its end. */
  readonly ask: (question: Question) => Promise<Reply | Ended>;
  /** Tells it that nobody will ask any more, and waits until it has ended by itself. */
  readonly letGo: () => Promise<void>;
  readonly kill: () => void;
  /** Kills it, and waits until it is gone. */
  readonly end: () => Promise<void>;
};

/** Starts the program that stands beside a module, compiled or not as that is; it is killed when the signal aborts. */
export function startBeside<Question, Reply>(
  moduleUrl: string,
  name: string,
  signal?: AbortSignal,
): ChildProgram<Question, Reply> {
  const child = fork(new URL(`./${name}.${moduleUrl.endsWith('.ts') ? 'ts' : 'js'}`, moduleUrl), [], {
    env: { LANG: 'C.UTF-8' },
    execArgv: ['--disable-warning=ExperimentalWarning'],
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  const kill = () => void child.kill('SIGKILL');
  child.on('error', kill);
  signal?.addEventListener('abort', kill, { once: true });
  child.once('exit', () => signal?.removeEventListener('abort', kill));
  if (signal?.aborted === true) kill();
  return {
    get hasEnded() {
      return hasEnded(child);
    },
    ask: (question) => converse<Question, Reply>(child, question),
    letGo: () => gone(child, () => child.disconnect()),
    kill,
    end: () => gone(child, kill),
  };
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

async function converse<Question, Reply>(child: ChildProcess, question: Question): Promise<Reply | Ended> {
  if (hasEnded(child)) return { kind: 'ended' };
  const over = new AbortController();
  try {
    const answered = once(child, 'message', { signal: over.signal }).then(([reply]) => reply as Reply);
    const ended = once(child, 'exit', { signal: over.signal }).then(() => ({ kind: 'ended' }) as const);
    void Promise.allSettled([answered, ended]);
    child.send(question as object, () => undefined);
    return await Promise.race([answered, ended]);
  } finally {
    over.abort();
  }
}

async function gone(child: ChildProcess, make: () => void): Promise<void> {
  if (hasEnded(child)) return;
  const exit = once(child, 'exit');
  make();
  await exit;
}

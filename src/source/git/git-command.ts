import { GitError, GitPluginError, type SimpleGit, simpleGit } from 'simple-git';
import type { Millis } from '../../core/units.ts';
import { SourceError } from '../source-error.ts';
import { ALLOWED_ENVIRONMENT } from './git-environment.ts';
import { endProcess, gitProcessesIn } from './git-processes.ts';

/** A git that is asked to stop, and does not, is killed after this time. */
const GRACE_MS: Millis = 2000;
/** libuv reports a program that could not be started by the negative error number as exit code. */
const NO_SUCH_PROGRAM = -2;

/** Git ended with something else than 0. */
export class GitExit extends GitError {
  readonly command: string;
  /** Undefined if a signal ended it. */
  readonly exitCode: number | undefined;
  readonly stderr: string;

  constructor(command: string, exitCode: number | undefined, stderr: string) {
    super(undefined, `git ${command} ended with ${exitCode ?? 'a signal'}: ${stderr.trim()}`);
    this.name = 'GitExit';
    this.command = command;
    this.exitCode = exitCode;
    this.stderr = stderr;
  }
}

export type GitCall = {
  /** The mirror: git's processes are known by standing in it. */
  readonly folder: string;
  /** What the command is about, for messages. */
  readonly subject: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly args: readonly string[];
  /** What is written to its standard input. */
  readonly input?: string;
  readonly deadlineMs: Millis;
  readonly signal: AbortSignal;
};

/**
 * Runs git once, and gives its output.
 * @throws {GitExit} with git's exit code
 * @throws {SourceError} `timeout` past the deadline, `gitMissing`
 * @throws the signal's reason if it is aborted
 */
export function runGit(call: GitCall): Promise<string> {
  return start(call, (git) => git.raw([...call.args]));
}

/** The same for `git cat-file`, whose output is bytes. */
export function runGitCatFile(call: GitCall): Promise<Buffer> {
  return start(call, async (git) => {
    const output: unknown = await git.binaryCatFile([...call.args]);
    if (Buffer.isBuffer(output)) return output;
    throw new TypeError('git cat-file gave no bytes');
  });
}

async function start<T>(call: GitCall, run: (git: SimpleGit) => PromiseLike<T>): Promise<T> {
  call.signal.throwIfAborted();
  const deadline = AbortSignal.timeout(call.deadlineMs);
  const stop = AbortSignal.any([call.signal, deadline]);
  const stuck = killWhenStuck(call.folder, stop);
  try {
    return await Promise.race([run(prepare(call, stop)), stuck.killed]);
  } catch (error) {
    call.signal.throwIfAborted();
    if (!deadline.aborted) throw missingGit(error);
    const message = `${call.subject}: git ${call.args[0] ?? ''} took longer than ${call.deadlineMs / 1000} s`;
    throw new SourceError('timeout', message, { cause: error });
  } finally {
    stuck.forget();
  }
}

function prepare({ folder, environment, args, input }: GitCall, abort: AbortSignal): SimpleGit {
  return simpleGit({
    baseDir: folder,
    abort,
    allowEnvironment: ALLOWED_ENVIRONMENT,
    // Its guards against these protect from strangers; here they harden git instead (git-environment.ts).
    unsafe: {
      allowUnsafeAskPass: true,
      allowUnsafeSshCommand: true,
      allowUnsafeConfigPaths: true,
      allowUnsafeTemplateDir: true,
    },
    // Output is whole when the pipes are closed, not when the process has ended.
    completion: { onClose: true, onExit: false },
    input: () => input,
    errors: (error, { exitCode, stdErr }) => {
      if (error instanceof GitPluginError || exitCode === 0) return error;
      return new GitExit(args[0] ?? '', exitCodeOf(exitCode), Buffer.concat(stdErr).toString());
    },
  }).env({ ...environment });
}

/** The library types it as a number; it passes on null for a process that a signal ended. */
function exitCodeOf(exitCode: unknown): number | undefined {
  return typeof exitCode === 'number' ? exitCode : undefined;
}

function missingGit(error: unknown): unknown {
  if (!(error instanceof GitExit) || error.exitCode !== NO_SUCH_PROGRAM) return error;
  return new SourceError('gitMissing', 'git cannot be started: it is not installed, or not on the PATH of revertd', {
    cause: error,
  });
}

/** The library interrupts git when told to stop; what still stands in the folder after the grace is killed. */
function killWhenStuck(folder: string, stop: AbortSignal): { killed: Promise<never>; forget: () => void } {
  const { promise: killed, reject } = Promise.withResolvers<never>();
  let timer: NodeJS.Timeout | undefined;
  const kill = async () => {
    const processes = (await gitProcessesIn(folder)) ?? [];
    for (const { pid, owner } of processes) if (owner === process.pid) endProcess(pid);
    reject(new GitError(undefined, 'git did not stop when it was interrupted, and was killed'));
  };
  const onStop = () => {
    timer = setTimeout(() => void kill().catch(reject), GRACE_MS);
  };
  stop.addEventListener('abort', onStop, { once: true });
  const forget = () => {
    stop.removeEventListener('abort', onStop);
    clearTimeout(timer);
    // The race is over; nobody else waits for it.
    killed.catch(() => undefined);
  };
  return { killed, forget };
}

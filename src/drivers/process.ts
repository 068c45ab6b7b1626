import { type ChildProcess, spawn } from 'node:child_process';
import { readdir, readFile, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import type { Millis } from '../core/units.ts';
import { type BoundedText, createBoundedText } from './bounded-text.ts';
import type { SecretResolver } from './secrets.ts';

export type ProcessSpec = {
  /** The program and its arguments; there is no shell. */
  readonly argv: readonly string[];
  readonly cwd?: string;
  /** Added to PATH, HOME and LANG; nothing else of revertd's environment is passed on. */
  readonly env?: Readonly<Record<string, string>>;
  /** Written to its standard input, which is empty without it; or an open file that it reads itself. */
  readonly stdin?: string | { readonly fd: number };
  /**
   * Reads its standard output, which then is no part of `output`: all of it, until it is closed by whoever has it open.
   * When it rejects the program is ended, and `runProcess` rejects with the same.
   */
  readonly take?: (stdout: AsyncIterable<Buffer>) => Promise<void>;
  readonly secrets: Pick<SecretResolver, 'redactor'>;
  /** How long its group has to end after SIGTERM, before SIGKILL; 5 s if absent. */
  readonly graceMs?: Millis;
};

/** `output` is standard output and error, each in its order, redacted; 8 Ki characters are kept at each end. */
export type ProcessEnd =
  | { readonly kind: 'exited'; readonly code: number; readonly output: string }
  /** Killed by somebody else, or by itself. */
  | { readonly kind: 'killed'; readonly by: string; readonly output: string }
  /** Ended because the signal aborted, with everything it had started. */
  | { readonly kind: 'stopped'; readonly output: string }
  | { readonly kind: 'notStarted'; readonly code: NotStartedCode; readonly message: string };

export type NotStartedCode = 'missingProgram' | 'missingFolder' | 'notPermitted' | 'io';

const KEPT_EACH = 8 * 1024;
const GRACE_MS: Millis = 5000;
/** Something left in the background may hold the output open for ever; so long it is waited for after the exit. */
const OUTPUT_GRACE_MS: Millis = 1000;
const POLL_MS: Millis = 50;
/** What programs get for their PATH. */
export const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/**
 * Runs a program in a process group of its own. When `signal` aborts the whole group is ended. What a program that
 * exited left in the background goes on, so that a step can start something. Rejects only as `take` does.
 */
export async function runProcess(spec: ProcessSpec, signal: AbortSignal): Promise<ProcessEnd> {
  if (signal.aborted) return { kind: 'stopped', output: '' };
  const [program = '', ...rest] = spec.argv;
  try {
    const child = spawn(program, rest, {
      ...(spec.cwd === undefined ? {} : { cwd: spec.cwd }),
      env: { PATH: DEFAULT_PATH, HOME: homedir(), LANG: 'C.UTF-8', ...spec.env },
      detached: true,
      stdio: [inputOf(spec), 'pipe', 'pipe'],
    });
    return await follow(child, spec, signal);
  } catch (error) {
    if (error instanceof NotTaken) throw error.cause;
    return await notStarted(program, spec.cwd, error);
  }
}

function inputOf({ stdin }: ProcessSpec): 'ignore' | 'pipe' | number {
  if (stdin === undefined) return 'ignore';
  return typeof stdin === 'string' ? 'pipe' : stdin.fd;
}

/** What the reader of the output met; the cause is the caller's. */
class NotTaken extends Error {
  override readonly name = 'NotTaken';
}

async function follow(child: ChildProcess, spec: ProcessSpec, signal: AbortSignal): Promise<ProcessEnd> {
  const output = createBoundedText(KEPT_EACH);
  feed(child, spec.stdin);
  let ending: Promise<void> | undefined;
  const end = () => {
    ending ??= endGroup(child.pid, spec.graceMs ?? GRACE_MS);
  };
  const { taken, rest } = outputsOf(child, spec, output, end);
  signal.addEventListener('abort', end, { once: true });
  const [code, by] = await exitOf(child).finally(() => {
    if (taken === undefined) signal.removeEventListener('abort', end);
  });
  // What is taken is taken whole, however long it is held open; only the deadline ends that.
  if (taken !== undefined) await Promise.race([taken, stopped(signal)]);
  signal.removeEventListener('abort', end);
  await (ending ?? Promise.race([rest, delay(OUTPUT_GRACE_MS, undefined, { ref: false })]));
  child.stdout?.destroy();
  child.stderr?.destroy();
  await rest;
  const failure = await taken;
  if (failure !== undefined && !signal.aborted)
    throw new NotTaken('the output was not taken', { cause: failure.cause });
  if (ending !== undefined) return { kind: 'stopped', output: output.text() };
  if (code !== null) return { kind: 'exited', code, output: output.text() };
  return { kind: 'killed', by: by ?? 'an unknown signal', output: output.text() };
}

type Failure = { readonly cause: unknown };

/** `taken`: resolves with what the caller's reader met, if it has one. `rest`: when everything else is closed. */
function outputsOf(
  child: ChildProcess,
  spec: ProcessSpec,
  output: BoundedText,
  end: () => void,
): { readonly taken: Promise<Failure | undefined> | undefined; readonly rest: Promise<unknown> } {
  const errors = collect(child, 'stderr', spec, output);
  const { take } = spec;
  if (take === undefined || child.stdout === null) {
    return { taken: undefined, rest: Promise.all([collect(child, 'stdout', spec, output), errors]) };
  }
  const taken = take(child.stdout).then(
    () => undefined,
    (cause: unknown) => {
      end();
      return { cause };
    },
  );
  return { taken, rest: errors };
}

function stopped(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

function exitOf(child: ChildProcess): Promise<readonly [number | null, NodeJS.Signals | null]> {
  return new Promise((resolve, reject) => {
    child.once('exit', (code, by) => resolve([code, by]));
    child.once('error', reject);
  });
}

/** Resolves when the stream is closed, which is also after it was destroyed. */
function collect(
  child: ChildProcess,
  name: 'stdout' | 'stderr',
  spec: ProcessSpec,
  output: BoundedText,
): Promise<void> {
  const stream = child[name];
  if (stream === null) return Promise.resolve();
  const redactor = spec.secrets.redactor();
  stream.setEncoding('utf8');
  stream.on('data', (piece: string) => output.push(redactor.push(piece)));
  return new Promise((resolve) => {
    stream.once('close', () => {
      output.push(redactor.end());
      resolve();
    });
  });
}

/** A program need not read its input: that the pipe broke is its exit's matter. */
function feed(child: ChildProcess, input: ProcessSpec['stdin']): void {
  child.stdin?.on('error', () => undefined);
  if (typeof input === 'string') child.stdin?.end(input);
}

async function endGroup(pid: number | undefined, graceMs: Millis): Promise<void> {
  if (pid === undefined || !signalGroup(pid, 'SIGTERM')) return;
  const tries = Math.ceil(graceMs / POLL_MS);
  for (let tried = 0; tried < tries && (await isGroupAlive(pid)); tried += 1) await delay(POLL_MS);
  signalGroup(pid, 'SIGKILL');
}

/**
 * Whether a process of the group still runs. What has ended but was not yet asked for its exit code (a zombie) answers to
 * signals too; under an init that never asks, it would be waited for in vain. See proc(5), stat.
 */
async function isGroupAlive(group: number): Promise<boolean> {
  if (!signalGroup(group, 0)) return false;
  const names = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const lines = await Promise.all(names.map((name) => readFile(`/proc/${name}/stat`, 'latin1').catch(() => '')));
  return lines.some((line) => {
    const [state, , ofGroup] = line.slice(line.lastIndexOf(')') + 2).split(' ');
    return Number(ofGroup) === group && state !== 'Z' && state !== 'X';
  });
}

/** False if the group is gone. */
function signalGroup(pid: number, name: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(-pid, name);
  } catch (error) {
    if (errnoOf(error) === 'ESRCH') return false;
    if (errnoOf(error) === 'EPERM') return true;
    throw error;
  }
}

async function notStarted(program: string, cwd: string | undefined, error: unknown): Promise<ProcessEnd> {
  const errno = errnoOf(error);
  if (cwd !== undefined && !(await isFolder(cwd))) {
    return { kind: 'notStarted', code: 'missingFolder', message: `the folder ${cwd} does not exist` };
  }
  if (errno === 'ENOENT') {
    const where = program.includes('/') ? 'does not exist, or its interpreter does not' : `is not in ${DEFAULT_PATH}`;
    return { kind: 'notStarted', code: 'missingProgram', message: `${program} ${where}` };
  }
  if (errno === 'EACCES') {
    return {
      kind: 'notStarted',
      code: 'notPermitted',
      message: `${program} may not be run by revertd (is it executable?)`,
    };
  }
  const reason = error instanceof Error ? error.message : String(error);
  return { kind: 'notStarted', code: 'io', message: `${program} could not be started: ${reason}` };
}

async function isFolder(path: string): Promise<boolean> {
  return await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

function errnoOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

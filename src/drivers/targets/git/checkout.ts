import { spawn } from 'node:child_process';
import { readFile, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { TargetError } from '../target-driver.ts';

/** A checkout, and git as its owner would call it. */
export type Checkout = {
  /** The folder that git calls the top level. */
  readonly top: string;
  /** The target's folder within it, with `/` at its end; empty for the whole. */
  readonly prefix: string;
  readonly gitFolder: string;
  readonly owner: Owner;
  readonly git: (args: readonly string[], signal: AbortSignal, options?: GitOptions) => Promise<string>;
};

export type Owner = { readonly uid: number; readonly gid: number; readonly home: string };

type GitOptions = { readonly cwd?: string; readonly stdin?: string };

/** Nothing of the checkout's own configuration runs a program here: hooks, monitors, or a helper that asks for a password. */
const HARDENING = [
  '-c',
  'core.hooksPath=/dev/null',
  '-c',
  'core.fsmonitor=false',
  '-c',
  'protocol.ext.allow=never',
  '-c',
  'advice.detachedHead=false',
  '-c',
  'gc.autoDetach=false',
  '-c',
  'maintenance.auto=false',
] as const;

const OUTPUT_LIMIT = 16 * 1024 * 1024;
const STDERR_KEPT = 4_000;
const KILL_AFTER_MS = 2_000;

/**
 * The checkout that a folder belongs to.
 * @throws {TargetError} `notRepository`, `bareRepository`, `gitMissing`, `git`
 */
export async function openCheckout(path: string, signal: AbortSignal): Promise<Checkout> {
  const owner = await ownerOf(path);
  const at =
    (cwd: string) =>
    (args: readonly string[], until: AbortSignal, options: GitOptions = {}) =>
      runGit({ owner, cwd, ...options }, args, until);
  const found = await at(path)(
    ['rev-parse', '--is-bare-repository', '--show-prefix', '--absolute-git-dir', '--show-toplevel'],
    signal,
  ).catch((error: unknown) => {
    if (error instanceof TargetError && error.code === 'git') {
      throw new TargetError('notRepository', `${path} is not the working tree of a git repository`, error);
    }
    throw error;
  });
  const [bare, prefix = '', gitFolder = '', top = ''] = found.split('\n');
  if (bare === 'true') throw new TargetError('bareRepository', `${path} is a bare repository: it has no files to move`);
  return { top, prefix, gitFolder, owner, git: at(top) };
}

/** Root acts as the owner of the checkout: files keep their owner, and what the repository configures gets no more rights. */
async function ownerOf(path: string): Promise<Owner> {
  try {
    const { uid, gid } = await stat(path);
    return { uid, gid, home: await homeOf(uid) };
  } catch (error) {
    throw new TargetError('notRepository', `${path} cannot be looked at: ${messageOf(error)}`, error);
  }
}

/** passwd(5): the third field is the uid, the sixth the home. */
async function homeOf(uid: number): Promise<string> {
  if (uid === process.getuid?.()) return homedir();
  const lines = await readFile('/etc/passwd', 'utf8').catch(() => '');
  const found = lines.split('\n').find((line) => line.split(':')[2] === String(uid));
  return found?.split(':')[5] ?? '/';
}

type Call = GitOptions & { readonly owner: Owner; readonly cwd: string };

async function runGit(call: Call, args: readonly string[], signal: AbortSignal): Promise<string> {
  if (signal.aborted) throw new TargetError('aborted', `git ${args[0] ?? ''} was not begun`);
  const asOwner = process.getuid?.() === 0 ? { uid: call.owner.uid, gid: call.owner.gid } : {};
  const child = spawn('git', [...HARDENING, ...args], {
    cwd: call.cwd,
    env: environmentOf(call.owner),
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
    ...asOwner,
  });
  child.stdin.on('error', () => undefined);
  child.stdin.end(call.stdin ?? '');
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const [output, errors]: [Buffer[], Buffer[]] = [[], []];
  let size = 0;
  child.stdout.on('data', (piece: Buffer) => {
    size += piece.length;
    if (size <= OUTPUT_LIMIT) output.push(piece);
  });
  child.stderr.on('data', (piece: Buffer) => errors.push(piece));
  let killer: NodeJS.Timeout | undefined;
  const stop = () => {
    endGroup(child.pid, 'SIGTERM');
    killer = setTimeout(() => endGroup(child.pid, 'SIGKILL'), KILL_AFTER_MS);
  };
  signal.addEventListener('abort', stop, { once: true });
  child.once('error', (error) => reject(notStarted(error)));
  child.once('close', (code) => {
    const text = Buffer.concat(output).toString('utf8').trimEnd();
    if (code === 0 && size <= OUTPUT_LIMIT) resolve(text);
    else if (signal.aborted) reject(new TargetError(stoppedBy(signal), `git ${args[0] ?? ''} was stopped`));
    else reject(new TargetError('git', `git ${args[0] ?? ''}: ${saidBy(errors) || `ended with ${code}`}`));
  });
  try {
    return await promise;
  } finally {
    clearTimeout(killer);
    signal.removeEventListener('abort', stop);
  }
}

function environmentOf(owner: Owner): NodeJS.ProcessEnv {
  const passed = ['PATH', 'SSH_AUTH_SOCK', 'https_proxy', 'HTTPS_PROXY', 'no_proxy', 'NO_PROXY'];
  const environment: NodeJS.ProcessEnv = {};
  for (const name of passed) if (process.env[name] !== undefined) environment[name] = process.env[name];
  return {
    ...environment,
    HOME: owner.home,
    LC_ALL: 'C',
    GIT_TERMINAL_PROMPT: '0',
    GIT_ASKPASS: 'true',
    SSH_ASKPASS: 'true',
    GIT_SSH_COMMAND: 'ssh -o BatchMode=yes -o ConnectTimeout=10 -o ServerAliveInterval=10 -o ControlMaster=no',
  };
}

function stoppedBy(signal: AbortSignal): 'timedOut' | 'aborted' {
  const { reason } = signal;
  return reason instanceof DOMException && reason.name === 'TimeoutError' ? 'timedOut' : 'aborted';
}

function saidBy(errors: readonly Buffer[]): string {
  return Buffer.concat(errors).toString('utf8').trim().slice(-STDERR_KEPT);
}

function endGroup(pid: number | undefined, name: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, name);
  } catch {
    // The group has ended by itself.
  }
}

function notStarted(error: Error): TargetError {
  const isMissing = 'code' in error && error.code === 'ENOENT';
  return isMissing
    ? new TargetError('gitMissing', 'git cannot be started: it is not installed, or not on the PATH of revertd', error)
    : new TargetError('git', `git cannot be started: ${error.message}`, error);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Where revertd keeps what it needs beside the checkout. */
export function ownFolder({ gitFolder }: Checkout): string {
  return join(gitFolder, 'revertd');
}

import { type ChildProcess, spawn } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { HttpAuth } from '../../../core/model/metric-source.ts';
import type { SecretRef } from '../../../core/model/secret-ref.ts';
import type { Millis } from '../../../core/units.ts';
import type { SecretResolver } from '../../secrets.ts';

/** A workshop of its own: a bare repository without a work tree, so that nothing that is checked out is touched. */
export type Git = AsyncDisposable & {
  /** Its output. Rejects with GitFault. */
  readonly run: (args: readonly string[], input?: string | Uint8Array) => Promise<string>;
  readonly bytes: (args: readonly string[]) => Promise<Uint8Array>;
};

export class GitFault extends Error {
  override readonly name = 'GitFault';
  /** `stopped`: the signal aborted. `exit`: git said no. */
  readonly code: 'missing' | 'stopped' | 'exit' | 'tooMuch';

  constructor(code: GitFault['code'], message: string) {
    super(message);
    this.code = code;
  }
}

export type Login = {
  readonly auth?: HttpAuth;
  readonly sshKey?: SecretRef;
  readonly signingKey?: SecretRef;
  readonly knownHostsFile?: string;
};

const MOST_OUTPUT_BYTES = 32 * 1024 * 1024;
const GRACE_MS: Millis = 2000;
const INHERITED = [
  'PATH',
  'HOME',
  'TMPDIR',
  'SSH_AUTH_SOCK',
  'https_proxy',
  'HTTPS_PROXY',
  'no_proxy',
  'NO_PROXY',
  'SSL_CERT_FILE',
];
const HELPER = `!f() { test "$1" = get && printf 'username=%s\\\\npassword=%s\\\\n' "$REVERTD_GIT_USERNAME" "$REVERTD_GIT_PASSWORD"; }; f`;

/** Makes the workshop. Secrets are in files that only revertd reads, or in the environment, and go with it. */
export async function openGit(url: string, login: Login, secrets: SecretResolver, signal: AbortSignal): Promise<Git> {
  const folder = await mkdtemp(join(tmpdir(), 'revertd-git-'));
  const remove = () => rm(folder, { recursive: true, force: true });
  try {
    await chmod(folder, 0o700);
    const environment = await environmentFor(folder, url, login, secrets);
    const start = (args: readonly string[], input?: string | Uint8Array) =>
      runGit({ args, environment, folder, signal, ...(input === undefined ? {} : { input }) });
    const git: Git = {
      run: async (args, input) => secretless(await start(args, input), args),
      bytes: async (args) => await start(args),
      [Symbol.asyncDispose]: remove,
    };
    await git.run(['init', '--quiet', '--bare', join(folder, 'repository')]);
    return git;
  } catch (error) {
    await remove();
    throw error;
  }
}

function secretless(bytes: Buffer, args: readonly string[]): string {
  const text = bytes.toString('utf8');
  return args[0] === 'cat-file' ? text : text.trimEnd();
}

async function environmentFor(
  folder: string,
  url: string,
  { auth, sshKey, signingKey, knownHostsFile }: Login,
  secrets: SecretResolver,
): Promise<Readonly<Record<string, string>>> {
  const settings = join(folder, 'settings');
  const keep = async (name: string, ref: SecretRef | undefined) => {
    if (ref === undefined) return undefined;
    const path = join(folder, name);
    // OpenSSH wants the newline that a secret's end is read without.
    await writeFile(path, `${await secrets.resolve(ref)}\n`, { mode: 0o600 });
    return path;
  };
  const signing = await keep('signing-key', signingKey);
  const identity = await keep('ssh-key', sshKey);
  await writeFile(settings, settingsFor(url, signing), { mode: 0o600 });
  const inherited = INHERITED.flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return {
    ...Object.fromEntries(inherited),
    LC_ALL: 'C',
    LANGUAGE: 'C',
    GIT_DIR: join(folder, 'repository'),
    GIT_INDEX_FILE: join(folder, 'index'),
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: settings,
    GIT_ATTR_NOSYSTEM: '1',
    GIT_NO_REPLACE_OBJECTS: '1',
    GIT_LITERAL_PATHSPECS: '1',
    GIT_TERMINAL_PROMPT: '0',
    GIT_ASKPASS: 'true',
    SSH_ASKPASS: 'true',
    SSH_ASKPASS_REQUIRE: 'never',
    GIT_SSH_COMMAND: sshCommand(identity, knownHostsFile),
    GIT_SSH_VARIANT: 'ssh',
    ...(await credentials(auth, secrets)),
  };
}

async function credentials(
  auth: HttpAuth | undefined,
  secrets: SecretResolver,
): Promise<Readonly<Record<string, string>>> {
  if (auth === undefined) return {};
  const [name, secret] = auth.kind === 'basic' ? [auth.username, auth.password] : ['x-access-token', auth.token];
  return { REVERTD_GIT_USERNAME: name, REVERTD_GIT_PASSWORD: await secrets.resolve(secret) };
}

/**
 * The only configuration that git reads. Hooks of a repository on this host do not run: they would run as revertd.
 * Credentials are for the one server alone, so that a redirect elsewhere does not get them.
 */
function settingsFor(url: string, signingKey: string | undefined): string {
  const origin = /^https?:\/\//.test(url) ? new URL(url).origin : undefined;
  return [
    '[protocol]\n\tallow = never\n\tversion = 2',
    ...['file', 'https', 'http', 'ssh'].map((name) => `[protocol "${name}"]\n\tallow = always`),
    '[safe]\n\tdirectory = *',
    '[core]\n\thooksPath = /dev/null\n\tfsmonitor = false\n\tautocrlf = false\n\tattributesFile = /dev/null',
    '[gc]\n\tauto = 0\n[maintenance]\n\tauto = false',
    '[http]\n\tfollowRedirects = false\n\tlowSpeedLimit = 1\n\tlowSpeedTime = 30',
    '[credential]\n\thelper =',
    ...(origin === undefined ? [] : [`[credential "${origin}"]\n\thelper = "${HELPER.replaceAll('"', '\\"')}"`]),
    ...(signingKey === undefined ? [] : [`[gpg]\n\tformat = ssh\n[user]\n\tsigningKey = ${signingKey}`]),
    '',
  ].join('\n');
}

function sshCommand(identity: string | undefined, knownHosts: string | undefined): string {
  const options = [
    'BatchMode=yes',
    'ConnectTimeout=10',
    'ServerAliveInterval=10',
    'ControlMaster=no',
    'ControlPath=none',
    ...(identity === undefined ? [] : ['IdentitiesOnly=yes', `IdentityFile="${identity}"`]),
    ...(knownHosts === undefined ? [] : [`UserKnownHostsFile="${knownHosts}"`]),
  ];
  return ['ssh', ...options.flatMap((option) => ['-o', `'${option.replaceAll("'", `'\\''`)}'`])].join(' ');
}

type Call = {
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly folder: string;
  readonly input?: string | Uint8Array;
  readonly signal: AbortSignal;
};

async function runGit({ args, environment, folder, input, signal }: Call): Promise<Buffer> {
  if (signal.aborted) throw new GitFault('stopped', 'git was stopped');
  const child = spawn('git', [...args], {
    cwd: folder,
    env: environment,
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const stop = () => endGroup(child);
  signal.addEventListener('abort', stop, { once: true });
  try {
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
    const [output, said, code] = await Promise.all([collect(child, 'stdout'), collect(child, 'stderr'), exitOf(child)]);
    if (signal.aborted) throw new GitFault('stopped', 'git was stopped');
    if (code === 0) return output;
    throw new GitFault(
      'exit',
      `git ${args[0] ?? ''}: ${said.toString('utf8').trim().slice(-1000) || `ended with ${code}`}`,
    );
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

function exitOf(child: ChildProcess): Promise<number | string> {
  return new Promise((resolve, reject) => {
    child.once('close', (code, by) => resolve(code ?? by ?? 'a signal'));
    child.once('error', (error) => reject(new GitFault('missing', `git cannot be started: ${error.message}`)));
  });
}

async function collect(child: ChildProcess, name: 'stdout' | 'stderr'): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of child[name] ?? []) {
    const bytes = Buffer.from(piece as Uint8Array);
    length += bytes.length;
    if (length > MOST_OUTPUT_BYTES) {
      endGroup(child);
      throw new GitFault('tooMuch', `git gave more than ${MOST_OUTPUT_BYTES} bytes`);
    }
    pieces.push(bytes);
  }
  return Buffer.concat(pieces);
}

/** Git starts helpers of its own, such as ssh; they are in its group. */
function endGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  signalGroup(pid, 'SIGTERM');
  setTimeout(() => signalGroup(pid, 'SIGKILL'), GRACE_MS).unref();
}

function signalGroup(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(-pid, name);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && (error.code === 'ESRCH' || error.code === 'EPERM'))) throw error;
  }
}

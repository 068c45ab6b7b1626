import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Millis } from '../../core/units.ts';
import type { SourceNotice } from '../policy-source.ts';
import { SourceError } from '../source-error.ts';
import { systemCode } from '../system-code.ts';
import { type GitCall, GitExit, runGit, runGitCatFile } from './git-command.ts';
import { gitEnvironment, gitSettings, type SshOptions } from './git-environment.ts';
import { classifyFailure, describeFailure, type GitFailure } from './git-failures.ts';
import type { Credentials, GitLocation } from './git-location.ts';
import { clearLeftovers } from './leftovers.ts';

export type Deadlines = {
  /** For asking the server what it has. */
  readonly askMs: Millis;
  /** For fetching, which at the first time fetches the whole history of the ref. */
  readonly fetchMs: Millis;
  /** For what needs no network. */
  readonly localMs: Millis;
};

export const DEADLINES: Deadlines = { askMs: 30_000, fetchMs: 600_000, localMs: 60_000 };

export type MirrorOptions = {
  readonly location: GitLocation;
  /** Absolute; holds the mirrors of all repositories that were ever configured. */
  readonly dataDir: string;
  readonly inherited: NodeJS.ProcessEnv;
  readonly ssh: SshOptions;
  /** Asked before each use of the network, so that changed credentials need no restart. */
  readonly credentials: (() => Promise<Credentials>) | undefined;
  readonly deadlines: Deadlines;
  readonly now: () => Millis;
  readonly tell: (notice: SourceNotice) => void;
};

/** The mirror cannot be read although nothing outside it is at fault: it is thrown away and made again. */
export class MirrorBroken extends Error {
  override readonly name = 'MirrorBroken';
}

/** The server or the way to it is at fault. */
export class RemoteFailure extends Error {
  override readonly name = 'RemoteFailure';
  readonly failure: GitFailure;

  constructor(failure: GitFailure, message: string, options: ErrorOptions) {
    super(message, options);
    this.failure = failure;
  }
}

/**
 * A bare repository of our own in the data folder, into which the policies' repository is fetched. It has no work tree, so
 * that no hook, filter or link of that repository ever comes to life. One caller at a time may use it.
 */
export class Mirror {
  readonly #options: MirrorOptions;
  readonly #home: string;
  #folder: string;

  constructor(options: MirrorOptions) {
    this.#options = options;
    const name = createHash('sha256').update(options.location.address).digest('hex').slice(0, 16);
    this.#home = join(options.dataDir, 'source', name);
    this.#folder = join(this.#home, 'mirror.git');
  }

  /**
   * Makes the mirror ready: creates it if it is missing, and clears away what killed processes left.
   * @throws {MirrorBroken} if there is one that is no repository
   * @throws {SourceError} `busy` while another live process works in it, `storage`
   */
  async prepare(signal: AbortSignal): Promise<void> {
    try {
      await mkdir(this.#folder, { recursive: true, mode: 0o700 });
      this.#folder = await realpath(this.#folder);
      await this.#writeSettings();
      const { deadlines, now, tell } = this.#options;
      await clearLeftovers({ repository: this.#folder, longestMs: deadlines.fetchMs, now, tell });
    } catch (error) {
      if (systemCode(error) === undefined) throw error;
      throw new SourceError('storage', `the mirror ${this.#folder} cannot be prepared: ${String(error)}`, {
        cause: error,
      });
    }
    if ((await readdir(this.#folder)).length === 0) await this.#create('sha1', signal);
    else await this.local(['rev-parse', '--is-bare-repository'], signal);
  }

  /** Throws the mirror away, and tells why; `prepare` makes a new one. */
  async discard(reason: string): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
    this.#options.tell({ code: 'mirrorRebuilt', message: `the mirror ${this.#folder} is made again: ${reason}` });
  }

  /** A mirror can hold SHAs of one length only; this one begins anew if its repository has the other. */
  async ensureFormat(sha: string, signal: AbortSignal): Promise<void> {
    const wanted = sha.length === 64 ? 'sha256' : 'sha1';
    const format = (await this.local(['rev-parse', '--show-object-format'], signal)).trim();
    if (format === wanted) return;
    await rm(this.#folder, { recursive: true, force: true });
    await mkdir(this.#folder, { mode: 0o700 });
    await this.#create(wanted, signal);
  }

  /** The object that a name stands for; undefined if the mirror has none, or several that an abbreviation could mean. */
  async resolve(name: string, signal: AbortSignal): Promise<string | undefined> {
    const answer = (await this.catFiles('--batch-check', [name], signal)).toString();
    return /^([0-9a-f]+) [a-z]+ \d+\n/.exec(answer)?.[1];
  }

  /** Whether one commit is the other, or comes before it. Both must be in the mirror. */
  async isAncestor(ancestor: string, descendant: string, signal: AbortSignal): Promise<boolean> {
    const beyond = await this.local(['rev-list', '--count', ancestor, `^${descendant}`], signal);
    return Number(beyond) === 0;
  }

  /**
   * Runs a command that needs nothing but the mirror.
   * @throws {MirrorBroken} if it fails
   */
  async local(args: readonly string[], signal: AbortSignal): Promise<string> {
    try {
      return await runGit(this.#call(args, signal));
    } catch (error) {
      throw this.#localFault(error);
    }
  }

  /** `git cat-file` on many objects, one name a line. */
  async catFiles(mode: '--batch' | '--batch-check', names: readonly string[], signal: AbortSignal): Promise<Buffer> {
    if (names.length === 0) return Buffer.alloc(0);
    try {
      return await runGitCatFile({ ...this.#call([mode], signal), input: `${names.join('\n')}\n` });
    } catch (error) {
      throw this.#localFault(error);
    }
  }

  /**
   * What the server has of these full names: name and SHA, peeled for tags. Names that it does not have are missing.
   * @throws {RemoteFailure}
   */
  async ask(names: readonly string[], signal: AbortSignal): Promise<ReadonlyMap<string, string>> {
    const args = ['ls-remote', '--exit-code', '--', this.#options.location.address, ...names];
    const output = await this.#remote(args, this.#options.deadlines.askMs, signal, [2]);
    const lines = output.split('\n').map((line) => line.split('\t'));
    return new Map(lines.flatMap(([sha, name]) => (sha !== undefined && name !== undefined ? [[name, sha]] : [])));
  }

  /**
   * Fetches into the mirror, with the whole history.
   * @throws {RemoteFailure}
   * @throws {MirrorBroken} if it is the mirror that is damaged
   */
  async fetch(refspecs: readonly string[], signal: AbortSignal): Promise<void> {
    const options = ['--no-tags', '--no-recurse-submodules', '--no-write-fetch-head', '--update-shallow'];
    const args = ['fetch', ...options, '--', this.#options.location.address, ...refspecs];
    try {
      await this.#remote(args, this.#options.deadlines.fetchMs, signal, []);
    } catch (error) {
      const failure = error instanceof RemoteFailure ? error.failure : undefined;
      if (failure === 'corrupt' || failure === 'unknown') await this.#examine(signal);
      throw error;
    }
  }

  /** Which of the two repositories is damaged is not said by git when it fetches. */
  async #examine(signal: AbortSignal): Promise<void> {
    await this.local(['fsck', '--connectivity-only', '--no-dangling', '--no-progress'], signal);
  }

  async #remote(
    args: readonly string[],
    deadlineMs: Millis,
    signal: AbortSignal,
    fine: readonly number[],
  ): Promise<string> {
    const { location, credentials } = this.#options;
    const known = (await credentials?.()) ?? location.credentials;
    try {
      return await runGit({ ...this.#call(args, signal, known), deadlineMs });
    } catch (error) {
      if (!(error instanceof GitExit)) throw error;
      if (error.exitCode !== undefined && fine.includes(error.exitCode)) return '';
      throw remoteFailure(error, location);
    }
  }

  #localFault(error: unknown): unknown {
    if (!(error instanceof GitExit)) return error;
    if (error.exitCode === undefined) {
      return new SourceError('unknown', `git ${error.command} was killed from outside`, { cause: error });
    }
    if (classifyFailure(error.stderr) !== 'storage') return new MirrorBroken(error.message, { cause: error });
    return new SourceError('storage', describeFailure('storage', this.#folder, error.stderr), { cause: error });
  }

  #call(args: readonly string[], signal: AbortSignal, credentials?: Credentials): GitCall {
    const { inherited, ssh, deadlines } = this.#options;
    const subject = this.#options.location.address;
    const environment = gitEnvironment({
      inherited,
      ssh,
      credentials,
      repository: this.#folder,
      settingsFile: this.#settingsFile,
    });
    return { folder: this.#folder, subject, environment, args, signal, deadlineMs: deadlines.localMs };
  }

  get #settingsFile(): string {
    return join(this.#home, 'git.config');
  }

  async #writeSettings(): Promise<void> {
    const settings = gitSettings(this.#options.location);
    const present = await readFile(this.#settingsFile, 'utf8').catch(() => undefined);
    if (present !== settings) await writeFile(this.#settingsFile, settings, { mode: 0o600 });
  }

  /** Without a template there are no sample hooks either. */
  async #create(format: 'sha1' | 'sha256', signal: AbortSignal): Promise<void> {
    await this.local(['init', '--bare', '--template=', `--object-format=${format}`], signal);
  }
}

function remoteFailure(error: GitExit, { address }: GitLocation): Error {
  if (error.exitCode === undefined) {
    return new SourceError('unknown', `${address}: git ${error.command} was killed from outside`, { cause: error });
  }
  const failure = classifyFailure(error.stderr);
  return new RemoteFailure(failure, describeFailure(failure, address, error.stderr), { cause: error });
}

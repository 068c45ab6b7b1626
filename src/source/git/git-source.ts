import type { PolicySnapshot, Revision } from '../../core/model/revision.ts';
import { EMPTY_FOLDER } from '../folder/folder-source.ts';
import { type PolicySource, type ReadRequest, type SourceReading, UNREACHABLE_CODES } from '../policy-source.ts';
import { readingOf, SourceError } from '../source-error.ts';
import { systemCode } from '../system-code.ts';
import { MirrorBroken, RemoteFailure } from './git-faults.ts';
import { findCommit } from './git-names.ts';
import { describeRef, isWholeSha } from './git-ref.ts';
import { describeFollowed, type Followed, fetchTip, hasCommit } from './git-tip.ts';
import { Mirror, type MirrorOptions } from './mirror.ts';
import { hasPolicies, readTree } from './tree-files.ts';

/** Keeps the revision in force from being cleaned up after history was rewritten. */
const IN_FORCE = 'refs/revertd/in-force';

export type GitSourceOptions = MirrorOptions & {
  /** Undefined follows the repository's HEAD. */
  readonly ref: Followed['ref'];
  /** Relative to the repository's root, without slashes at its ends; empty for the root. */
  readonly folder: string;
};

/** The last work on each mirror of this process: git's own locks would make two at once fail. */
const turns = new Map<string, Promise<unknown>>();

/** A git repository, read through a mirror of it in the data folder. */
export class GitSource implements PolicySource {
  readonly #mirror: Mirror;
  readonly #followed: Followed;
  readonly #folder: string;

  constructor({ ref, folder, ...options }: GitSourceOptions) {
    this.#mirror = new Mirror(options);
    this.#followed = { mirror: this.#mirror, ref, address: options.location.address };
    this.#folder = folder;
  }

  async read(request: ReadRequest, signal: AbortSignal): Promise<SourceReading> {
    try {
      return await this.#alone(signal, () => this.#read(request, signal));
    } catch (error) {
      return readingOf(error);
    }
  }

  async readRevision(revision: string, signal: AbortSignal): Promise<PolicySnapshot> {
    return this.#alone(signal, async () => {
      const commit = await findCommit(this.#followed, revision, signal);
      const files = await readTree(this.#mirror, commit, this.#folder, signal);
      if (files === undefined) throw this.#folderGone(commit);
      return this.#snapshot(commit, files, signal);
    });
  }

  describe(): string {
    const { address, ref } = this.#followed;
    const where = address.startsWith('/') && ref === undefined ? 'its committed HEAD' : describeRef(ref);
    return `git ${address} at ${where}${this.#folder === '' ? '' : `, folder ${this.#folder}`}`;
  }

  #alone<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const before = turns.get(this.#mirror.home) ?? Promise.resolve();
    const turn = before.then(() => this.#withMirror(signal, work));
    turns.set(
      this.#mirror.home,
      turn.catch(() => undefined),
    );
    return turn;
  }

  /** A broken mirror is made again once. */
  async #withMirror<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const attempt = async () => {
      signal.throwIfAborted();
      await this.#mirror.prepare(signal);
      return work();
    };
    try {
      return await attempt().catch(async (error: unknown) => {
        if (!(error instanceof MirrorBroken)) throw error;
        await this.#mirror.discard(error.message);
        return attempt();
      });
    } catch (error) {
      throw asSourceError(error);
    }
  }

  async #read(request: ReadRequest, signal: AbortSignal): Promise<SourceReading> {
    const { accepted } = request;
    await this.#pin(accepted, signal);
    const tip = await fetchTip(this.#followed, signal);
    if (tip === accepted) return { state: 'unchanged', revision: tip };
    try {
      await this.#refuseRewritten(tip, request, signal);
      const files = await readTree(this.#mirror, tip, this.#folder, signal);
      if (files === undefined || files.length === 0) await this.#refuseEmpty(tip, files === undefined, request, signal);
      return { state: 'changed', snapshot: await this.#snapshot(tip, files ?? [], signal) };
    } catch (error) {
      return readingOf(error, tip);
    }
  }

  async #pin(accepted: Revision | undefined, signal: AbortSignal): Promise<void> {
    if (accepted === undefined || !isWholeSha(accepted)) return;
    if ((await this.#mirror.resolve(IN_FORCE, signal)) === accepted) return;
    if (await hasCommit(this.#mirror, accepted, signal)) {
      await this.#mirror.local(['update-ref', IN_FORCE, accepted], signal);
    }
  }

  /**
   * A commit that the host's configuration names by its SHA was chosen by a person, also if it is an older one. Everything
   * else must come after the revision in force: a branch that was reset to an older commit is as suspicious as another one.
   */
  async #refuseRewritten(tip: Revision, { accepted, consented }: ReadRequest, signal: AbortSignal): Promise<void> {
    const { ref } = this.#followed;
    const chosen = consented.has(tip) || (ref !== undefined && 'commit' in ref);
    if (accepted === undefined || !isWholeSha(accepted) || chosen) return;
    if ((await hasCommit(this.#mirror, accepted, signal)) && (await this.#mirror.isAncestor(accepted, tip, signal)))
      return;
    throw new SourceError(
      'historyRewritten',
      `the history of ${describeFollowed(this.#followed)} was rewritten: ${accepted}, which is in force, is not part of it any more. ` +
        `If ${tip} is meant to be the newest: revertd source accept ${tip}`,
    );
  }

  /** Git knows no empty folders: the last file takes its folder with it. */
  async #refuseEmpty(tip: Revision, isGone: boolean, request: ReadRequest, signal: AbortSignal): Promise<void> {
    const { accepted, consented } = request;
    if (accepted === undefined && isGone) throw this.#folderGone(tip);
    if (accepted === undefined || consented.has(tip) || !(await this.#hadPolicies(accepted, signal))) return;
    throw new SourceError(
      'emptied',
      `${describeFollowed(this.#followed)} has no policy files any more at ${tip}. If that is meant: revertd source accept ${tip}`,
    );
  }

  /** One that cannot be looked at any more counts as one that had some. */
  async #hadPolicies(accepted: Revision, signal: AbortSignal): Promise<boolean> {
    if (!isWholeSha(accepted)) return accepted !== EMPTY_FOLDER;
    if (!(await hasCommit(this.#mirror, accepted, signal))) return true;
    return hasPolicies(this.#mirror, accepted, this.#folder, signal);
  }

  async #snapshot(revision: Revision, files: PolicySnapshot['files'], signal: AbortSignal): Promise<PolicySnapshot> {
    const format = '--format=%an <%ae>%x00%s%x00%ct';
    const output = await this.#mirror.local(
      ['log', '-1', '--no-show-signature', '--encoding=UTF-8', format, revision],
      signal,
    );
    const [author = '', subject = '', seconds = ''] = output.trimEnd().split('\0');
    return { revision, files, author, subject, committedAt: Number(seconds) * 1000 };
  }

  #folderGone(commit: Revision): SourceError {
    return new SourceError(
      'folderGone',
      `there is no folder ${this.#folder} in ${this.#followed.address} at ${commit}. Commit it, or correct the source`,
    );
  }
}

function asSourceError(error: unknown): unknown {
  if (error instanceof MirrorBroken) {
    return new SourceError('corrupt', `the mirror is damaged again as soon as it is made: ${error.message}`, {
      cause: error,
    });
  }
  if (systemCode(error) !== undefined) {
    return new SourceError('storage', `the mirror cannot be written: ${String(error)}`, { cause: error });
  }
  if (!(error instanceof RemoteFailure)) return error;
  const code = UNREACHABLE_CODES.find((known) => known === error.failure) ?? 'branchGone';
  return new SourceError(code, error.message, { cause: error });
}

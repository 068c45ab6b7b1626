import { createHash } from 'node:crypto';
import type { PolicySnapshot, Revision } from '../../core/model/revision.ts';
import { EMPTY_FOLDER } from '../folder/folder-source.ts';
import { type PolicySource, type ReadRequest, type SourceReading, UNREACHABLE_CODES } from '../policy-source.ts';
import { readingOf, SourceError } from '../source-error.ts';
import { describeRef, type GitRef, isRefName, isWholeSha } from './git-ref.ts';
import { Mirror, MirrorBroken, type MirrorOptions, RemoteFailure } from './mirror.ts';
import { hasPolicies, readTree } from './tree-files.ts';

/** What the configured ref was at the last fetch. */
const TIP = 'refs/revertd/tip';
/** Keeps the revision in force from being cleaned up after history was rewritten. */
const IN_FORCE = 'refs/revertd/in-force';
/** Where everything is fetched to when a server does not give out commits by their SHA. */
const ALL = 'refs/revertd/all';

export type GitSourceOptions = MirrorOptions & {
  /** Undefined follows the repository's HEAD. */
  readonly ref: GitRef | undefined;
  /** Relative to the repository's root, without slashes at its ends; empty for the root. */
  readonly folder: string;
};

type ReadRevision = NonNullable<PolicySource['readRevision']>;

/** A git repository, read through a mirror of it in the data folder. Readings wait for each other. */
export class GitSource implements PolicySource {
  readonly #options: GitSourceOptions;
  readonly #mirror: Mirror;
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: GitSourceOptions) {
    this.#options = options;
    this.#mirror = new Mirror(options);
  }

  async read(request: ReadRequest, signal: AbortSignal): Promise<SourceReading> {
    try {
      return await this.#alone(signal, () => this.#read(request, signal));
    } catch (error) {
      return readingOf(error);
    }
  }

  readonly readRevision: ReadRevision = (revision, signal) =>
    this.#alone(signal, async () => {
      const commit = await this.#find(revision, signal);
      const files = await readTree(this.#mirror, commit, this.#options.folder, signal);
      if (files === undefined) throw this.#folderGone(commit);
      return this.#snapshot(commit, files, signal);
    });

  describe(): string {
    const { location, ref, folder } = this.#options;
    const where = location.transport === 'local' && ref === undefined ? 'its committed HEAD' : describeRef(ref);
    return `git ${location.address} at ${where}${folder === '' ? '' : `, folder ${folder}`}`;
  }

  /** Git's own locks would make two readings at once fail; and a broken mirror is made again once. */
  #alone<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(() => this.#withMirror(signal, work));
    this.#last = turn.catch(() => undefined);
    return turn;
  }

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
    const tip = await this.#fetchTip(signal);
    if (tip === accepted) return { state: 'unchanged', revision: tip };
    try {
      await this.#refuseRewritten(tip, request, signal);
      const files = await readTree(this.#mirror, tip, this.#options.folder, signal);
      if (files === undefined || files.length === 0) await this.#refuseEmpty(tip, files === undefined, request, signal);
      return { state: 'changed', snapshot: await this.#snapshot(tip, files ?? [], signal) };
    } catch (error) {
      return readingOf(error, tip);
    }
  }

  async #pin(accepted: Revision | undefined, signal: AbortSignal): Promise<void> {
    if (accepted === undefined || !isWholeSha(accepted)) return;
    if ((await this.#mirror.resolve(IN_FORCE, signal)) === accepted) return;
    if (await this.#has(accepted, signal)) await this.#mirror.local(['update-ref', IN_FORCE, accepted], signal);
  }

  async #has(commit: Revision, signal: AbortSignal): Promise<boolean> {
    return (await this.#mirror.resolve(`${commit}^{commit}`, signal)) !== undefined;
  }

  /** The newest commit of what is followed, which is in the mirror then. */
  async #fetchTip(signal: AbortSignal): Promise<Revision> {
    const { ref } = this.#options;
    if (ref !== undefined && 'commit' in ref) {
      if (await this.#fetchCommit(ref.commit, signal)) return ref.commit;
      throw this.#branchGone();
    }
    const name = fullName(ref);
    const known = await this.#mirror.ask([name, `${name}^{}`], signal);
    const sha = known.get(`${name}^{}`) ?? known.get(name);
    if (sha === undefined) throw this.#branchGone();
    if ((await this.#mirror.resolve(`${TIP}^{commit}`, signal)) === sha) return sha;
    await this.#mirror.ensureFormat(sha, signal);
    await this.#mirror.fetch([`+${name}:${TIP}`], signal);
    return this.#commitAtTip(signal);
  }

  async #commitAtTip(signal: AbortSignal): Promise<Revision> {
    const commit = await this.#mirror.resolve(`${TIP}^{commit}`, signal);
    if (commit !== undefined) return commit;
    const type = (await this.#mirror.local(['cat-file', '-t', `${TIP}^{}`], signal)).trim();
    if (type === 'commit') throw new MirrorBroken(`${TIP} cannot be resolved`);
    throw new SourceError('branchGone', `${this.#subject} is a ${type}, not a commit. Move it to a commit`);
  }

  /** Nobody can rewrite what is named by its SHA, so that a commit once fetched needs no network any more. */
  async #fetchCommit(commit: Revision, signal: AbortSignal): Promise<boolean> {
    if (await this.#has(commit, signal)) return true;
    await this.#mirror.ensureFormat(commit, signal);
    try {
      await this.#mirror.fetch([`+${commit}:${TIP}`], signal);
    } catch (error) {
      if (!(error instanceof RemoteFailure) || error.failure !== 'gone') throw error;
      await this.#mirror.fetch([`+refs/heads/*:${ALL}/heads/*`, `+refs/tags/*:${ALL}/tags/*`], signal);
    }
    return this.#has(commit, signal);
  }

  /**
   * A commit that the host's configuration names by its SHA was chosen by a person, also if it is an older one. Everything
   * else must come after the revision in force: a branch that was reset to an older commit is as suspicious as another one.
   */
  async #refuseRewritten(tip: Revision, { accepted, consented }: ReadRequest, signal: AbortSignal): Promise<void> {
    const { ref } = this.#options;
    const chosen = consented.has(tip) || (ref !== undefined && 'commit' in ref);
    if (accepted === undefined || !isWholeSha(accepted) || chosen) return;
    if ((await this.#has(accepted, signal)) && (await this.#mirror.isAncestor(accepted, tip, signal))) return;
    throw new SourceError(
      'historyRewritten',
      `the history of ${this.#subject} was rewritten: ${accepted}, which is in force, is not part of it any more. ` +
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
      `${this.#subject} has no policy files any more at ${tip}. If that is meant: revertd source accept ${tip}`,
    );
  }

  /** One that cannot be looked at any more counts as one that had some. */
  async #hadPolicies(accepted: Revision, signal: AbortSignal): Promise<boolean> {
    if (!isWholeSha(accepted)) return accepted !== EMPTY_FOLDER;
    if (!(await this.#has(accepted, signal))) return true;
    return hasPolicies(this.#mirror, accepted, this.#options.folder, signal);
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

  /** The commit that a person names, with what may follow a name: `~2`, `^`, `^2`. */
  async #find(revision: string, signal: AbortSignal): Promise<Revision> {
    const { base, suffix } = /^(?<base>[^~^]+)(?<suffix>(?:[~^]\d*)*)$/.exec(revision)?.groups ?? {};
    const start = base === undefined ? undefined : await this.#findBase(base, signal);
    const commit =
      start === undefined ? undefined : await this.#mirror.resolve(`${start}${suffix ?? ''}^{commit}`, signal);
    if (commit !== undefined) return commit;
    throw new SourceError(
      'unknownRevision',
      `there is no ${revision} in ${this.#options.location.address}. Name a branch, a tag or a SHA, perhaps with ~N for the Nth before it`,
    );
  }

  async #findBase(base: string, signal: AbortSignal): Promise<string | undefined> {
    if (isWholeSha(base)) return (await this.#fetchCommit(base, signal)) ? base : undefined;
    const isHead = base === 'HEAD' || base === '@';
    if (!isHead && !isRefName(base)) return undefined;
    const at = isHead ? TIP : `refs/revertd/named/${createHash('sha256').update(base).digest('hex')}`;
    const asked = isHead ? this.#fetchTip(signal) : this.#fetchNamed(base, at, signal);
    const offline = await asked.then(() => undefined, offlineFault);
    const found = await this.#firstOf(/^[0-9a-f]{4,}$/.test(base) ? [at, base] : [at], signal);
    if (found === undefined && offline !== undefined) throw offline;
    return found;
  }

  async #firstOf(names: readonly string[], signal: AbortSignal): Promise<string | undefined> {
    for (const name of names) if ((await this.#mirror.resolve(name, signal)) !== undefined) return name;
    return undefined;
  }

  /** Fetches a branch or tag to a ref of the mirror, and removes that ref if the server has neither. */
  async #fetchNamed(name: string, to: string, signal: AbortSignal): Promise<void> {
    const candidates = [`refs/heads/${name}`, `refs/tags/${name}`];
    const known = await this.#mirror.ask(candidates, signal);
    const found = candidates.find((candidate) => known.has(candidate));
    if (found !== undefined) {
      await this.#mirror.ensureFormat(known.get(found) ?? '', signal);
      await this.#mirror.fetch([`+${found}:${to}`], signal);
    } else if ((await this.#mirror.resolve(to, signal)) !== undefined) {
      await this.#mirror.local(['update-ref', '-d', to], signal);
    }
  }

  get #subject(): string {
    return `${describeRef(this.#options.ref)} of ${this.#options.location.address}`;
  }

  #branchGone(): SourceError {
    return new SourceError(
      'branchGone',
      `${this.#subject} does not exist (any more). Restore it, or follow another one in the configuration of the source`,
    );
  }

  #folderGone(commit: Revision): SourceError {
    const { folder, location } = this.#options;
    return new SourceError(
      'folderGone',
      `there is no folder ${folder} in ${location.address} at ${commit}. Commit it, or correct the source`,
    );
  }
}

function fullName(ref: { readonly branch: string } | { readonly tag: string } | undefined): string {
  if (ref === undefined) return 'HEAD';
  return 'branch' in ref ? `refs/heads/${ref.branch}` : `refs/tags/${ref.tag}`;
}

/** While the server cannot be asked, what the mirror has is shown. */
function offlineFault(error: unknown): Error {
  if (error instanceof RemoteFailure || (error instanceof SourceError && error.code === 'timeout')) return error;
  throw error;
}

function asSourceError(error: unknown): unknown {
  if (error instanceof MirrorBroken) {
    return new SourceError('corrupt', `the mirror is damaged again as soon as it is made: ${error.message}`, {
      cause: error,
    });
  }
  if (!(error instanceof RemoteFailure)) return error;
  const code = UNREACHABLE_CODES.find((known) => known === error.failure) ?? 'branchGone';
  return new SourceError(code, error.message, { cause: error });
}

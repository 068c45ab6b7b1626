import type { Revision } from '../../core/model/revision.ts';
import { SourceError } from '../source-error.ts';
import { MirrorBroken, RemoteFailure } from './git-faults.ts';
import { describeRef, type GitRef } from './git-ref.ts';
import type { Mirror } from './mirror.ts';

/** What the followed ref was at the last fetch, as a ref of the mirror. */
export const TIP = 'refs/revertd/tip';
/** Where everything is fetched to when a server does not give out commits by their SHA. */
const ALL = 'refs/revertd/all';

/** A ref of a repository that is followed through its mirror; undefined is the repository's HEAD. */
export type Followed = { readonly mirror: Mirror; readonly ref: GitRef | undefined; readonly address: string };

/** For people: `branch main of https://host/policies.git`. */
export function describeFollowed({ ref, address }: Followed): string {
  return `${describeRef(ref)} of ${address}`;
}

/**
 * The newest commit of what is followed, which is in the mirror with its history then.
 * @throws {SourceError} `branchGone`
 * @throws {RemoteFailure} if the server cannot be asked
 */
export async function fetchTip(followed: Followed, signal: AbortSignal): Promise<Revision> {
  const { mirror, ref } = followed;
  if (ref !== undefined && 'commit' in ref) {
    if (await fetchCommit(mirror, ref.commit, TIP, signal)) return ref.commit;
    throw branchGone(followed);
  }
  const name = fullName(ref);
  const known = await mirror.ask([name, `${name}^{}`], signal);
  const sha = known.get(`${name}^{}`) ?? known.get(name);
  if (sha === undefined) throw branchGone(followed);
  if ((await mirror.resolve(`${TIP}^{commit}`, signal)) === sha) return sha;
  await mirror.ensureFormat(sha, signal);
  await mirror.fetch([`+${name}:${TIP}`], signal);
  return commitAtTip(followed, signal);
}

/**
 * Brings a commit into the mirror, under the ref `to`; false if the server does not have it. Nobody can rewrite what is
 * named by its SHA, so that a commit once fetched needs no network any more.
 */
export async function fetchCommit(mirror: Mirror, commit: Revision, to: string, signal: AbortSignal): Promise<boolean> {
  if (await hasCommit(mirror, commit, signal)) return true;
  await mirror.ensureFormat(commit, signal);
  try {
    await mirror.fetch([`+${commit}:${to}`], signal);
  } catch (error) {
    if (!(error instanceof RemoteFailure) || error.failure !== 'gone') throw error;
    await mirror.fetchEverything(ALL, signal);
  }
  return hasCommit(mirror, commit, signal);
}

export async function hasCommit(mirror: Mirror, commit: Revision, signal: AbortSignal): Promise<boolean> {
  return (await mirror.resolve(`${commit}^{commit}`, signal)) !== undefined;
}

async function commitAtTip(followed: Followed, signal: AbortSignal): Promise<Revision> {
  const { mirror } = followed;
  const commit = await mirror.resolve(`${TIP}^{commit}`, signal);
  if (commit !== undefined) return commit;
  const type = (await mirror.local(['cat-file', '-t', `${TIP}^{}`], signal)).trim();
  if (type === 'commit') throw new MirrorBroken(`${TIP} cannot be resolved`);
  throw new SourceError('branchGone', `${describeFollowed(followed)} is a ${type}, not a commit. Move it to a commit`);
}

function fullName(ref: { readonly branch: string } | { readonly tag: string } | undefined): string {
  if (ref === undefined) return 'HEAD';
  return 'branch' in ref ? `refs/heads/${ref.branch}` : `refs/tags/${ref.tag}`;
}

function branchGone(followed: Followed): SourceError {
  return new SourceError(
    'branchGone',
    `${describeFollowed(followed)} does not exist (any more). Restore it, or follow another one in the configuration of the source`,
  );
}

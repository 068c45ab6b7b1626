import { createHash } from 'node:crypto';
import type { Revision } from '../../core/model/revision.ts';
import { SourceError } from '../source-error.ts';
import { RemoteFailure } from './git-faults.ts';
import { isRefName, isWholeSha } from './git-ref.ts';
import { type Followed, fetchCommit, fetchTip, TIP } from './git-tip.ts';
import type { Mirror } from './mirror.ts';

/**
 * The commit that a person names: a branch, a tag, `HEAD` for what is followed, a SHA or its beginning, and what may follow
 * any of them: `~2`, `^`, `^2`. Branches and tags are fetched; while the server cannot be asked, those of an earlier time
 * are taken. A name of a branch comes before a SHA that begins like it.
 * @throws {SourceError} `unknownRevision`
 * @throws {RemoteFailure} if the server cannot be asked, and the mirror does not have it
 */
export async function findCommit(followed: Followed, name: string, signal: AbortSignal): Promise<Revision> {
  const { base, suffix = '' } = /^(?<base>[^~^]+)(?<suffix>(?:[~^]\d*)*)$/.exec(name)?.groups ?? {};
  const start = base === undefined ? undefined : await findBase(followed, base, signal);
  const commit = start === undefined ? undefined : await followed.mirror.resolve(`${start}${suffix}^{commit}`, signal);
  if (commit !== undefined) return commit;
  throw new SourceError(
    'unknownRevision',
    `there is no ${name} in ${followed.address}. Name a branch, a tag or a SHA, perhaps with ~N for the Nth before it`,
  );
}

/** A name without what follows it, as one that the mirror understands. */
async function findBase(followed: Followed, base: string, signal: AbortSignal): Promise<string | undefined> {
  const { mirror } = followed;
  const isHead = base === 'HEAD' || base === '@';
  const at = isHead ? TIP : `refs/revertd/named/${createHash('sha256').update(base).digest('hex')}`;
  if (isWholeSha(base)) return (await fetchCommit(mirror, base, at, signal)) ? base : undefined;
  if (!isHead && !isRefName(base)) return undefined;
  const asked: Promise<unknown> = isHead ? fetchTip(followed, signal) : fetchNamed(mirror, base, at, signal);
  const offline = await asked.then(() => undefined, offlineFault);
  const found = await firstIn(mirror, /^[0-9a-f]{4,}$/.test(base) ? [at, base] : [at], signal);
  if (found === undefined && offline !== undefined) throw offline;
  return found;
}

async function firstIn(mirror: Mirror, names: readonly string[], signal: AbortSignal): Promise<string | undefined> {
  for (const name of names) if ((await mirror.resolve(name, signal)) !== undefined) return name;
  return undefined;
}

/** Fetches a branch or tag to a ref of the mirror, and removes that ref if the server has neither. */
async function fetchNamed(mirror: Mirror, name: string, to: string, signal: AbortSignal): Promise<void> {
  const candidates = [`refs/heads/${name}`, `refs/tags/${name}`];
  const known = await mirror.ask(candidates, signal);
  const found = candidates.find((candidate) => known.has(candidate));
  if (found !== undefined) {
    await mirror.ensureFormat(known.get(found) ?? '', signal);
    await mirror.fetch([`+${found}:${to}`], signal);
  } else if ((await mirror.resolve(to, signal)) !== undefined) {
    await mirror.local(['update-ref', '-d', to], signal);
  }
}

/** While the server cannot be asked, what the mirror has is shown. */
function offlineFault(error: unknown): Error {
  if (error instanceof RemoteFailure || (error instanceof SourceError && error.code === 'timeout')) return error;
  throw error;
}

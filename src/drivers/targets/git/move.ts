import { lstat, readdir, readFile, readlink, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { CodeRevision, CodeTarget, GitTarget } from '../../../core/model/target.ts';
import { shortCommit } from '../../../core/model/target.ts';
import { type RestoreContext, type RestoreOutcome, TargetError, type TargetOrder } from '../target-driver.ts';
import { type Checkout, openCheckout, ownFolder } from './checkout.ts';
import { isPublished, isReleased, publishRelease, stageRelease } from './releases.ts';
import { EFFECTIVE, fetchTracked, revisionOf } from './revisions.ts';

export type MoveOrder = Pick<TargetOrder, 'to' | 'paths'> & { readonly target: CodeTarget };

/**
 * Moves a checkout, or a part of its files. What takes long (fetching, building) and what can be found out beforehand
 * comes first; only then services are stopped. Each part can be done again after a crash.
 */
export async function moveCheckout({ target, to, paths }: MoveOrder, context: RestoreContext): Promise<RestoreOutcome> {
  const { type } = target;
  const checkout = await openCheckout(type.path, context.signal);
  const wanted = await findRevision(checkout, type, to, context.signal);
  if (paths.length > 0) return await movePaths(checkout, target, wanted, paths, context);
  await refuseObstacles(checkout, wanted, context.signal);
  await release(checkout, type, wanted, context);
  await quiesce(target, context);
  const saved = await putAside(checkout, context);
  await dropLeftLock(checkout, context);
  await checkout.git(['update-ref', '-d', EFFECTIVE], context.signal);
  if (saved !== null) await checkout.git(['reset', '--hard', '--quiet'], context.signal);
  await checkout.git(['checkout', '--detach', '--quiet', '--no-overwrite-ignore', wanted.commit], context.signal);
  if (type.publish !== undefined) await publishRelease(type.publish.to, wanted.commit);
  await checkout.git(['update-ref', EFFECTIVE, wanted.commit], context.signal);
  const kept = saved === null ? '' : `; changes that were not committed are kept as ${saved}`;
  return { outcome: 'done', detail: `${checkout.top} is at ${shortCommit(wanted.commit)}${kept}`, state: wanted.tree };
}

async function findRevision(
  checkout: Checkout,
  type: GitTarget,
  name: string,
  signal: AbortSignal,
): Promise<CodeRevision> {
  try {
    return await revisionOf(checkout, name, signal);
  } catch (error) {
    if (!(error instanceof TargetError) || error.code !== 'noRevision' || type.track === undefined) throw error;
    await fetchTracked(type, signal);
    return await revisionOf(checkout, name, signal);
  }
}

async function movePaths(
  checkout: Checkout,
  target: CodeTarget,
  wanted: CodeRevision,
  paths: readonly string[],
  context: RestoreContext,
): Promise<RestoreOutcome> {
  const places = paths.map((path) => `:(top,literal)${checkout.prefix}${path.replace(/\/$/, '')}`);
  const missing = await missingPaths(checkout, wanted, paths, context.signal);
  if (missing !== undefined) return { outcome: 'failed', detail: missing };
  await quiesce(target, context);
  const saved = await putAside(checkout, context);
  await dropLeftLock(checkout, context);
  await checkout.git(['restore', `--source=${wanted.commit}`, '--worktree', '--', ...places], context.signal);
  const kept = saved === null ? '' : `; changes that were not committed are kept as ${saved}`;
  return { outcome: 'done', detail: `${paths.join(', ')} from ${shortCommit(wanted.commit)}${kept}` };
}

/** Why these paths cannot come from the revision; undefined if they can. */
export async function missingPaths(
  checkout: Checkout,
  { commit }: CodeRevision,
  paths: readonly string[],
  signal: AbortSignal,
): Promise<string | undefined> {
  if (paths.length === 0) return undefined;
  const known = await checkout.git(['ls-tree', '-r', '-t', '--name-only', commit], signal);
  const names = new Set(known.split('\n'));
  const missing = paths.filter((path) => !names.has(`${checkout.prefix}${path.replace(/\/$/, '')}`));
  if (missing.length === 0) return undefined;
  return `${shortCommit(commit)} has no ${missing.join(', ')}; git does not track it, so it cannot come from there`;
}

/** What git does not track stays, so nothing of it may stand where a file of the revision has to be. */
export async function refuseObstacles(
  checkout: Checkout,
  { commit }: CodeRevision,
  signal: AbortSignal,
): Promise<void> {
  const added = await checkout.git(
    ['diff', '--name-only', '--no-renames', '-z', '--diff-filter=A', 'HEAD', commit],
    signal,
  );
  const names = added.split('\0').filter((name) => name !== '');
  const found = await Promise.all(
    names.map(async (name) =>
      (await lstat(join(checkout.top, name)).catch(() => undefined)) === undefined ? [] : [name],
    ),
  );
  const inTheWay = found.flat();
  if (inTheWay.length === 0) return;
  const shown = inTheWay.slice(0, 5).join(', ');
  const more = inTheWay.length > 5 ? ` and ${inTheWay.length - 5} more` : '';
  const message = `${shown}${more} in ${checkout.top} is not tracked by git, and stands where ${shortCommit(commit)} has a file; move it away`;
  throw new TargetError('inTheWay', message);
}

/** Builds in a folder of its own, unless this revision's release is there from before. */
async function release(
  checkout: Checkout,
  type: GitTarget,
  { commit }: CodeRevision,
  context: RestoreContext,
): Promise<void> {
  const { publish, build } = type;
  if (publish === undefined && build.length === 0) return;
  if (publish !== undefined && (await isReleased(publish.to, commit))) {
    context.log(`the release of ${shortCommit(commit)} is there from before`);
    return;
  }
  await inOwnFolder(checkout, { name: 'build', commit, signal: context.signal }, async (within) => {
    for (const step of build) await mustSucceed(context, step, within);
    if (publish !== undefined) await stageRelease(join(within, publish.from), publish.to, commit);
  });
}

/** Checks a revision out beside the checkout in use, which stays as it is, and takes it away again. */
export async function inOwnFolder<T>(
  checkout: Checkout,
  { name, commit, signal }: { readonly name: string; readonly commit: string; readonly signal: AbortSignal },
  use: (within: string) => Promise<T>,
): Promise<T> {
  const folder = join(ownFolder(checkout), name);
  await clearFolder(checkout, folder, signal);
  try {
    await checkout.git(['worktree', 'add', '--quiet', '--detach', '--force', folder, commit], signal);
    return await use(join(folder, checkout.prefix));
  } finally {
    // Cleaning up must not hide why the use failed, nor be stopped with it.
    await clearFolder(checkout, folder, AbortSignal.timeout(60_000)).catch(() => undefined);
  }
}

export async function clearFolder(checkout: Checkout, folder: string, signal: AbortSignal): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await checkout.git(['worktree', 'prune'], signal);
}

async function quiesce(target: CodeTarget, context: RestoreContext): Promise<void> {
  for (const step of target.quiesce) await mustSucceed(context, step);
}

async function mustSucceed(
  context: RestoreContext,
  step: Parameters<RestoreContext['perform']>[0],
  cwd?: string,
): Promise<void> {
  const done = await context.perform(step, cwd);
  if (done.outcome !== 'done') throw new TargetError('step', done.detail);
}

/** Changes to tracked files that nobody committed are kept under a ref, before they are overwritten. */
async function putAside(checkout: Checkout, { operation, signal, log }: RestoreContext): Promise<string | null> {
  const identity = ['-c', 'user.name=revertd', '-c', 'user.email=revertd@localhost'];
  const stash = await checkout.git([...identity, 'stash', 'create', `before ${operation}`], signal);
  if (stash === '') return null;
  const ref = `refs/revertd/saved/${operation.replaceAll(/[^A-Za-z0-9]+/g, '-')}`;
  await checkout.git(['update-ref', ref, stash], signal);
  log(`changes that were not committed are kept as ${ref}`);
  return ref;
}

/** A git that was killed leaves its lock; if none works there any more, nobody else takes it away. */
async function dropLeftLock(checkout: Checkout, { log }: RestoreContext): Promise<void> {
  const lock = join(checkout.gitFolder, 'index.lock');
  if ((await lstat(lock).catch(() => undefined)) === undefined || (await isGitAtWork(checkout.top))) return;
  log(`${lock} was left by a git that is gone; it is removed`);
  await rm(lock, { force: true });
}

async function isGitAtWork(top: string): Promise<boolean> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const works = await Promise.all(
    pids.map(async (pid) => {
      const name = await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '');
      if (name.trim() !== 'git') return false;
      const cwd = await readlink(`/proc/${pid}/cwd`).catch(() => '');
      return cwd === top || cwd.startsWith(`${top}/`);
    }),
  );
  return works.includes(true);
}

/** Whether a whole move is complete; of a part that cannot be told, and it is safe to do it again. */
export async function isMoved({ target, to, paths }: MoveOrder, signal: AbortSignal): Promise<boolean> {
  if (paths.length > 0) return false;
  const { type } = target;
  const checkout = await openCheckout(type.path, signal);
  const wanted = await revisionOf(checkout, to, signal);
  const head = await revisionOf(checkout, 'HEAD', signal);
  const effective = await revisionOf(checkout, EFFECTIVE, signal);
  if (head.commit !== wanted.commit || effective.commit !== wanted.commit) return false;
  return type.publish === undefined || (await isPublished(type.publish.to, wanted.commit));
}

import type { CodeRevision, GitTarget } from '../../../core/model/target.ts';
import type { Millis } from '../../../core/units.ts';
import { TargetError, type TargetReading } from '../target-driver.ts';
import { type Checkout, openCheckout } from './checkout.ts';

/** What was fetched last of the tracked ref; a ref of revertd's own, so that nobody's branches move. */
export const TRACKED = 'refs/revertd/tracked';
/** What revertd put in place last, whole. */
export const EFFECTIVE = 'refs/revertd/effective';
/** Good revisions and those of points: what git's garbage collection must leave. */
export const KEPT = 'refs/revertd/good';

/** @throws {TargetError} `noRevision` if there is no such commit. */
export async function revisionOf(checkout: Checkout, name: string, signal: AbortSignal): Promise<CodeRevision> {
  try {
    const commit = await checkout.git(
      ['rev-parse', '--verify', '--quiet', '--end-of-options', `${name}^{commit}`],
      signal,
    );
    return { commit, tree: await treeOf(checkout, commit, signal) };
  } catch (error) {
    if (!(error instanceof TargetError) || error.code !== 'git') throw error;
    throw new TargetError('noRevision', `${checkout.top} has no revision ${name}`, error);
  }
}

/** @throws {TargetError} `noRevision` where nothing was ever committed. */
async function headOf(
  checkout: Checkout,
  signal: AbortSignal,
): Promise<CodeRevision & { readonly committedAt: Millis }> {
  try {
    const line = await checkout.git(['log', '-1', '--no-show-signature', '--format=%H %ct', 'HEAD', '--'], signal);
    const [commit = '', seconds] = line.split(' ');
    return { commit, tree: await treeOf(checkout, commit, signal), committedAt: Number(seconds) * 1000 };
  } catch (error) {
    if (!(error instanceof TargetError) || error.code !== 'git') throw error;
    throw new TargetError('noRevision', `${checkout.top} has no revision HEAD`, error);
  }
}

/** A commit without the target's folder has a tree of its own: none. */
async function treeOf(checkout: Checkout, commit: string, signal: AbortSignal): Promise<string> {
  const folder = checkout.prefix === '' ? `${commit}^{tree}` : `${commit}:${checkout.prefix.replace(/\/$/, '')}`;
  try {
    return await checkout.git(['rev-parse', '--verify', '--quiet', folder], signal);
  } catch (error) {
    if (error instanceof TargetError && error.code === 'git') return `none-in-${commit}`;
    throw error;
  }
}

export async function readCheckout(type: GitTarget, signal: AbortSignal): Promise<TargetReading> {
  try {
    const checkout = await openCheckout(type.path, signal);
    const { committedAt, ...head } = await headOf(checkout, signal);
    const changed = await checkout.git(
      ['--no-optional-locks', 'status', '--porcelain', '--untracked-files=no'],
      signal,
    );
    const tip = type.track === undefined ? null : await trackedTip(checkout, signal);
    return { kind: 'git', head, committedAt, isDirty: changed !== '', tip, tipFault: null };
  } catch (error) {
    if (error instanceof TargetError) return { kind: 'unreadable', code: error.code, message: error.message };
    throw error;
  }
}

async function trackedTip(
  checkout: Checkout,
  signal: AbortSignal,
): Promise<(CodeRevision & { readonly subject: string }) | null> {
  try {
    const revision = await revisionOf(checkout, TRACKED, signal);
    return { ...revision, subject: await checkout.git(['log', '-1', '--format=%s', revision.commit], signal) };
  } catch (error) {
    if (error instanceof TargetError && error.code === 'noRevision') return null;
    throw error;
  }
}

/** @throws {TargetError} `fetch` */
export async function fetchTracked(type: GitTarget, signal: AbortSignal): Promise<void> {
  if (type.track === undefined) return;
  const { remote, ref } = type.track;
  const checkout = await openCheckout(type.path, signal);
  try {
    await checkout.git(
      ['fetch', '--quiet', '--no-tags', '--no-write-fetch-head', remote, `+${ref}:${TRACKED}`],
      signal,
    );
  } catch (error) {
    if (!(error instanceof TargetError)) throw error;
    throw new TargetError(
      'fetch',
      `${ref} of ${remote} could not be fetched into ${checkout.top}: ${error.message}`,
      error,
    );
  }
}

/** Revisions that may be gone back to have refs, so that git's garbage collection leaves them. */
export async function keepRevisions(type: GitTarget, commits: readonly string[], signal: AbortSignal): Promise<void> {
  const checkout = await openCheckout(type.path, signal);
  const kept = await checkout.git(['for-each-ref', '--format=%(refname)', KEPT], signal);
  const names = new Set(commits.map((commit) => `${KEPT}/${commit}`));
  const gone = kept.split('\n').filter((name) => name !== '' && !names.has(name));
  const lines = [
    ...commits.map((commit) => `update ${KEPT}/${commit} ${commit}`),
    ...gone.map((name) => `delete ${name}`),
  ];
  if (lines.length > 0) await checkout.git(['update-ref', '--stdin'], signal, { stdin: `${lines.join('\n')}\n` });
}

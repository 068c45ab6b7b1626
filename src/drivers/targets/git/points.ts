import type { Snapshot } from '../../../core/model/point.ts';
import { type CodeRevision, type CodeTarget, revisionPrint, shortCommit } from '../../../core/model/target.ts';
import type { ManifestLine } from '../../../store/content/content-reader.ts';
import type { ContentStore } from '../../../store/content/content-store.ts';
import {
  type CaptureContext,
  type CaptureOutcome,
  type DiffItem,
  DiffTally,
  faultText,
  ITEMS_SHOWN,
  type PointContext,
  type RehearsalOutcome,
  refuseOtherFormat,
  type TargetDiff,
  type VerifyOutcome,
} from '../captured-target.ts';
import { TargetError } from '../target-driver.ts';
import { verifySnapshot } from '../verify-snapshot.ts';
import { type Checkout, openCheckout } from './checkout.ts';
import { inOwnFolder } from './move.ts';
import { KEPT, revisionOf } from './revisions.ts';

const FORMAT = 'git/1';
/** Files with up to so many changed lines are shown line by line, so many of them. */
const SMALL_LINES = 200;
const LINE_DIFFS = 20;

/**
 * Notes which revision the checkout shows; git itself has the content, and a ref keeps it there. Changes that nobody
 * committed are no part of it. Rejects with TargetError and ContentError.
 */
export async function captureRevision({ type }: CodeTarget, context: CaptureContext): Promise<CaptureOutcome> {
  const { store, operation, signal, compression = store.compression, previous, now } = context;
  const from = now();
  const checkout = await openCheckout(type.path, signal);
  const { commit, tree } = await revisionOf(checkout, 'HEAD', signal);
  const branch = await branchOf(checkout, signal);
  const changed = await changedFiles(checkout, signal);
  await checkout.git(['update-ref', `${KEPT}/${commit}`, commit], signal);
  const session = await store.begin({ operation, signal, compression });
  const line = { format: FORMAT, path: checkout.top, commit, tree, ...(branch === '' ? {} : { branch }) };
  const { manifest, storedBytes } = await session.commit([line]);
  const fingerprint = revisionPrint({ commit, tree });
  const sizes = { bytes: 0, storedBytes, compression, encrypted: store.encrypts };
  const on = branch === '' ? '' : ` of ${branch}`;
  const left = changed === 0 ? '' : `; ${changed} file(s) with changes that nobody committed are not part of it`;
  const note = fingerprint === previous?.fingerprint ? ', unchanged' : '';
  const detail = `${shortCommit(commit)}${on}${note}${left}`;
  return { outcome: 'done', snapshot: { manifest, fingerprint, ...sizes, from, to: now() }, detail };
}

/** Empty for a detached HEAD. */
async function branchOf(checkout: Checkout, signal: AbortSignal): Promise<string> {
  return await checkout.git(['branch', '--show-current'], signal);
}

async function changedFiles(checkout: Checkout, signal: AbortSignal): Promise<number> {
  const changed = await checkout.git(
    ['--no-optional-locks', 'status', '--porcelain', '-z', '--no-renames', '--untracked-files=no'],
    signal,
  );
  return changed.split('\0').filter((entry) => entry !== '').length;
}

/** What a snapshot noted. Rejects with TargetError `snapshot`, and with ContentError. */
export async function revisionIn(
  store: Pick<ContentStore, 'manifest'>,
  { manifest }: Pick<Snapshot, 'manifest'>,
): Promise<CodeRevision> {
  for await (const line of store.manifest(manifest)) return toRevision(line);
  throw new TargetError('snapshot', 'the snapshot of the checkout is empty');
}

function toRevision({ format, commit, tree }: ManifestLine): CodeRevision {
  refuseOtherFormat(format, FORMAT);
  const isRevision = typeof commit === 'string' && /^[0-9a-f]{40,64}$/.test(commit) && typeof tree === 'string';
  if (!isRevision) throw new TargetError('snapshot', 'the snapshot of the checkout makes no sense');
  return { commit, tree };
}

/** What a file or driver of the checkout's own configuration would make of a difference does not count. */
const DIFF = ['--no-optional-locks', 'diff', '--no-renames', '--no-ext-diff', '--no-textconv', '--no-color'] as const;

/** What is different in another snapshot, or in the tracked files as they stand. */
export async function diffRevisions(
  { type }: CodeTarget,
  from: Snapshot,
  to: Snapshot | 'live',
  { store, signal }: PointContext,
): Promise<TargetDiff> {
  const checkout = await openCheckout(type.path, signal);
  const before = (await revisionIn(store, from)).commit;
  const after = to === 'live' ? null : (await revisionIn(store, to)).commit;
  const between = after === null ? [before] : [before, after];
  const compare = async (how: readonly string[], place: string) =>
    await checkout.git([...DIFF, ...how, ...between, '--', `:(top,literal)${place}`], signal);
  const counts = countsOf(await compare(['--numstat', '-z'], checkout.prefix));
  const tally = new DiffTally(
    `${shortCommit(before)} → ${after === null ? 'the files as they are' : shortCommit(after)}`,
  );
  let lineDiffs = 0;
  for (const { kind, path } of kindsOf(await compare(['--name-status', '-z'], checkout.prefix))) {
    await tally.add(kind, async () => {
      const count = counts.get(path);
      if (count === undefined) return { what: path, detail: 'binary' };
      const detail = `${count.added} line(s) added, ${count.removed} removed`;
      if (lineDiffs >= LINE_DIFFS || count.added + count.removed > SMALL_LINES) return { what: path, detail };
      lineDiffs += 1;
      return { what: path, detail, lines: await compare(['--unified=3'], path) };
    });
  }
  return { groups: [tally.group()] };
}

/** `A\0path\0M\0path\0…`; see git-diff(1), `--name-status` and `-z`. */
function kindsOf(text: string): readonly { readonly kind: DiffItem['kind']; readonly path: string }[] {
  const fields = text.split('\0');
  const found: { kind: DiffItem['kind']; path: string }[] = [];
  for (let at = 0; at + 1 < fields.length; at += 2) {
    const [letter = '', path = ''] = fields.slice(at, at + 2);
    found.push({ kind: letter === 'A' ? 'added' : letter === 'D' ? 'removed' : 'changed', path });
  }
  return found;
}

type LineCounts = { readonly added: number; readonly removed: number };

/** `12\t3\tpath\0…`; of what is binary both are `-`, and it is left out. */
function countsOf(text: string): ReadonlyMap<string, LineCounts> {
  const counts = new Map<string, LineCounts>();
  for (const record of text.split('\0')) {
    const [, added, removed, path] = /^(\d+)\t(\d+)\t(.*)$/s.exec(record) ?? [];
    if (path !== undefined) counts.set(path, { added: Number(added), removed: Number(removed) });
  }
  return counts;
}

/** Whether the note is as it was stored, and git still has each file of the commit. Never rejects. */
export async function verifyRevision(
  { type }: CodeTarget,
  snapshot: Snapshot,
  context: PointContext,
): Promise<VerifyOutcome> {
  const noted = await verifySnapshot(snapshot, context, ({ commit }) => String(commit));
  if (noted.outcome !== 'valid') return noted;
  const { store, signal } = context;
  try {
    const checkout = await openCheckout(type.path, signal);
    const { commit } = await revisionIn(store, snapshot);
    const missing = await missingOf(checkout, commit, signal);
    if (missing.length === 0)
      return { outcome: 'valid', detail: `${shortCommit(commit)} is there`, bytes: noted.bytes };
    const detail = `git no longer has all of ${shortCommit(commit)}`;
    return { outcome: 'invalid', detail, faults: missing.map((name) => `${name} is missing`) };
  } catch (error) {
    return { outcome: 'failed', detail: faultText(error) };
  }
}

/** What of a commit git does not have: itself, or some of its files. */
async function missingOf(checkout: Checkout, commit: string, signal: AbortSignal): Promise<readonly string[]> {
  const has = async (names: string) => await checkout.git(['cat-file', '--batch-check'], signal, { stdin: names });
  if ((await has(`${commit}^{tree}\n`)).endsWith('missing')) return [commit];
  const listed = await checkout.git(['ls-tree', '-r', '-z', '--format=%(objecttype) %(objectname)', commit], signal);
  // Of a submodule the repository itself has nothing.
  const blobs = listed.split('\0').flatMap((entry) => (entry.startsWith('blob ') ? [entry.slice('blob '.length)] : []));
  if (blobs.length === 0) return [];
  const answers = await has(`${blobs.join('\n')}\n`);
  const missing = answers.split('\n').filter((line) => line.endsWith(' missing'));
  return missing.slice(0, ITEMS_SHOWN).map((line) => line.slice(0, -' missing'.length));
}

/** Checks the revision out beside the checkout in use, where builds are made: another owner may not enter `folder`. */
export async function rehearseRevision(
  { type }: CodeTarget,
  snapshot: Snapshot,
  { store, signal }: PointContext,
): Promise<RehearsalOutcome> {
  try {
    const checkout = await openCheckout(type.path, signal);
    const { commit } = await revisionIn(store, snapshot);
    return await inOwnFolder(checkout, { name: 'verify', commit, signal }, async (path) => {
      return await Promise.resolve({
        outcome: 'done',
        path,
        detail: `${shortCommit(commit)} was checked out beside it`,
      });
    });
  } catch (error) {
    return { outcome: 'failed', detail: faultText(error) };
  }
}

import type { Snapshot } from '../../../core/model/point.ts';
import type { ContentStore } from '../../../store/content/content-store.ts';
import { TargetError } from '../target-driver.ts';
import type { Change, ChangeList } from './change-list.ts';
import { type AttributeTable, readAttributes } from './extended-attributes.ts';
import type { FilesHead } from './file-entry.ts';
import { makeReady } from './make-ready.ts';
import { putInPlace } from './put-in-place.ts';
import { sumOnly } from './read-file.ts';
import { planRestore, type RestorePlan } from './restore-plan.ts';
import { noNotes, scan } from './scan.ts';
import type { Selection } from './selection.ts';
import { entriesOf, noEntries } from './snapshot-content.ts';
import type { OwnerRule, Stage } from './stage.ts';
import type { OpenRoot } from './walk.ts';
import { shownIn } from './ways.ts';

export type FilesRestore = {
  readonly store: ContentStore;
  readonly snapshot: Pick<Snapshot, 'manifest'>;
  readonly head: FilesHead;
  readonly roots: readonly OpenRoot[];
  readonly selection: Selection;
  /** Patterns, of now and of the snapshot, of what is not touched. */
  readonly exclude: readonly string[];
  readonly oneFileSystem: boolean;
  readonly owner: OwnerRule;
  readonly signal: AbortSignal;
  readonly progress: (done: { readonly bytes: number; readonly total: number }) => void;
  /** Has everything stand still; after it live is looked at once more. */
  readonly quiesce: () => Promise<void>;
  /** Whether each thing is looked at once more right before it is replaced or removed. */
  readonly looksAgain?: boolean;
  /** Called at each step that a crash could come after; for tests. */
  readonly at?: (boundary: string) => void;
};

export type Restored = {
  readonly put: number;
  readonly removed: number;
  readonly adjusted: number;
  readonly left: number;
};

/** `attributes`: what live things had, where that is known and the snapshot knows it too. */
export type Planned = RestorePlan & { readonly attributes: AttributeTable | undefined };

/** What would change. `look` says whether content is read, or trusted because it was just written. */
export async function planOf(restore: FilesRestore, look: 'content' | 'attributes' = 'content'): Promise<Planned> {
  const { store, snapshot, head, roots, exclude, oneFileSystem, signal, selection } = restore;
  const attributes = head.attributes ? await readAttributes(roots, signal) : undefined;
  const live = scan({
    roots,
    attributes,
    exclude,
    oneFileSystem,
    signal,
    known: look === 'content' ? entriesOf(store, snapshot) : noEntries(),
    reuse: () => Promise.resolve(true),
    // Of a file of another size the content is another, whatever it is.
    sink: ({ stats }, known) =>
      look === 'content' && known?.type === 'file' && BigInt(known.size) === stats.size ? sumOnly : null,
    notes: noNotes(),
  });
  const plan = await planRestore(live, entriesOf(store, snapshot), selection, {
    contentKnown: look === 'attributes',
    comparesAttributes: attributes !== undefined,
  });
  return { ...plan, attributes };
}

/**
 * Makes live what the snapshot is. All that takes long or can fail for want of space comes before anything is touched:
 * what is to be written is made ready on the same file system, and then put in place by renaming. It can be done again
 * after a crash, and then does what is left. Rejects with TargetError, ContentError and errors of system calls.
 */
export async function restoreFiles(restore: FilesRestore): Promise<Restored> {
  const { at = () => undefined } = restore;
  const stages = new Map<number, Stage>();
  try {
    await makeMostReady(restore, stages);
    at('staged');
    await restore.quiesce();
    // What changed while things were still moving is made ready now.
    const plan = await planOf(restore);
    await makeReady(restore, plan, stages);
    at('ready');
    await putInPlace(restore, plan, stages);
    at('placed');
    await refuseRest(restore);
    return tally(plan);
  } finally {
    for (const stage of stages.values()) await stage.close();
  }
}

/** Its plan is let go of with its end: of a large tree it takes more memory than all else. */
async function makeMostReady(restore: FilesRestore, stages: Map<number, Stage>): Promise<void> {
  const plan = await planOf(restore);
  refuseMissing(restore, plan);
  await makeReady(restore, plan, stages);
}

/** @throws {TargetError} `snapshot` */
export function refuseMissing({ selection }: FilesRestore, { found }: RestorePlan): void {
  const missing = selection.places.filter(({ text }) => !found.has(text));
  if (missing.length === 0) return;
  throw new TargetError('snapshot', `the snapshot has no ${missing.map(({ text }) => text).join(', ')}`);
}

/** Looks whether all is as it should be; content was verified when it was made ready. */
async function refuseRest(restore: FilesRestore): Promise<void> {
  const { changes } = await planOf(restore, 'attributes');
  const first = firstUndone(changes);
  if (first === undefined) return;
  const message = `${shownIn(restore.roots, first.entry)} is still not as in the snapshot (${first.kind}); somebody changes it meanwhile`;
  throw new TargetError('changing', message);
}

/** A folder stays where something is in it that the target leaves out. */
export function firstUndone(changes: ChangeList): Change | undefined {
  for (const change of changes) if (change.kind !== 'remove' || change.entry.type !== 'folder') return change;
  return undefined;
}

export function tally({ changes, left }: RestorePlan): Restored {
  const put = changes.count('put', 'link', 'join', 'make');
  return { put, removed: changes.count('remove'), adjusted: changes.count('attributes'), left };
}

export function describeRestored({ put, removed, adjusted, left }: Restored): string {
  const parts = [`${put} put in place`, `${removed} removed`, `${adjusted} adjusted`];
  return left > 0 ? `${parts.join(', ')}; ${left} pipe(s), socket(s) or device(s) left as they are` : parts.join(', ');
}

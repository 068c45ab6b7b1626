import type { Versions } from '../../../core/merge/conflict.ts';
import { joinSorted } from '../../../core/merge/join-sorted.ts';
import { MergeLog, type MergePhase, type MergeReport, type MergeSpec } from '../../../core/merge/merge-report.ts';
import type { Snapshot } from '../../../core/model/point.ts';
import type { CaptureSession } from '../../../store/content/capture-session.ts';
import { TargetError } from '../target-driver.ts';
import { begunIn, forgetBegun, noteBegun } from './begun-changes.ts';
import type { BytePath } from './byte-path.ts';
import { readAttributes } from './extended-attributes.ts';
import { compareEntries, type FileEntry, type FilesHead } from './file-entry.ts';
import { makeReady } from './make-ready.ts';
import { combined } from './merge-entry.ts';
import { TreeMerge } from './merge-tree.ts';
import { putInPlace } from './put-in-place.ts';
import { sumOnly } from './read-file.ts';
import { type FilesRestore, type Planned, type Restored, refuseMissing, tally } from './restore.ts';
import { keyOf, Planner } from './restore-plan.ts';
import { noNotes, scan } from './scan.ts';
import { entriesOf } from './snapshot-content.ts';
import type { Stage } from './stage.ts';

/** Somebody who changes the files at the same time gets the first word so often. */
const TURNS = 4;
const BATCH = 256;

export type FilesMerge = FilesRestore & {
  readonly ancestor: Pick<Snapshot, 'manifest'>;
  readonly ancestorHead: FilesHead;
  readonly spec: MergeSpec;
  /** Where merged text is kept until it is in place. */
  readonly session: Pick<CaptureSession, 'put' | 'settle'>;
  readonly log: (line: string) => void;
  readonly onPhase: (phase: MergePhase) => void;
};

type Merging = FilesMerge & {
  /** Places, by their keys, where an earlier attempt may have left something half done. */
  readonly interrupted: ReadonlySet<string>;
};

export type MergedFiles = { readonly report: MergeReport; readonly restored: Restored };

type MergePlan = { readonly plan: Planned; readonly report: MergeReport; readonly isHindered: boolean };

/**
 * Merges what the snapshot has otherwise than the ancestor into what is live, the way that a whole restore goes: it is made
 * ready on the same file system and put in place file by file, each of which is looked at once more right before. Once more
 * after a crash it does what is left. Rejects as `restoreFiles` does; TargetError `changing` where it was held up too often.
 */
export async function mergeFiles(order: FilesMerge): Promise<MergedFiles> {
  const stages = new Map<number, Stage>();
  const merge = await withInterrupted(order);
  try {
    const first = await planMerge(merge);
    refuseMissing(merge, first.plan);
    if (first.isHindered || isNothing(first.plan)) return await unbegun(merge, first);
    await makeReady(merge, first.plan, stages);
    merge.at?.('staged');
    await merge.quiesce();
    return await inTurns(merge, first.plan.changes.digest(), stages);
  } finally {
    await closeAll(stages);
  }
}

/** Nothing is to be done, any more. */
async function unbegun({ roots, interrupted }: Merging, { plan, report, isHindered }: MergePlan): Promise<MergedFiles> {
  if (!isHindered && interrupted.size > 0) for (const root of roots) await forgetBegun(root);
  return { report, restored: tally(plan) };
}

/** Until all that was found could be done; what comes of it is what the first turn found. `ready`: what is made ready. */
async function inTurns(merge: Merging, ready: string, stages: Map<number, Stage>): Promise<MergedFiles> {
  let begun: MergedFiles | undefined;
  for (let turn = 1; turn <= TURNS; turn += 1) {
    const { plan, report, isHindered } = await planMerge(merge);
    if (isHindered && begun !== undefined) break;
    if (isHindered || isNothing(plan)) return begun ?? (await unbegun(merge, { plan, report, isHindered }));
    begun ??= { report, restored: tally(plan) };
    if (turn > 1 || plan.changes.digest() !== ready) await closeAll(stages);
    await makeReady(merge, plan, stages);
    merge.at?.('ready');
    merge.onPhase('executing');
    await noteAll(merge, plan);
    if (await isPutInPlace(merge, plan, stages)) return begun;
  }
  const message = 'somebody changes the files meanwhile: a part is merged, and the rest is as it was; merge it again';
  throw new TargetError('changing', message);
}

/** False if somebody changed something first. */
async function isPutInPlace(merge: Merging, plan: Planned, stages: Map<number, Stage>): Promise<boolean> {
  try {
    await putInPlace(merge, plan, stages);
    merge.at?.('placed');
    for (const root of merge.roots) await forgetBegun(root);
    return true;
  } catch (error) {
    if (!(error instanceof TargetError) || error.code !== 'changing') throw error;
    merge.log(`${error.message}; it is merged once more`);
    return false;
  }
}

async function withInterrupted(merge: FilesMerge): Promise<Merging> {
  const interrupted = new Set<string>();
  for (const root of merge.roots) {
    for (const path of await begunIn(root, nameOf(merge))) interrupted.add(keyOf(root.index, path));
  }
  return { ...merge, looksAgain: true, interrupted };
}

/** All that is not done in one step, of this attempt and of those before. */
async function noteAll(merge: Merging, { changes }: Planned): Promise<void> {
  const { roots, interrupted } = merge;
  const paths = new Map<number, BytePath[]>(roots.map(({ index }) => [index, []]));
  let removed: FileEntry | undefined;
  for (const { kind, entry } of changes) {
    const isReplaced = removed?.root === entry.root && removed.path === entry.path;
    const isBegun = isReplaced || interrupted.has(keyOf(entry.root, entry.path));
    if (kind === 'remove') removed = entry;
    else if (isBegun || kind === 'make' || kind === 'attributes') paths.get(entry.root)?.push(entry.path);
  }
  for (const root of roots) {
    const inRoot = paths.get(root.index) ?? [];
    if (inRoot.length > 0) await noteBegun(root, { merge: nameOf(merge), paths: inRoot });
  }
}

/** What an earlier attempt left half done is no change that people made. */
function withoutHalves(versions: Versions<FileEntry>): Versions<FileEntry> {
  const { ancestor, live, snapshot } = versions;
  if (live === undefined) return ancestor?.type === snapshot?.type ? versions : { ...versions, ancestor: undefined };
  if (ancestor?.type === live.type) return { ...versions, ancestor: combined(ancestor, live, live, true) };
  return live.type === 'folder' ? { ...versions, ancestor: live } : versions;
}

/** The same whenever it is repeated. */
function nameOf({ ancestor, snapshot }: Pick<FilesMerge, 'ancestor' | 'snapshot'>): string {
  return `${ancestor.manifest} ${snapshot.manifest}`;
}

async function closeAll(stages: Map<number, Stage>): Promise<void> {
  for (const [index, stage] of stages) {
    stages.delete(index);
    await stage.close();
  }
}

function isNothing({ changes }: Planned): boolean {
  return changes.length === 0;
}

/** Holds the three trees against each other, of each of which a few places are in memory. */
async function planMerge(merge: Merging): Promise<MergePlan> {
  const { store, snapshot, head, ancestor, ancestorHead, roots, selection, session, spec, signal, interrupted } = merge;
  const attributes = await readAttributes(roots, signal);
  const marks = attributes !== undefined && head.attributes && ancestorHead.attributes;
  const planner = new Planner({ comparesAttributes: attributes !== undefined, merges: true });
  const log = new MergeLog(spec, merge.onPhase);
  const tree = new TreeMerge({
    roots,
    store,
    session,
    log,
    marks,
    planner,
    inSnapshot: async (place) => {
      for await (const entry of entriesOf(store, snapshot)) if (compareEntries(entry, place) === 0) return entry;
      return undefined;
    },
  });
  const found = new Set<string>();
  const sides = {
    ancestor: batched(entriesOf(store, ancestor)),
    live: batched(liveEntries(merge, attributes)),
    snapshot: batched(entriesOf(store, snapshot)),
  };
  for await (const batch of joinSorted(sides, compareEntries)) {
    for (const versions of batch) {
      const place = versions.live ?? versions.snapshot ?? versions.ancestor;
      if (place === undefined) continue;
      const kept = versions.snapshot ?? versions.ancestor;
      for (const { root, path, text } of selection.places) {
        if (kept !== undefined && kept.root === root && kept.path === path) found.add(text);
      }
      const isBegun = interrupted.has(keyOf(place.root, place.path));
      if (selection.has(place)) await tree.add(isBegun ? withoutHalves(versions) : versions);
      else tree.pass(versions, selection.leadsTo(place));
    }
  }
  tree.end();
  await session.settle();
  const { hindrance } = log;
  const plan = { ...planner.end(found), attributes };
  return { plan, report: hindrance ?? log.done, isHindered: hindrance !== undefined };
}

function liveEntries(merge: FilesMerge, attributes: Planned['attributes']): AsyncGenerator<FileEntry> {
  const { store, ancestor, roots, exclude, oneFileSystem, signal } = merge;
  return scan({
    roots,
    attributes,
    exclude,
    oneFileSystem,
    signal,
    known: entriesOf(store, ancestor),
    reuse: () => Promise.resolve(true),
    sink: () => sumOnly,
    notes: noNotes(),
  });
}

async function* batched(entries: AsyncIterable<FileEntry>): AsyncGenerator<readonly FileEntry[]> {
  let batch: FileEntry[] = [];
  for await (const entry of entries) {
    batch.push(entry);
    if (batch.length < BATCH) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

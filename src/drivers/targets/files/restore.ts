import { constants } from 'node:fs';
import { type FileHandle, link, mkdir, open, rename, rmdir, unlink } from 'node:fs/promises';
import type { Snapshot } from '../../../core/model/point.ts';
import { errnoOf } from '../../../store/content/content-error.ts';
import type { ContentStore } from '../../../store/content/content-store.ts';
import { eachInOrder } from '../../../store/content/in-order.ts';
import { syncFileSystem } from '../../../store/content/make-durable.ts';
import { SHORT_BYTES } from '../../../store/content/take-file.ts';
import { TargetError } from '../target-driver.ts';
import type { BytePath } from './byte-path.ts';
import type { Change, ChangeList } from './change-list.ts';
import { STAGE_PREFIX } from './exclusion.ts';
import { type AttributeTable, isSameAttributes, readAttributes, writeAttributes } from './extended-attributes.ts';
import type { FileEntry, FilesHead } from './file-entry.ts';
import type { OpenFolder } from './open-folder.ts';
import { sumOnly } from './read-file.ts';
import { removeTree } from './remove-tree.ts';
import { keyOf, planRestore, type RestorePlan } from './restore-plan.ts';
import { noNotes, scan } from './scan.ts';
import type { Selection } from './selection.ts';
import { entriesOf, noEntries } from './snapshot-content.ts';
import { applyTo, type OwnerRule, Stage } from './stage.ts';
import { explained, type OpenRoot, shownBelow } from './walk.ts';

const { O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants;

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
type Planned = RestorePlan & { readonly attributes: AttributeTable | undefined };

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

function refuseMissing({ selection }: FilesRestore, { found }: RestorePlan): void {
  const missing = selection.places.filter(({ text }) => !found.has(text));
  if (missing.length === 0) return;
  throw new TargetError('snapshot', `the snapshot has no ${missing.map(({ text }) => text).join(', ')}`);
}

/** Of each that is long, a few pieces are in memory. */
const LONG_AT_ONCE = 4;
const SHORT_AT_ONCE = 32;
const BLOCK = 4096;
const EARLY_BYTES = 32 * 1024 * 1024;

async function makeReady(restore: FilesRestore, plan: Planned, stages: Map<number, Stage>): Promise<void> {
  const { store, owner, progress, signal } = restore;
  const missing = () => missingIn(plan, stages);
  const needed = new Map<number, number>();
  for (const { entry } of missing()) {
    if (entry.attributes !== undefined && plan.attributes === undefined) throw withoutProgram();
    needed.set(entry.root, (needed.get(entry.root) ?? 0) + Math.ceil(entry.size / BLOCK) * BLOCK);
  }
  if (needed.size === 0) return;
  for (const root of needed.keys()) await stageOf(restore, root, stages);
  await refuseWithoutSpace(needed, stages);
  let bytes = 0;
  const early = new EarlySync();
  const work = async ({ kind, entry }: Change) => {
    if (signal.aborted) throw new TargetError('aborted', 'the restore was ended before anything was changed');
    const stage = await stageOf(restore, entry.root, stages);
    try {
      if (kind === 'link') await stage.writeLink(entry, owner);
      else {
        await stage.write(entry, store, owner, (more) => progress({ bytes: (bytes += more), total: plan.bytes }));
        early.wrote(stage.folder, entry.size);
      }
    } catch (error) {
      throw explained(error, shownIn(restore, entry));
    }
  };
  const isLong = ({ entry }: Change) => entry.size > SHORT_BYTES;
  try {
    await eachInOrder(
      missing().filter((change) => !isLong(change)),
      SHORT_AT_ONCE,
      work,
    );
    await eachInOrder(missing().filter(isLong), LONG_AT_ONCE, work);
  } finally {
    await early.end();
  }
  for (const stage of stages.values()) {
    if (plan.attributes !== undefined) await stage.writeAttributes();
    await makeDurable(stage.folder);
  }
}

/** What has to be made ready and is not yet. */
function* missingIn({ changes }: Planned, stages: ReadonlyMap<number, Stage>): Generator<Change> {
  for (const change of changes) {
    const { kind, entry } = change;
    if ((kind === 'put' || kind === 'link') && stages.get(entry.root)?.has(entry) !== true) yield change;
  }
}

/** Nothing is touched yet. */
function withoutProgram(): TargetError {
  const message =
    'the snapshot has extended attributes, and the programs that write them are not there: Debian has them in the package attr. Nothing was changed';
  return new TargetError('program', message);
}

async function stageOf({ roots }: FilesRestore, index: number, stages: Map<number, Stage>): Promise<Stage> {
  const there = stages.get(index);
  if (there !== undefined) return there;
  const root = rootAt(roots, index);
  try {
    const stage = await Stage.open(root);
    stages.set(index, stage);
    return stage;
  } catch (error) {
    throw explained(error, root.path);
  }
}

/** `needed`: bytes by root. */
async function refuseWithoutSpace(
  needed: ReadonlyMap<number, number>,
  stages: ReadonlyMap<number, Stage>,
): Promise<void> {
  for (const [root, stage] of stages) {
    const bytes = needed.get(root) ?? 0;
    const free = await stage.freeBytes();
    if (bytes <= free) continue;
    const message = `the restore needs ${bytes} bytes, and ${free} are free; nothing was changed`;
    throw new TargetError('space', message);
  }
}

/** Renames, and little else: what is removed, what is put, and at the end what folders look like. */
async function putInPlace(restore: FilesRestore, plan: Planned, stages: Map<number, Stage>): Promise<void> {
  const { at = () => undefined } = restore;
  const ways = new Ways(restore.roots);
  try {
    for (const { entry } of plan.changes.backwards('remove')) {
      await within(restore, entry, () => remove(ways, entry));
      at('removed');
    }
    for (const run of runsOf(plan.changes)) {
      const placed = await placeRun(restore, run, ways, stages);
      for (const _change of run.slice(0, placed)) at('changed');
      for (const change of run.slice(placed)) {
        await within(restore, change.entry, () => carryOut(restore, change, ways, stages));
        at('changed');
      }
    }
    const ends = foldersAtTheEnd(plan);
    for (const [index, stage] of stages) {
      await makeDurable(stage.folder);
      // It stands in the root, and would give that a new time if it went later.
      stages.delete(index);
      await stage.close();
    }
    if (plan.attributes !== undefined) await markInPlace(restore, touchedBy(plan, ends), ways);
    for (const entry of [...ends.values()].sort((a, b) => b.path.length - a.path.length)) {
      await within(restore, entry, () => adjust(ways, entry, restore.owner));
    }
  } finally {
    await ways.close();
  }
}

/** Folders that change, or in which something does, by their keys. */
function foldersAtTheEnd({ changes, folders }: Planned): ReadonlyMap<string, FileEntry> {
  const ends = new Map<string, FileEntry>();
  if (changes.count('attributes') > 0) {
    for (const { kind, entry } of changes) {
      if (kind === 'attributes' && entry.type === 'folder') ends.set(keyOf(entry.root, entry.path), entry);
    }
  }
  for (const folder of folders) ends.set(keyOf(folder.root, folder.path), folder);
  return ends;
}

/** What is there now, each once. */
function* touchedBy({ changes }: Planned, ends: ReadonlyMap<string, FileEntry>): Generator<FileEntry> {
  for (const { kind, entry } of changes) {
    if (kind !== 'remove' && !ends.has(keyOf(entry.root, entry.path))) yield entry;
  }
  yield* ends.values();
}

/** What was made ready has its extended attributes by now; folders, and what only differs in them, get theirs here. */
async function markInPlace(restore: FilesRestore, touched: Iterable<FileEntry>, ways: Ways): Promise<void> {
  const table = await readAttributes(restore.roots, restore.signal);
  for (const entry of touched) {
    const isBearer = entry.type === 'folder' || (entry.type === 'file' && entry.sameAs === undefined);
    const [has, wanted] = [table?.(entry) ?? {}, entry.attributes ?? {}];
    if (!isBearer || isSameAttributes(has, wanted)) continue;
    await within(restore, entry, () => opened(ways, entry, (handle) => writeAttributes(handle, { has, wanted })));
  }
}

const RUN_LENGTH = 256;
/** Below this, one after the other is as quick. */
const SHORT_RUN = 16;

/** Cuts changes into runs, in their order: of what is put into one folder many at once, of all else one. */
function* runsOf(changes: Iterable<Change>): Generator<readonly Change[]> {
  let run: Change[] = [];
  for (const change of changes) {
    const [first] = run;
    if (first !== undefined && !(run.length < RUN_LENGTH && isBeside(first, change))) {
      yield run;
      run = [];
    }
    run.push(change);
  }
  if (run.length > 0) yield run;
}

function isBeside(a: Change, b: Change): boolean {
  if (a.kind !== 'put' || b.kind !== 'put' || a.entry.root !== b.entry.root) return false;
  return a.entry.path !== '' && b.entry.path !== '' && folderOf(a.entry.path) === folderOf(b.entry.path);
}

function folderOf(path: BytePath): BytePath {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}

/** Puts the beginning of a run in place, and says how many; what then fails is left to who does it one by one. */
async function placeRun(
  { store }: FilesRestore,
  run: readonly Change[],
  ways: Ways,
  stages: ReadonlyMap<number, Stage>,
): Promise<number> {
  const [first] = run;
  const stage = first === undefined ? undefined : stages.get(first.entry.root);
  if (first === undefined || stage === undefined || run.length < SHORT_RUN) return 0;
  const { parent } = await ways.to(first.entry);
  const entries = run.map(({ entry }) => entry);
  return await stage.placeMany(entries, parent, store);
}

async function within(restore: FilesRestore, entry: FileEntry, act: () => Promise<void>): Promise<void> {
  try {
    await act();
  } catch (error) {
    throw explained(error, shownIn(restore, entry));
  }
}

async function remove(ways: Ways, entry: FileEntry): Promise<void> {
  const { parent, name } = await ways.to(entry);
  try {
    if (entry.type === 'folder') await rmdir(parent.at(name));
    else await unlink(parent.at(name));
  } catch (error) {
    const errno = errnoOf(error);
    // Gone already; or a folder that keeps what is left out of the target.
    if (errno !== 'ENOENT' && errno !== 'ENOTEMPTY' && errno !== 'EBUSY') throw error;
  }
}

async function carryOut(restore: FilesRestore, { kind, entry }: Change, ways: Ways, stages: Map<number, Stage>) {
  switch (kind) {
    case 'remove':
      return;
    case 'make': {
      const { parent, name } = await ways.to(entry);
      await mkdir(parent.at(name), { mode: 0o700 });
      return;
    }
    case 'put':
    case 'link': {
      const stage = await stageOf(restore, entry.root, stages);
      const { parent, name } = await ways.to(entry);
      await stage.place(entry, parent, name, restore.owner);
      return;
    }
    case 'join':
      await join(ways, entry);
      return;
    case 'attributes':
      if (entry.type === 'file') await adjust(ways, entry, restore.owner);
  }
}

/** Another name of a file of the same tree: beside its place first, and then over what stands there. */
async function join(ways: Ways, entry: FileEntry): Promise<void> {
  const first = await ways.to({ ...entry, path: entry.sameAs ?? '' });
  const from = first.parent.use();
  try {
    const { parent, name } = await ways.to(entry);
    const beside = `${STAGE_PREFIX}name`;
    await removeTree(parent, beside);
    await link(from.at(first.name), parent.at(beside));
    await rename(parent.at(beside), parent.at(name));
    // rename(2) does nothing at all if both are names of the same file.
    await removeTree(parent, beside);
  } finally {
    await from.letGo();
  }
}

async function adjust(ways: Ways, entry: FileEntry, owner: OwnerRule): Promise<void> {
  await opened(ways, entry, (handle) => applyTo(handle, entry, owner));
}

async function opened(ways: Ways, entry: FileEntry, use: (handle: FileHandle) => Promise<void>): Promise<void> {
  const { parent, name } = await ways.to(entry);
  const kind = entry.type === 'folder' ? O_DIRECTORY : O_NONBLOCK;
  const handle = await open(parent.at(name), O_RDONLY | O_NOFOLLOW | kind);
  try {
    const stats = await handle.stat();
    if (entry.type === 'file' && !stats.isFile()) throw new TargetError('changing', 'something else is in its place');
    await use(handle);
  } finally {
    await handle.close();
  }
}

/** Looks whether all is as it should be; content was verified when it was made ready. */
async function refuseRest(restore: FilesRestore): Promise<void> {
  const { changes } = await planOf(restore, 'attributes');
  const first = firstUndone(changes);
  if (first === undefined) return;
  const message = `${shownIn(restore, first.entry)} is still not as in the snapshot (${first.kind}); somebody changes it meanwhile`;
  throw new TargetError('changing', message);
}

/** A folder stays where something is in it that the target leaves out. */
export function firstUndone(changes: ChangeList): Change | undefined {
  for (const change of changes) if (change.kind !== 'remove' || change.entry.type !== 'folder') return change;
  return undefined;
}

function tally({ changes, left }: RestorePlan): Restored {
  const put = changes.count('put', 'link', 'join', 'make');
  return { put, removed: changes.count('remove'), adjusted: changes.count('attributes'), left };
}

/** The way to something: its folder, opened from the root on and through no link. The last one is kept open. */
class Ways {
  readonly #roots: readonly OpenRoot[];
  #open: { readonly key: string; readonly folder: OpenFolder } | undefined;

  constructor(roots: readonly OpenRoot[]) {
    this.#roots = roots;
  }

  /** Stays open until the next call. */
  async to({ root: index, path }: Pick<FileEntry, 'root' | 'path'>): Promise<{ parent: OpenFolder; name: BytePath }> {
    const root = rootAt(this.#roots, index);
    if (path === '') return { parent: root.parent, name: root.name };
    const parts = path.split('/');
    const name = parts.pop() ?? '';
    const key = `${index}:${parts.join('/')}`;
    if (this.#open?.key !== key) {
      await this.close();
      this.#open = { key, folder: await descend(root, parts) };
    }
    return { parent: this.#open?.folder ?? root.parent, name };
  }

  async close(): Promise<void> {
    const open = this.#open;
    this.#open = undefined;
    await open?.folder.letGo();
  }
}

async function descend(root: OpenRoot, parts: readonly BytePath[]): Promise<OpenFolder> {
  let folder = await root.parent.enter(root.name);
  for (const part of parts) {
    const outer = folder;
    try {
      folder = await outer.enter(part);
    } finally {
      await outer.letGo();
    }
  }
  return folder;
}

function rootAt(roots: readonly OpenRoot[], index: number): OpenRoot {
  const root = roots[index];
  if (root === undefined) throw new TargetError('snapshot', `the snapshot names a path ${index} that it does not have`);
  return root;
}

function shownIn({ roots }: FilesRestore, { root, path }: Pick<FileEntry, 'root' | 'path'>): string {
  return shownBelow(roots[root] ?? { path: '' }, path);
}

/** One call for all that was written, instead of one for each file. */
async function makeDurable(folder: OpenFolder): Promise<void> {
  const why = await syncFileSystem(`/proc/${process.pid}/fd/${folder.handle.fd}/.`);
  if (why !== undefined) throw new TargetError('io', `what was written cannot be made durable: \`sync -f\`: ${why}`);
}

/**
 * Has the disk write while the next files are made ready: else it would be idle until the end, and all would wait for it
 * then. What it comes to does not matter, as everything is made durable once more when all is written.
 */
class EarlySync {
  #waiting = 0;
  #running: Promise<void> | undefined;

  wrote(folder: OpenFolder, bytes: number): void {
    this.#waiting += bytes;
    if (this.#waiting < EARLY_BYTES || this.#running !== undefined) return;
    this.#waiting = 0;
    this.#running = makeDurable(folder)
      .catch(() => undefined)
      .finally(() => (this.#running = undefined));
  }

  /** The folders can be let go of then. */
  async end(): Promise<void> {
    await this.#running;
  }
}

export function describeRestored({ put, removed, adjusted, left }: Restored): string {
  const parts = [`${put} put in place`, `${removed} removed`, `${adjusted} adjusted`];
  return left > 0 ? `${parts.join(', ')}; ${left} pipe(s), socket(s) or device(s) left as they are` : parts.join(', ');
}

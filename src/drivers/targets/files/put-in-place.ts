import { constants } from 'node:fs';
import { type FileHandle, link, mkdir, open, rename, rmdir, unlink } from 'node:fs/promises';
import { errnoOf } from '../../../store/content/content-error.ts';
import { TargetError } from '../target-driver.ts';
import type { BytePath } from './byte-path.ts';
import { type Change, type ChangeKind, NOTHING_SEEN, sightOf } from './change-list.ts';
import { STAGE_PREFIX } from './exclusion.ts';
import { isSameAttributes, readAttributes, writeAttributes } from './extended-attributes.ts';
import { type FileEntry, typeOf } from './file-entry.ts';
import { stageOf } from './make-ready.ts';
import { removeTree } from './remove-tree.ts';
import type { FilesRestore, Planned } from './restore.ts';
import { keyOf } from './restore-plan.ts';
import { entryOf } from './scan.ts';
import { applyTo, type OwnerRule, type Stage } from './stage.ts';
import { makeDurable } from './sync-folder.ts';
import { explained, isGone } from './walk.ts';
import { shownIn, Ways } from './ways.ts';

const { O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants;

/** Renames, and little else: what is removed, what is put, and at the end what folders look like. */
export async function putInPlace(restore: FilesRestore, plan: Planned, stages: Map<number, Stage>): Promise<void> {
  const { at = () => undefined } = restore;
  const ways = new Ways(restore.roots);
  try {
    for (const change of plan.changes.backwards('remove')) {
      const { entry } = change;
      await within(restore, entry, async () => {
        await refuseChanged(restore, change, ways);
        await remove(ways, entry);
      });
      at('removed');
    }
    for (const run of runsOf(plan.changes)) {
      const placed = await placeRun(restore, run, ways, stages);
      for (const _change of run.slice(0, placed)) at('changed');
      for (const change of run.slice(placed)) {
        const { kind, entry } = change;
        if (kind === 'remove') continue;
        await within(restore, entry, async () => {
          await refuseChanged(restore, change, ways);
          await carryOut(restore, { entry, kind }, ways, stages);
        });
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
  { store, looksAgain = false }: FilesRestore,
  run: readonly Change[],
  ways: Ways,
  stages: ReadonlyMap<number, Stage>,
): Promise<number> {
  const [first] = run;
  const stage = first === undefined ? undefined : stages.get(first.entry.root);
  if (first === undefined || stage === undefined || run.length < SHORT_RUN || looksAgain) return 0;
  const { parent } = await ways.to(first.entry);
  const entries = run.map(({ entry }) => entry);
  return await stage.placeMany(entries, parent, store);
}

async function within(restore: FilesRestore, entry: FileEntry, act: () => Promise<void>): Promise<void> {
  try {
    await act();
  } catch (error) {
    throw explained(error, shownIn(restore.roots, entry));
  }
}

/**
 * What was changed since it was planned is not overwritten: in a merge it would have to be merged first. Rejects with
 * TargetError `changing`.
 */
async function refuseChanged({ looksAgain = false, roots }: FilesRestore, { entry, seen }: Change, ways: Ways) {
  if (!looksAgain || (await sightAt(ways, entry)) === seen) return;
  throw new TargetError('changing', `${shownIn(roots, entry)} was changed by somebody meanwhile`);
}

/** Undefined where no folder leads there any more. */
async function sightAt(ways: Ways, entry: FileEntry): Promise<bigint | undefined> {
  try {
    const { parent, name } = await ways.to(entry);
    const stats = await parent.look(name).catch((error: unknown) => {
      if (errnoOf(error) === 'ENOENT') return undefined;
      throw error;
    });
    return stats === undefined ? NOTHING_SEEN : sightOf(entryOf(entry.root, entry.path, typeOf(stats), stats));
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
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

async function carryOut(
  restore: FilesRestore,
  { kind, entry }: Pick<Change, 'entry'> & { readonly kind: Exclude<ChangeKind, 'remove'> },
  ways: Ways,
  stages: Map<number, Stage>,
) {
  switch (kind) {
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

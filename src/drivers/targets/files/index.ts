import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { describeMerge, type MergeReport } from '../../../core/merge/merge-report.ts';
import type { Snapshot } from '../../../core/model/point.ts';
import type { TargetOf } from '../../../core/model/target.ts';
import { errnoOf } from '../../../store/content/content-error.ts';
import type { AllowList } from '../../allow-list.ts';
import { type CapturedHost, type PointContext, type TargetDiff } from '../captured-target.ts';
import { type CapturedContext, type CapturedOrder, capturedTargetDriver } from '../captured-target-driver.ts';
import { mustQuiesce } from '../quiesce.ts';
import { type MergeOrder, type TargetDriver, TargetError } from '../target-driver.ts';
import { wholeContent } from '../whole-content.ts';
import { captureFiles, withRoots } from './capture.ts';
import { diffTrees } from './diff-files.ts';
import { readAttributes } from './extended-attributes.ts';
import type { FileEntry, FilesHead } from './file-entry.ts';
import { mergeFiles } from './merge-files.ts';
import { sumOnly } from './read-file.ts';
import { describeRestored, type FilesRestore, firstUndone, planOf, restoreFiles } from './restore.ts';
import { noNotes, scan } from './scan.ts';
import { selectionOf } from './selection.ts';
import { entriesOf, headOf } from './snapshot-content.ts';
import type { OpenRoot } from './walk.ts';

/** Trees of files, captured into the content store and put back from there. */
export function filesTarget(host: CapturedHost): TargetDriver {
  return capturedTargetDriver(host, {
    kind: 'files',
    look,
    restore: (order, context) => restoreTarget(host, order, context),
    merge: (order, context) => mergeTarget(host, order, context),
    observe: observeTarget,
    capture: captureFiles,
    diff: diffTarget,
    shownLine: ({ path }) => (typeof path === 'string' ? path : JSON.stringify(path)),
    rehearse,
  });
}

async function look({ type }: TargetOf<'files'>): ReturnType<TargetDriver['read']> {
  const times = await withRoots(type.paths, async (roots) => {
    const stats = await Promise.all(roots.map(async ({ parent, name }) => await parent.look(name)));
    return stats.map(({ mtimeMs }) => Number(mtimeMs));
  });
  return { kind: 'captured', changedAt: Math.max(...times) };
}

type Order = CapturedOrder<TargetOf<'files'>>;

async function restoreTarget(
  { allow, at }: CapturedHost,
  { target, snapshot, paths }: Order,
  context: CapturedContext,
): Promise<string> {
  const { store, signal, progress = () => undefined } = context;
  const head = await headOf(store, snapshot);
  refuseOthers(target, head);
  return await withRoots(head.roots, async (roots) => {
    refuseDisallowed(allow, head, roots);
    const quiesce = () => mustQuiesce(target, context);
    const restore = restoreOf(target, { store, snapshot, head, roots, quiesce, signal, progress }, paths);
    return describeRestored(await restoreFiles(at === undefined ? restore : { ...restore, at }));
  });
}

async function mergeTarget(
  { allow, at }: CapturedHost,
  { target, snapshot, paths, merge: { ancestor, ...spec } }: Order & { readonly merge: MergeOrder },
  context: CapturedContext,
): Promise<{ readonly detail: string; readonly report: MergeReport }> {
  const { store, signal, operation, log, progress = () => undefined, onPhase = () => undefined } = context;
  const [head, ancestorHead] = [await headOf(store, snapshot), await headOf(store, ancestor)];
  refuseOthers(target, head);
  refuseOtherAncestor(head, ancestorHead);
  const session = await store.begin({ operation, signal });
  try {
    return await withRoots(head.roots, async (roots) => {
      refuseDisallowed(allow, head, roots);
      const quiesce = () => mustQuiesce(target, context);
      const heads = [head, ancestorHead];
      const parts = { store, snapshot, head, roots, quiesce, signal, progress };
      const restore = restoreOf(target, parts, paths, heads);
      const merge = {
        ...restore,
        ancestor,
        ancestorHead,
        spec,
        session,
        log,
        onPhase,
        ...(at === undefined ? {} : { at }),
      };
      const { report, restored } = await mergeFiles(merge);
      const said = describeMerge(report);
      return { report, detail: report.end === 'completed' ? `${describeRestored(restored)}; ${said}` : said };
    });
  } finally {
    // What was merged is in place, or is merged anew.
    store.release(operation);
  }
}

/** @throws {TargetError} `snapshot` */
function refuseOtherAncestor({ roots }: FilesHead, ancestor: FilesHead): void {
  if (roots.length === ancestor.roots.length && roots.every((root, index) => root === ancestor.roots[index])) return;
  const message = `the ancestor has ${ancestor.roots.join(', ')} and the point ${roots.join(', ')}; they cannot be held against each other`;
  throw new TargetError('snapshot', message);
}

type Parts = Pick<FilesRestore, 'store' | 'snapshot' | 'head' | 'roots' | 'quiesce' | 'signal' | 'progress'>;

/** What was left out when it was captured is not in the snapshot, and must not be taken for removed. */
function restoreOf(
  { type }: TargetOf<'files'>,
  parts: Parts,
  paths: readonly string[],
  heads: readonly FilesHead[] = [parts.head],
): FilesRestore {
  const exclude = [...new Set([...heads.flatMap((head) => head.exclude), ...type.exclude])];
  const oneFileSystem = type.oneFileSystem || heads.some((head) => head.oneFileSystem);
  return { ...parts, exclude, oneFileSystem, selection: selectionOf(parts.head, paths, exclude), owner: 'keep' };
}

/** @throws {TargetError} `snapshot`: policies have changed since, and what they no longer name is not touched. */
function refuseOthers({ name, type }: TargetOf<'files'>, { roots }: FilesHead): void {
  const others = roots.filter((root) => !type.paths.includes(root));
  if (others.length === 0) return;
  throw new TargetError('snapshot', `the point has ${others.join(', ')}, which ${name} has no longer`);
}

function refuseDisallowed(allow: AllowList, { roots: named }: FilesHead, roots: readonly OpenRoot[]): void {
  for (const path of [...named, ...roots.map((root) => root.path)]) {
    const refused = allow.mayWrite(path);
    if (refused !== undefined) throw new TargetError('notAllowed', refused);
  }
}

async function observeTarget(
  { target, snapshot, paths }: Order,
  { signal, store }: Pick<PointContext, 'signal' | 'store'>,
): Promise<'done' | 'notDone'> {
  const head = await headOf(store, snapshot);
  return await withRoots(head.roots, async (roots) => {
    const idle = { quiesce: () => Promise.resolve(), signal, progress: () => undefined };
    const { changes } = await planOf(restoreOf(target, { store, snapshot, head, roots, ...idle }, paths));
    return firstUndone(changes) === undefined ? 'done' : 'notDone';
  });
}

async function diffTarget(
  { type }: TargetOf<'files'>,
  from: Snapshot,
  to: Snapshot | 'live',
  { store, signal, progress }: PointContext,
): Promise<TargetDiff> {
  const head = await headOf(store, from);
  if (to !== 'live') {
    const readLater = async ({ content }: FileEntry) =>
      content === undefined ? undefined : await wholeContent(store, content);
    const parts = { roots: head.roots, store, readLater };
    return { groups: await diffTrees(entriesOf(store, from), entriesOf(store, to), parts) };
  }
  const notes = noNotes();
  return await withRoots(head.roots, async (roots) => {
    const live = scan({
      roots,
      attributes: head.attributes ? await readAttributes(roots, signal) : undefined,
      exclude: [...head.exclude, ...type.exclude],
      oneFileSystem: head.oneFileSystem,
      signal,
      known: entriesOf(store, from),
      reuse: () => {
        progress({ bytes: notes.bytes, files: notes.files });
        return Promise.resolve(true);
      },
      sink: () => sumOnly,
      notes,
    });
    const readLater = (entry: FileEntry) => readLive(roots, entry);
    return { groups: await diffTrees(entriesOf(store, from), live, { roots: head.roots, store, readLater }) };
  });
}

const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants;

/** A small file for its lines; undefined if it is something else by now. */
async function readLive(roots: readonly OpenRoot[], { root, path, size }: FileEntry): Promise<Buffer | undefined> {
  const at = roots[root];
  if (at === undefined) return undefined;
  let folder = at.parent.use();
  try {
    const parts = path === '' ? [at.name] : [at.name, ...path.split('/')];
    for (const part of parts.slice(0, -1)) {
      const outer = folder;
      folder = await outer.enter(part);
      await outer.letGo();
    }
    const handle = await open(folder.at(parts.at(-1) ?? ''), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    try {
      if (!(await handle.stat()).isFile()) return undefined;
      const { bytesRead, buffer } = await handle.read(Buffer.alloc(size), 0, size, 0);
      return buffer.subarray(0, bytesRead);
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return undefined;
  } finally {
    await folder.letGo();
  }
}

/** Into numbered folders and files, whoever owns them; live and its owner are not concerned. */
async function rehearse(
  target: TargetOf<'files'>,
  snapshot: Snapshot,
  folder: string,
  { store, signal, progress }: PointContext,
): Promise<{ path: string; detail: string }> {
  const head = await headOf(store, snapshot);
  const places = head.roots.map((_root, index) => join(folder, String(index)));
  return await withRoots(places, async (roots) => {
    const quiesce = () => Promise.resolve();
    const parts = { store, snapshot, head: { ...head, roots: places }, roots, quiesce, signal, progress };
    const owner = process.geteuid?.() === 0 ? 'keep' : 'ifAllowed';
    const restore: FilesRestore = {
      ...restoreOf({ ...target, type: { ...target.type, exclude: [] } }, parts, []),
      owner,
    };
    const detail = describeRestored(await restoreFiles(restore));
    const { changes } = await planOf(restore);
    const wrong = changes.length - (owner === 'keep' ? 0 : changes.count('attributes'));
    if (wrong > 0) throw new TargetError('damaged', `${wrong} things are not as in the snapshot after it`);
    return { path: folder, detail };
  });
}

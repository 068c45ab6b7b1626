import { eachInOrder } from '../../../store/content/in-order.ts';
import { SHORT_BYTES } from '../../../store/content/take-file.ts';
import { TargetError } from '../target-driver.ts';
import type { Change } from './change-list.ts';
import type { FilesRestore, Planned } from './restore.ts';
import { Stage } from './stage.ts';
import { EarlySync, makeDurable } from './sync-folder.ts';
import { explained } from './walk.ts';
import { rootAt, shownIn } from './ways.ts';

/** Of each that is long, a few pieces are in memory. */
const LONG_AT_ONCE = 4;
const SHORT_AT_ONCE = 32;
const BLOCK = 4096;

/** Writes what is to be put in place beside it, where it is durable. Rejects before anything is touched. */
export async function makeReady(restore: FilesRestore, plan: Planned, stages: Map<number, Stage>): Promise<void> {
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
      throw explained(error, shownIn(restore.roots, entry));
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

export async function stageOf({ roots }: FilesRestore, index: number, stages: Map<number, Stage>): Promise<Stage> {
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

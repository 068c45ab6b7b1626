import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { CaptureAction, ValidateAction } from '../../core/model/action.ts';
import type { Snapshot } from '../../core/model/point.ts';
import type { Step } from '../../core/model/step.ts';
import type { Target } from '../../core/model/target.ts';
import type { Millis } from '../../core/units.ts';
import type { Progress } from '../../drivers/targets/captured-target.ts';
import type { TargetDrivers } from '../../drivers/targets/registry.ts';
import { checkRestored } from '../../drivers/targets/rehearse-captured.ts';
import type { RehearsalContext } from '../../drivers/targets/target-driver.ts';
import { ContentError } from '../../store/content/content-error.ts';
import type { ContentStore } from '../../store/content/content-store.ts';

/** What the operations of points need of the daemon. */
export type PointWork = {
  readonly signal: AbortSignal;
  readonly operation: string;
  readonly hostName: string;
  readonly targets: TargetDrivers;
  readonly content: () => Promise<ContentStore>;
  /** The most bytes that a target's capture may find. */
  readonly room: () => Promise<number>;
  /** A folder for restores that touch nothing live; on the same disk as the content. */
  readonly scratch: string;
  readonly now: () => Millis;
  readonly log: (line: string) => void;
  readonly progress: (done: Progress) => void;
  /** Makes one check, of any kind. Never rejects. */
  readonly ask: RehearsalContext['ask'];
  readonly perform: (step: Step) => Promise<{ readonly outcome: string; readonly detail: string }>;
};

export type CaptureResult =
  | { readonly outcome: 'done'; readonly detail: string; readonly snapshots: readonly Snapshot[] }
  | { readonly outcome: 'failed'; readonly detail: string };

/**
 * Captures the targets one after the other, once what must stand still does. What was stored stays protected from
 * collection until `releaseCapture`, also of a capture that failed half-way.
 */
export async function capturePoint(action: CaptureAction, work: PointWork): Promise<CaptureResult> {
  for (const step of action.quiesce) {
    const { outcome, detail } = await work.perform(step);
    if (outcome !== 'done') return { outcome: 'failed', detail: `what must stand still does not: ${detail}` };
  }
  return await explained(async () => {
    const store = await work.content();
    const snapshots: Snapshot[] = [];
    for (const target of action.targets) {
      const captured = await captureTarget(action, target, store, work);
      if (captured.outcome === 'failed') return { outcome: 'failed', detail: `${target.name}: ${captured.detail}` };
      snapshots.push(captured.snapshot);
    }
    const [bytes, stored] = [sum(snapshots, 'bytes'), sum(snapshots, 'storedBytes')];
    return { outcome: 'done', detail: `${bytes} bytes, ${stored} of them new in the store`, snapshots };
  });
}

async function captureTarget(
  { previous, compression, flags, recover = false }: CaptureAction,
  target: Target,
  store: ContentStore,
  { targets, signal, operation, now, log, progress, room }: PointWork,
): Promise<{ readonly outcome: 'done'; readonly snapshot: Snapshot } | { readonly outcome: 'failed'; detail: string }> {
  const { points } = targets[target.type.kind];
  const known = previous[target.name];
  const state = flags?.[target.name];
  const most = await room();
  const tooLarge = new AbortController();
  const context = {
    signal: AbortSignal.any([signal, tooLarge.signal]),
    operation,
    now,
    log,
    progress: (done: Progress) => {
      progress(done);
      if (done.bytes > most) tooLarge.abort();
    },
    store,
    compression,
    recover,
  };
  const captured = await points.capture(target, {
    ...context,
    ...(known === undefined ? {} : { previous: known }),
    ...(state === undefined ? {} : { flags: state }),
  });
  if (tooLarge.signal.aborted || (captured.outcome === 'done' && captured.snapshot.bytes > most)) {
    return {
      outcome: 'failed',
      detail: `it is larger than ${most} bytes, the most that the configuration leaves it (points.maxSnapshotSize, or points.memoryLimit without persistence)`,
    };
  }
  if (captured.outcome === 'failed') return captured;
  return { outcome: 'done', snapshot: { ...captured.snapshot, target: target.name, type: target.type.kind } };
}

/** Once the outcome is in the log, the point itself says what it needs. */
export async function releaseCapture({ content, operation }: Pick<PointWork, 'content' | 'operation'>): Promise<void> {
  try {
    (await content()).release(operation);
  } catch (error) {
    if (!(error instanceof ContentError)) throw error;
  }
}

/** `unknown`: it could not be found out, which says nothing of the point. */
export async function validatePoint(
  action: ValidateAction,
  work: PointWork,
): Promise<{ readonly outcome: 'done' | 'failed' | 'unknown'; readonly detail: string }> {
  const folder = join(work.scratch, 'rehearsal');
  try {
    const store = await work.content();
    const details: string[] = [];
    for (const snapshot of action.snapshots) {
      const verdict = await validateSnapshot(action, snapshot, store, folder, work);
      if (verdict.outcome !== 'done') return { ...verdict, detail: `${snapshot.target}: ${verdict.detail}` };
      details.push(`${snapshot.target}: ${verdict.detail}`);
    }
    return { outcome: 'done', detail: details.join('; ') };
  } catch (error) {
    if (error instanceof ContentError || isErrno(error)) return { outcome: 'unknown', detail: error.message };
    throw error;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function validateSnapshot(
  action: ValidateAction,
  snapshot: Snapshot,
  store: ContentStore,
  folder: string,
  { targets, signal, progress, ask }: PointWork,
): Promise<{ readonly outcome: 'done' | 'failed' | 'unknown'; readonly detail: string }> {
  const target = action.targets.find(({ name }) => name === snapshot.target);
  if (target === undefined) return await validateContent(snapshot, store, signal);
  const { points } = targets[target.type.kind];
  const context = { signal, store, progress };
  const verdict = await points.verify(target, snapshot, context);
  if (verdict.outcome === 'invalid') {
    return { outcome: 'failed', detail: [verdict.detail, ...verdict.faults.slice(0, 3)].join('; ') };
  }
  if (verdict.outcome === 'failed') return { outcome: 'unknown', detail: verdict.detail };
  if (!action.rehearse) return { outcome: 'done', detail: verdict.detail };
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const rehearsal = await points.rehearse(target, snapshot, folder, context);
  if (rehearsal.outcome === 'failed') {
    return { outcome: 'unknown', detail: `its content is intact, but it could not be restored: ${rehearsal.detail}` };
  }
  const found = await checkRestored(target, rehearsal, `${verdict.detail}, and it can be restored`, ask);
  switch (found.outcome) {
    case 'ready':
      return { outcome: 'done', detail: found.detail };
    case 'obstacle':
      return {
        outcome: 'failed',
        detail: `its content is as it was stored, and not what it should be: ${found.detail}`,
      };
    case 'unknown':
      return { outcome: 'unknown', detail: `it was restored beside the live system: ${found.detail}` };
  }
}

/** Of a target that git no longer has only the sums can be told. */
async function validateContent(
  { manifest }: Snapshot,
  store: ContentStore,
  signal: AbortSignal,
): Promise<{ readonly outcome: 'done' | 'failed'; readonly detail: string }> {
  const { bytes, faults } = await store.verify(manifest, { signal });
  const [first] = faults;
  return first === undefined
    ? { outcome: 'done', detail: `${bytes} bytes as they were stored` }
    : { outcome: 'failed', detail: `${faults.length} piece(s) are not as they were stored: ${first.message}` };
}

/**
 * Deletes what no point needs. Of a damaged point as much is kept as can be told; where its manifest cannot be read any
 * more, nobody knows what that would be, and the rest goes by the others.
 */
export async function collectContent(
  needed: { readonly sound: readonly string[]; readonly damaged: readonly string[] },
  { content, signal, log }: Pick<PointWork, 'content' | 'signal' | 'log'>,
): Promise<{ readonly outcome: 'done' | 'failed'; readonly detail: string }> {
  return await explained(async () => {
    const store = await content();
    const collect = async (keep: readonly string[]) => {
      const { manifests, blobs, bytes } = await store.collect(keep, signal);
      return { outcome: 'done', detail: `${manifests} snapshot(s), ${blobs} piece(s), ${bytes} bytes` } as const;
    };
    if (needed.damaged.length === 0) return await collect(needed.sound);
    try {
      return await collect([...needed.sound, ...needed.damaged]);
    } catch (error) {
      if (!(error instanceof ContentError) || signal.aborted) throw error;
      log(`a damaged point cannot be told what it needs: ${error.message}`);
      return await collect(needed.sound);
    }
  });
}

async function explained<T>(work: () => Promise<T>): Promise<T | { readonly outcome: 'failed'; detail: string }> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ContentError || isErrno(error)) return { outcome: 'failed', detail: error.message };
    throw error;
  }
}

function isErrno(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error;
}

function sum(snapshots: readonly Snapshot[], key: 'bytes' | 'storedBytes'): number {
  return snapshots.reduce((total, snapshot) => total + snapshot[key], 0);
}

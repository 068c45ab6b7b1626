import type { MergeReport } from '../../core/merge/merge-report.ts';
import type { Snapshot } from '../../core/model/point.ts';
import { databaseOf, type TargetKind, type TargetOf, targetOf } from '../../core/model/target.ts';
import { errnoOf } from '../../store/content/content-error.ts';
import type { ContentStore } from '../../store/content/content-store.ts';
import { obstacle } from '../steps/step-driver.ts';
import {
  type CaptureContext,
  type CapturedDriver,
  type CapturedHost,
  type CaptureOutcome,
  faultText,
  type PointContext,
  type Rehearsed,
  type TargetDiff,
} from './captured-target.ts';
import { examineCaptured, rehearseCaptured } from './rehearse-captured.ts';
import {
  type MergeOrder,
  type RestoreContext,
  type RestoreOutcome,
  type TargetDriver,
  TargetError,
  type TargetOrder,
} from './target-driver.ts';
import { type ShownLine, verifySnapshot } from './verify-snapshot.ts';

/** A restore that knows what it goes back to, and where that content is. */
export type CapturedOrder<T> = Omit<TargetOrder, 'target'> & { readonly target: T; readonly snapshot: Snapshot };

export type CapturedContext = RestoreContext & { readonly store: ContentStore };

/** What is particular to one kind of captured target. What it throws of the host or the store ends as an outcome. */
export type CapturedParts<K extends TargetKind, T = TargetOf<K>> = {
  readonly kind: K;
  /** What it throws of the host ends as a finding. */
  readonly look: (target: T, signal: AbortSignal) => ReturnType<TargetDriver['read']>;
  /** Why it could not be restored now, beyond the paths that the host allows. Never rejects. */
  readonly obstacle?: (target: T, signal: AbortSignal) => Promise<string | undefined>;
  /** Resolves with what it did, and what became of it. Absent where a kind of target cannot be merged. */
  readonly merge?: (
    order: CapturedOrder<T> & { readonly merge: MergeOrder },
    context: CapturedContext,
  ) => Promise<{ readonly detail: string; readonly report: MergeReport }>;
  /** Resolves with what it did. */
  readonly restore: (order: CapturedOrder<T>, context: CapturedContext) => Promise<string>;
  readonly observe: (
    order: CapturedOrder<T>,
    context: Pick<PointContext, 'signal' | 'store'>,
  ) => ReturnType<TargetDriver['observe']>;
  readonly capture: (target: T, context: CaptureContext) => Promise<CaptureOutcome>;
  readonly diff: (target: T, from: Snapshot, to: Snapshot | 'live', context: PointContext) => Promise<TargetDiff>;
  /** What a line of the manifest is called. */
  readonly shownLine: ShownLine;
  /** Resolves with what it did, and where the content is within the folder. */
  readonly rehearse: (target: T, snapshot: Snapshot, folder: string, context: PointContext) => Promise<Rehearsed>;
};

/** The driver of a kind of target whose states are kept as snapshots. */
export function capturedTargetDriver<K extends TargetKind>(
  { allow }: CapturedHost,
  parts: CapturedParts<K>,
): TargetDriver {
  const points = pointsOf(parts);
  return {
    read: async (target, signal) => {
      try {
        return await parts.look(targetOf(parts.kind, target), signal);
      } catch (error) {
        const code = error instanceof TargetError ? error.code : (errnoOf(error) ?? 'io');
        return { kind: 'unreadable', code, message: faultText(error) };
      }
    },
    refresh: () => Promise.resolve(undefined),
    prepare: () => Promise.resolve(null),
    restore: async (order, context) => {
      try {
        return await restore(parts, order, context);
      } catch (error) {
        return { outcome: 'failed', detail: faultText(error) };
      }
    },
    observe: async ({ snapshot, ...order }, signal, store) => {
      if (snapshot === undefined || store === undefined) return 'unknown';
      // What a merge comes to depends on what is live. It is done at once or not at all, and once more it changes nothing.
      if (order.merge !== undefined) return 'notDone';
      try {
        return await parts.observe(
          { ...order, snapshot, target: targetOf(parts.kind, order.target) },
          { signal, store },
        );
      } catch (error) {
        faultText(error);
        return 'unknown';
      }
    },
    examine: async (order, signal) => {
      const refused = await parts.obstacle?.(targetOf(parts.kind, order.target), signal);
      return refused === undefined ? examineCaptured(allow, order) : obstacle(refused);
    },
    rehearse: (order, context) =>
      rehearseCaptured({ ...order, target: targetOf(parts.kind, order.target) }, points, context),
    keep: () => Promise.resolve(),
    points,
  };
}

async function restore<K extends TargetKind>(
  parts: CapturedParts<K>,
  { snapshot, ...order }: TargetOrder,
  { store, ...context }: RestoreContext,
): Promise<RestoreOutcome> {
  if (snapshot === undefined || store === undefined) {
    throw new TargetError('snapshot', `${order.target.name} can only be restored from a point; ${order.to} is none`);
  }
  if (order.rows !== undefined && databaseOf(order.target.type) === undefined) {
    throw new TargetError('snapshot', `${order.target.name} has no tables`);
  }
  const target = targetOf(parts.kind, order.target);
  if (order.merge === undefined) {
    const detail = await parts.restore({ ...order, snapshot, target }, { ...context, store });
    return { outcome: 'done', detail };
  }
  if (parts.merge === undefined) {
    throw new TargetError('snapshot', `${target.name} is of type ${target.type.kind}, which cannot be merged`);
  }
  context.onPhase?.('analyzing');
  const merged = await parts.merge({ ...order, merge: order.merge, snapshot, target }, { ...context, store });
  const { detail, report } = merged;
  const isDone = report.end === 'completed' || report.end === 'partiallyCompleted';
  return { outcome: isDone ? 'done' : 'failed', detail, merge: report };
}

function pointsOf<K extends TargetKind>(parts: CapturedParts<K>): CapturedDriver {
  return {
    capture: async (target, context) => {
      try {
        return await parts.capture(targetOf(parts.kind, target), context);
      } catch (error) {
        context.store.release(context.operation);
        return { outcome: 'failed', detail: faultText(error) };
      }
    },
    diff: (target, from, to, context) => parts.diff(targetOf(parts.kind, target), from, to, context),
    verify: (_target, snapshot, context) => verifySnapshot(snapshot, context, parts.shownLine),
    rehearse: async (target, snapshot, folder, context) => {
      try {
        return { outcome: 'done', ...(await parts.rehearse(targetOf(parts.kind, target), snapshot, folder, context)) };
      } catch (error) {
        return { outcome: 'failed', detail: faultText(error) };
      }
    },
  };
}

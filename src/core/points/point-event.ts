import type { MergeReport } from '../merge/merge-report.ts';
import { type ManualRestore, type RestoreId, type RestoreOutcome, restoreObject } from '../model/manual-restore.ts';
import { type Point, type PointId, pointObject } from '../model/point.ts';
import type { Millis } from '../units.ts';

/** What happens to rollback points, beside the operations that carry it out. */
export type PointEvent =
  | { readonly type: 'point.begun'; readonly point: Point }
  /** Its content was brought from elsewhere. */
  | { readonly type: 'point.imported'; readonly point: Point }
  /** It is given up before its capture could begin. */
  | { readonly type: 'point.dropped'; readonly point: PointId; readonly reason: string }
  /** A person ends its capture, if that is not done yet. */
  | { readonly type: 'point.cancelled'; readonly point: PointId; readonly by: string }
  | {
      readonly type: 'points.verifyAsked';
      readonly points: readonly PointId[];
      readonly by: string;
      readonly rehearse: boolean;
    }
  | { readonly type: 'point.pinned'; readonly point: PointId; readonly by: string; readonly reason?: string }
  | { readonly type: 'point.unpinned'; readonly point: PointId; readonly by: string }
  /** They can be brought back until `deleteAt`. */
  | { readonly type: 'points.pruned'; readonly points: readonly PrunedPoint[] }
  | { readonly type: 'point.undeleted'; readonly point: PointId; readonly by: string }
  /** They are forgotten; their content is collected from here on. */
  | { readonly type: 'points.deleted'; readonly points: readonly PointId[] }
  /** A run would have pruned more than its policy allows at once. */
  | {
      readonly type: 'points.pruneRefused';
      readonly policy: string;
      readonly points: readonly PointId[];
      readonly of: number;
      readonly maxFraction: number;
    }
  /** A person restores by hand. */
  | { readonly type: 'restore.begun'; readonly restore: ManualRestore }
  /** It set flags, or could not. */
  | {
      readonly type: 'restore.flagsSettled';
      readonly restore: RestoreId;
      readonly target: string;
      readonly result: RestoreOutcome;
    }
  | {
      readonly type: 'restore.ended';
      readonly restore: RestoreId;
      /** By target, of one that merges. */
      readonly merges?: Readonly<Record<string, MergeReport>>;
      readonly outcome: 'done' | 'failed';
      readonly detail: string;
    }
  /** The refused run is not wanted any more. */
  | { readonly type: 'points.pruneSettled'; readonly policy: string }
  /** A schedule is followed from here on; what it asked for before is not made up for. */
  | { readonly type: 'schedule.met'; readonly schedule: string; readonly expression: string }
  /** What was due at `dueAt` is begun. */
  | {
      readonly type: 'schedule.served';
      readonly schedule: string;
      readonly expression: string;
      readonly dueAt: Millis;
    }
  | { readonly type: 'schedule.forgotten'; readonly schedule: string };

export type PrunedPoint = { readonly id: PointId; readonly reason: string; readonly deleteAt: Millis };

export type PointEventType = PointEvent['type'];

/** Who is affected: see `subjectsOf`. */
export function subjectsOfPointEvent(event: PointEvent): string[] {
  switch (event.type) {
    case 'point.begun':
    case 'point.imported': {
      const { id, policy, cause } = event.point;
      const incident = cause.kind === 'rollback' ? [`Incident/${cause.incident}`] : [];
      return [pointObject(id), ...(policy === null ? [] : [`PointPolicy/${policy}`]), ...incident];
    }
    case 'point.dropped':
    case 'point.cancelled':
    case 'point.pinned':
    case 'point.unpinned':
    case 'point.undeleted':
      return [pointObject(event.point)];
    case 'points.verifyAsked':
    case 'points.deleted':
      return event.points.map(pointObject);
    case 'points.pruned':
      return event.points.map(({ id }) => pointObject(id));
    case 'points.pruneRefused':
    case 'points.pruneSettled':
      return [`PointPolicy/${event.policy}`];
    case 'restore.begun': {
      const { id, point, safety } = event.restore;
      return [restoreObject(id), pointObject(point), pointObject(safety)];
    }
    case 'restore.flagsSettled':
    case 'restore.ended':
      return [restoreObject(event.restore)];
    case 'schedule.met':
    case 'schedule.served':
    case 'schedule.forgotten':
      return [];
  }
}

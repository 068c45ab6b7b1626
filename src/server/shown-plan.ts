import type { ObjectChange } from '../core/compare/compare-policies.ts';
import { describeCause, type PointId } from '../core/model/point.ts';
import type { Revision } from '../core/model/revision.ts';
import type { Plan } from '../core/plan/plan.ts';
import type { Millis } from '../core/units.ts';
import { SCHEMA_VERSION } from './schema-version.ts';
import { type HoldGround, type HoldStatus, holdStatuses } from './status.ts';

/** A plan as it is shown, saved and applied; `schemas/plan.schema.json` describes it for programs. */
export type ShownPlan = {
  readonly schemaVersion: typeof SCHEMA_VERSION;
  readonly host: string;
  readonly version: string;
  readonly holds: readonly HoldStatus[];
  readonly points: PlannedPoints;
  /** Only for a range of revisions. */
  readonly comparison?: Comparison;
} & Pick<Plan, 'revision' | 'at' | 'actions' | 'withheld' | 'outlook' | 'conditions' | 'requeueAt' | 'complete'>;

/** What is decided of rollback points; capturing one is an action beside. */
export type PlannedPoints = {
  readonly begun: readonly {
    readonly point: PointId;
    readonly policy: string | null;
    readonly targets: readonly string[];
    /** Why it is taken. */
    readonly cause: string;
  }[];
  /** They can be brought back until `deleteAt`. */
  readonly pruned: readonly {
    readonly point: PointId;
    readonly policy: string | null;
    readonly reason: string;
    readonly deleteAt: Millis;
  }[];
  /** Pruned before, and not brought back in time. */
  readonly deleted: readonly PointId[];
};

export type Comparison = {
  readonly from: Revision;
  readonly to: Revision;
  readonly changes: readonly ObjectChange[];
};

/** Without what is nobody's but the daemon's: events, operations and memory. */
export function shownPlan(
  plan: Plan,
  { desired, windows }: Pick<HoldGround, 'desired' | 'windows'>,
  host: string,
  version: string,
): ShownPlan {
  const { revision, at, actions, withheld, outlook, conditions, requeueAt, complete, memory } = plan;
  const holds = holdStatuses({ desired, memory, now: at, windows });
  return {
    schemaVersion: SCHEMA_VERSION,
    host,
    version,
    revision,
    at,
    complete,
    actions,
    withheld,
    holds,
    points: plannedPoints(plan),
    outlook,
    conditions,
    requeueAt,
  };
}

function plannedPoints({ events, memory }: Plan): PlannedPoints {
  return {
    begun: events.flatMap((event) => {
      if (event.type !== 'point.begun') return [];
      const { id, policy, targets, cause } = event.point;
      return [{ point: id, policy, targets, cause: describeCause(cause) }];
    }),
    pruned: events.flatMap((event) =>
      event.type === 'points.pruned'
        ? event.points.map(({ id, reason, deleteAt }) => {
            const policy = memory.points[id]?.policy ?? null;
            return { point: id, policy, reason, deleteAt };
          })
        : [],
    ),
    deleted: events.flatMap((event) => (event.type === 'points.deleted' ? event.points : [])),
  };
}

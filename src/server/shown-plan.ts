import type { ObjectChange } from '../core/compare/compare-policies.ts';
import type { Revision } from '../core/model/revision.ts';
import type { Plan } from '../core/plan/plan.ts';
import { SCHEMA_VERSION } from './schema-version.ts';
import { type HoldGround, type HoldStatus, holdStatuses } from './status.ts';

/** A plan as it is shown, saved and applied; `schemas/plan.schema.json` describes it for programs. */
export type ShownPlan = {
  readonly schemaVersion: typeof SCHEMA_VERSION;
  readonly host: string;
  readonly version: string;
  readonly holds: readonly HoldStatus[];
  /** Only for a range of revisions. */
  readonly comparison?: Comparison;
} & Pick<Plan, 'revision' | 'at' | 'actions' | 'withheld' | 'outlook' | 'conditions' | 'requeueAt' | 'complete'>;

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
    outlook,
    conditions,
    requeueAt,
  };
}

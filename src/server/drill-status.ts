import { describeResult } from '../core/drills/drill-result.ts';
import { rungsOf } from '../core/drills/plan-drill.ts';
import { dueInstant } from '../core/drills/settle-drills.ts';
import type { Drill, DrillMode, DrillResult, DrillRun, RungResult } from '../core/model/drill.ts';
import { formatOrigin } from '../core/model/origin.ts';
import { NOTHING_OBSERVED } from '../core/observed.ts';
import type { Millis } from '../core/units.ts';
import type { HostView } from './host-view.ts';

export type DrillStatus = {
  readonly drill: string;
  readonly origin: string;
  readonly policy: string;
  readonly rungs: readonly string[];
  readonly mode: DrillMode;
  readonly rtoMs: Millis | null;
  readonly suspended: boolean;
  readonly schedule: string | null;
  readonly timezone: string;
  /** Since when it is due and waits; null when it is not. */
  readonly dueAt: Millis | null;
  readonly nextAt: Millis | null;
  readonly running: DrillProgress | null;
  readonly last: DrillResult | null;
  /** The last one, in one line. */
  readonly lastText: string | null;
  readonly lastSuccessAt: Millis | null;
};

/** How far a drill has come. */
export type DrillProgress = Pick<DrillRun, 'id' | 'startedAt' | 'cause' | 'mode'> & {
  readonly rungs: readonly Pick<RungResult, 'rung' | 'items'>[];
};

export function drillStatuses(view: HostView): DrillStatus[] {
  return Object.values(view.desired()?.drills ?? {}).map((drill) => drillStatus(drill, view));
}

export function drillStatus(drill: Drill, view: HostView): DrillStatus {
  const [desired, memory, times] = [view.desired(), view.memory(), view.drills() ?? {}];
  const policy = desired?.policies[drill.policy];
  const known = memory.drills?.[drill.name];
  const last = known?.last ?? null;
  return {
    drill: drill.name,
    origin: formatOrigin(drill.origin),
    policy: drill.policy,
    rungs: policy === undefined ? [] : rungsOf(policy, drill).map(({ name }) => name),
    mode: drill.mode,
    rtoMs: drill.rtoMs ?? policy?.rtoMs ?? null,
    suspended: drill.suspend,
    schedule: drill.schedule,
    timezone: drill.timezone,
    dueAt: dueInstant({ memory, observed: { ...NOTHING_OBSERVED, drills: times } }, drill),
    nextAt: drill.suspend ? null : (times[drill.name]?.next ?? null),
    running: known?.run === undefined || known.run === null ? null : progressOf(known.run),
    last,
    lastText: last === null ? null : describeResult(last),
    lastSuccessAt: known?.lastSuccessAt ?? null,
  };
}

function progressOf({ id, startedAt, cause, mode, rungs, items }: DrillRun): DrillProgress {
  return { id, startedAt, cause, mode, rungs: rungs.map(({ rung }) => ({ rung, items: items[rung] ?? [] })) };
}

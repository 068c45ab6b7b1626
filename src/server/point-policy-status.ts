import { formatOrigin } from '../core/model/origin.ts';
import { isValid, type Point } from '../core/model/point.ts';
import { type PointPolicy, takeKey, verifyKey } from '../core/model/point-policy.ts';
import { previewPrune } from '../core/points/point-commands.ts';
import { pointsInOrder } from '../core/points/points-by-state.ts';
import type { PruneRun } from '../core/points/prune-points.ts';
import { storedBytesOf } from '../core/points/verdicts.ts';
import type { Millis } from '../core/units.ts';
import type { HostView } from './host-view.ts';
import { type PointStatus, pointStatus } from './point-status.ts';

/** A schedule of a PointPolicy. `dueAt`: since when it is due and waits; null when it is not. */
export type ScheduleStatus = {
  readonly schedule: string;
  readonly dueAt: Millis | null;
  readonly nextAt: Millis | null;
};

export type PointPolicyStatus = {
  readonly policy: string;
  readonly origin: string;
  readonly suspended: boolean;
  readonly targets: readonly string[];
  readonly consistency: PointPolicy['consistency'];
  readonly compression: PointPolicy['compression'];
  readonly timezone: string;
  readonly take: ScheduleStatus | null;
  readonly before: PointPolicy['take']['before'];
  readonly after: PointPolicy['take']['after'];
  readonly verify: (ScheduleStatus & { readonly restoreTest: boolean }) | null;
  readonly ttlMs: Millis | null;
  readonly retain: PointPolicy['retain'];
  readonly prune: PointPolicy['prune'];
  /** The newest first. */
  readonly points: readonly PointStatus[];
  readonly valid: number;
  readonly storedBytes: number;
  /** What a prune would do now; null: nothing. */
  readonly wouldPrune: PruneRun | null;
  /** Of its points that failed or were found damaged, the newest. */
  readonly failures: readonly PointFailure[];
};

export type PointFailure = Pick<PointStatus, 'point' | 'state' | 'createdAt'> & { readonly failure: string };

const FAILURES_SHOWN = 5;

/** What a PointPolicy has done, keeps, and does next. */
export function pointPolicyStatus(policy: PointPolicy, view: HostView): PointPolicyStatus {
  const { name, take, verify } = policy;
  const memory = view.memory();
  const points = pointsInOrder(memory).filter((point) => point.policy === name);
  const situation = { desired: view.desired(), memory, now: view.now(), actor: '' };
  return {
    policy: name,
    origin: formatOrigin(policy.origin),
    suspended: policy.suspend,
    targets: policy.targets,
    consistency: policy.consistency,
    compression: policy.compression,
    timezone: policy.timezone,
    take: take.schedule === null ? null : scheduleStatus(view, policy, takeKey(name), take.schedule),
    before: take.before,
    after: take.after,
    verify:
      verify === null
        ? null
        : { ...scheduleStatus(view, policy, verifyKey(name), verify.schedule), restoreTest: verify.restoreTest },
    ttlMs: policy.ttlMs,
    retain: policy.retain,
    prune: policy.prune,
    points: points.map((point) => pointStatus(view, point)),
    valid: points.filter(isValid).length,
    storedBytes: points.reduce((sum, point) => sum + storedBytesOf(point), 0),
    wouldPrune: previewPrune(situation, { policy: name })[0] ?? null,
    failures: points.flatMap(failureOf).slice(0, FAILURES_SHOWN),
  };
}

function scheduleStatus(view: HostView, { suspend }: PointPolicy, key: string, schedule: string): ScheduleStatus {
  const times = view.schedules()?.[key];
  const served = view.memory().schedules[key];
  const last = times?.last ?? null;
  return {
    schedule,
    dueAt: suspend || served === undefined || last === null || last <= served.at ? null : last,
    nextAt: suspend ? null : (times?.next ?? null),
  };
}

function failureOf({ id, state, createdAt, failure }: Point): PointFailure[] {
  if (state !== 'failed' && state !== 'invalid') return [];
  return [{ point: id, state, createdAt, failure: failure ?? 'nobody knows why' }];
}

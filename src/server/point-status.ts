import type { MergePhase, MergeReport } from '../core/merge/merge-report.ts';
import {
  type CopyState,
  describeCause,
  isRecovered,
  type Point,
  type PointId,
  type PointState,
  type Snapshot,
} from '../core/model/point.ts';
import { notFound } from '../core/operator-commands.ts';
import { copiesOf } from '../core/points/copy-points.ts';
import { judgedPoints } from '../core/points/judged-points.ts';
import { pointCalled } from '../core/points/point-called.ts';
import { type PruneRequest, previewPrune } from '../core/points/point-commands.ts';
import { pointsInOrder } from '../core/points/points-by-state.ts';
import { newestComplete } from '../core/points/restore-source.ts';
import { boundaryOf, expiryOf, storedBytesOf, type Verdict } from '../core/points/verdicts.ts';
import { describeEvent } from '../core/report/describe-event.ts';
import type { Millis } from '../core/units.ts';
import type { HostView } from './host-view.ts';
import { HttpProblem } from './problem.ts';
import { SCHEMA_VERSION } from './schema-version.ts';

export type PointStatus = {
  readonly point: PointId;
  readonly name: string | null;
  readonly description: string | null;
  readonly policy: string | null;
  /** Why it was taken. */
  readonly cause: string;
  readonly targets: readonly string[];
  /** `expired`: it would be pruned, and a brake holds that. */
  readonly state: PointState;
  readonly createdAt: Millis;
  readonly completedAt: Millis | null;
  readonly bytes: number;
  readonly storedBytes: number;
  readonly pinned: Point['pinned'];
  /** Something in it is only what could be read of a damaged database; its snapshots say what. */
  readonly recovered: boolean;
  readonly failure: string | null;
  readonly verifiedAt: Millis | null;
  /** What keeps it, or why it goes. */
  readonly kept: boolean;
  readonly reasons: readonly string[];
  /** It is kept whatever its policy says: something rests on it. */
  readonly guarded: boolean;
  /** When time alone changes that next; null: only what happens does, such as a newer point. */
  readonly changesAt: Millis | null;
  readonly expiresAt: Millis | null;
  /** Of a pruned one: until when it can be brought back. */
  readonly deleteAt: Millis | null;
  /** By the copies that its policy wants, what became of each; null: it waits for its turn. */
  readonly copies: Readonly<Record<string, CopyState | null>>;
  /** Its content is to be read again, or is being. */
  readonly verifying: boolean;
  readonly progress: { readonly bytes: number; readonly files?: number; readonly total?: number } | null;
};

export type PointDetail = PointStatus & {
  readonly session: string | null;
  readonly metadata: Readonly<Record<string, string>>;
  readonly snapshots: readonly Snapshot[];
  readonly events: readonly { readonly at: Millis; readonly actor: string; readonly text: string | null }[];
};

/** The newest first. */
export function pointStatuses(view: HostView): PointStatus[] {
  const memory = view.memory();
  const { verdicts } = judgedPoints(view.desired() ?? {}, memory, view.now());
  return pointsInOrder(memory).map((point) => statusOf(view, point, verdicts.get(point.id)));
}

/** @throws CommandError if there is none. */
export function pointDetail(view: HostView, id: PointId): PointDetail {
  const point = pointCalled(view.memory(), id);
  const events = view.store?.events({ subject: `Point/${id}`, limit: 50 }) ?? [];
  return {
    ...pointStatus(view, point),
    session: point.session ?? null,
    metadata: point.metadata,
    snapshots: point.snapshots,
    events: events.map(({ actor, event }) => ({ at: event.at, actor, text: describeEvent(event) })),
  };
}

export function pointStatus(view: HostView, point: Point): PointStatus {
  return statusOf(view, point, judgedPoints(view.desired() ?? {}, view.memory(), view.now()).verdicts.get(point.id));
}

function statusOf(view: HostView, point: Point, verdict: Verdict | undefined): PointStatus {
  const policy = point.policy === null ? undefined : view.desired()?.pointPolicies?.[point.policy];
  return {
    point: point.id,
    name: point.name ?? null,
    description: point.description ?? null,
    copies: Object.fromEntries(
      copiesOf(view.desired()?.pointPolicies, point).map(({ name }) => [name, point.copies?.[name] ?? null]),
    ),
    policy: point.policy,
    cause: describeCause(point.cause),
    targets: point.targets,
    state: shownState(point, verdict),
    createdAt: point.createdAt,
    completedAt: point.completedAt,
    bytes: point.snapshots.reduce((sum, { bytes }) => sum + bytes, 0),
    storedBytes: storedBytesOf(point),
    pinned: point.pinned,
    recovered: isRecovered(point),
    failure: point.failure,
    verifiedAt: point.verifiedAt,
    kept: verdict?.kind === 'keep',
    reasons: reasonsOf(point, verdict),
    guarded: verdict?.kind === 'keep' && verdict.guarded,
    changesAt: boundaryOf(point, view.desired()?.pointPolicies ?? {}, view.now()),
    expiresAt: expiryOf(point, policy),
    deleteAt: point.pruned?.deleteAt ?? null,
    verifying: point.verify !== null,
    progress: view.pointProgress(point.id) ?? null,
  };
}

/** `expired`: it would be pruned, and a brake holds that. */
export function shownState({ state }: Point, verdict: Verdict | undefined): PointState {
  return verdict?.kind === 'prune' && state === 'valid' ? 'expired' : state;
}

function reasonsOf({ pruned }: Point, verdict: Verdict | undefined): readonly string[] {
  if (pruned !== null) return [pruned.reason];
  if (verdict === undefined) return [];
  return verdict.kind === 'keep' ? verdict.reasons : [verdict.reason];
}

/** The newest intact point of a target that was complete by a time. @throws HttpProblem | CommandError */
export function pointAt(view: HostView, query: URLSearchParams): PointStatus {
  const [target, at] = [query.get('target') ?? '', Number(query.get('at') ?? Number.NaN)];
  if (!Number.isFinite(at)) throw new HttpProblem(400, 'invalid', '`at` is a time in milliseconds since 1970');
  const targets = view.desired()?.targets ?? {};
  if (!Object.hasOwn(targets, target)) throw notFound('target', target, Object.keys(targets), 'revertd status');
  const found = newestComplete(view.memory(), target, at);
  if (found.kind === 'none') throw new HttpProblem(404, 'notFound', found.reason);
  return pointStatus(view, found.point);
}

/** What pruning now would be, and what stays, each with its reason. */
export function prunePreview(view: HostView, request: Omit<PruneRequest, 'confirm'>): unknown {
  const { policy } = request;
  const situation = { desired: view.desired(), memory: view.memory(), now: view.now(), actor: '' };
  const runs = previewPrune(situation, request);
  const going = new Set(runs.flatMap(({ points }) => points.map(({ id }) => id)));
  const kept = pointStatuses(view)
    .filter((point) => point.kept && !going.has(point.point) && (policy === undefined || point.policy === policy))
    .map(({ point, policy: by, reasons }) => ({ point, policy: by, reasons }));
  return { schemaVersion: SCHEMA_VERSION, runs, kept };
}

export type RestoreStatus = {
  readonly restore: string;
  readonly state: 'running' | 'done' | 'failed';
  readonly point: PointId;
  /** The point that undoes it. */
  readonly safety: PointId;
  readonly targets: readonly string[];
  readonly detail: string;
  /** By target, what a merge that is under way goes through now. */
  readonly phases?: Readonly<Record<string, MergePhase>>;
  /** By target, of one that merges: the states that it went through, and its conflicts. */
  readonly merges?: Readonly<Record<string, MergeReport>>;
};

/** Of a restore by hand, also of one that is over. @throws HttpProblem */
export function restoreStatus(view: HostView, id: string): RestoreStatus {
  const events = view.store?.events({ subject: `Restore/${id}`, limit: 10 }) ?? [];
  const begun = events.flatMap(({ event }) => (event.type === 'restore.begun' ? [event.restore] : []))[0];
  const ended = events.flatMap(({ event }) => (event.type === 'restore.ended' ? [event] : []))[0];
  if (begun === undefined) throw new HttpProblem(404, 'notFound', `there is no restore ${id}`);
  const { point, safety, targets } = begun;
  const merges = ended?.merges === undefined ? {} : { merges: ended.merges };
  const [state, detail] = [ended?.outcome ?? 'running', ended?.detail ?? ''] as const;
  return { restore: id, state, point, safety, targets, detail, ...phasesOf(view, targets, state), ...merges };
}

function phasesOf(
  view: HostView,
  targets: readonly string[],
  state: RestoreStatus['state'],
): Pick<RestoreStatus, 'phases'> {
  if (state !== 'running') return {};
  const phases = targets.flatMap((target) => {
    const phase = view.mergePhase(target);
    return phase === undefined ? [] : [[target, phase] as const];
  });
  return phases.length === 0 ? {} : { phases: Object.fromEntries(phases) };
}

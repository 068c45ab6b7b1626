import type { EventSpec } from '../event.ts';
import { isCaptured, isUnderWay, isValid, type PointCause, type PointId } from '../model/point.ts';
import { CommandError, notFound, type Situation } from '../operator-commands.ts';
import type { Millis } from '../units.ts';
import { newPoint } from './begin-point.ts';
import { obstacleOf } from './capturable.ts';
import { judgedPoints } from './judged-points.ts';
import { pointCalled } from './point-called.ts';
import { graceOf, type PruneRun, type PruneWish, pruneRuns } from './prune-points.ts';

export type TakeRequest = {
  /** A PointPolicy, whose targets are captured and by which the point lives; or else targets. */
  readonly policy?: string;
  readonly targets?: readonly string[];
  readonly name?: string;
  readonly description?: string;
  readonly session?: string;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly ttlMs?: Millis;
  /** A damaged database is kept as what can be read of it. */
  readonly recover?: boolean;
  readonly cause: PointCause;
};

/** Begins a point. @throws CommandError */
export function takePoint({ desired, memory, now }: Situation, request: TakeRequest): EventSpec[] {
  if (desired === null) throw new CommandError('refused', 'no revision of the policies is in force yet');
  if (memory.halt !== null) throw new CommandError('refused', 'everything is halted; `revertd resume` allows it again');
  const policies = desired.pointPolicies ?? {};
  const policy = request.policy === undefined ? undefined : policies[request.policy];
  if (request.policy !== undefined && policy === undefined) {
    throw notFound('PointPolicy', request.policy, Object.keys(policies), 'revertd points list');
  }
  const targets = request.targets ?? policy?.targets ?? [];
  if (targets.length === 0) throw new CommandError('invalid', 'name a PointPolicy or a target that is to be captured');
  for (const name of targets) {
    if (!Object.hasOwn(desired.targets, name)) {
      throw notFound('Target', name, Object.keys(desired.targets), 'revertd status');
    }
  }
  const obstacle = obstacleOf({ desired }, targets);
  if (obstacle !== null) throw new CommandError('refused', obstacle);
  const { name, description, session, metadata, ttlMs, recover, cause } = request;
  const point = newPoint(
    {
      label: name ?? policy?.name ?? targets.join('+'),
      policy: policy?.name ?? null,
      targets,
      cause,
      ...(name === undefined ? {} : { name }),
      ...(description === undefined ? {} : { description }),
      ...(session === undefined ? {} : { session }),
      ...(metadata === undefined ? {} : { metadata }),
      ...(ttlMs === undefined ? {} : { ttlMs }),
      ...(recover === true ? { recover } : {}),
    },
    { desired, memory, now },
  );
  return [{ type: 'point.begun', point }];
}

/** Gives up a point that is still being captured. @throws CommandError */
export function cancelPoint({ memory, actor }: Situation, id: PointId): EventSpec[] {
  const { state } = pointCalled(memory, id);
  const cancelled: EventSpec = { type: 'point.cancelled', point: id, by: actor };
  if (state === 'creating') return [cancelled, { type: 'point.dropped', point: id, reason: `cancelled by ${actor}` }];
  if (state === 'capturing') return [cancelled];
  throw new CommandError('refused', `${id} is ${state}: there is nothing to cancel`);
}

export function pinPoint({ memory, actor }: Situation, id: PointId, reason: string | undefined): EventSpec[] {
  const { state } = pointCalled(memory, id);
  if (state === 'pruned') {
    throw new CommandError('refused', `${id} is pruned; \`revertd points undelete ${id}\` brings it back, and pins it`);
  }
  return [{ type: 'point.pinned', point: id, by: actor, ...(reason === undefined ? {} : { reason }) }];
}

export function unpinPoint({ memory, actor }: Situation, id: PointId): EventSpec[] {
  if (pointCalled(memory, id).pinned === null) throw new CommandError('refused', `${id} is not pinned`);
  return [{ type: 'point.unpinned', point: id, by: actor }];
}

/** Brings a pruned point back; it is pinned, or it would be pruned again at once. */
export function undeletePoint({ memory, actor }: Situation, id: PointId): EventSpec[] {
  const { state } = pointCalled(memory, id);
  if (state !== 'pruned') throw new CommandError('refused', `${id} is ${state}, not pruned`);
  return [{ type: 'point.undeleted', point: id, by: actor }];
}

export type VerifyRequest = { readonly points: readonly PointId[]; readonly rehearse: boolean };

/** Has points read again; without a name every valid one, and those that were found damaged. */
export function verifyPoints({ memory, actor }: Situation, { points, rehearse }: VerifyRequest): EventSpec[] {
  const chosen = points.length > 0 ? points.map((id) => pointCalled(memory, id)) : Object.values(memory.points);
  const able = chosen.filter((point) => isCaptured(point) || point.state === 'invalid');
  const [first] = chosen;
  if (able.length === 0) {
    const why = points.length > 0 && first !== undefined ? `${first.id} is ${first.state}` : 'there is no point';
    throw new CommandError('refused', `${why}: there is nothing to read`);
  }
  return [{ type: 'points.verifyAsked', points: able.map(({ id }) => id).sort(), by: actor, rehearse }];
}

export type PruneRequest = {
  /** Only the points of this policy; without it, of all. */
  readonly policy?: string;
  /** Against the brake on how many go at once. */
  readonly confirm: boolean;
} & PruneWish;

/** The runs that pruning now would be, and what keeps them from happening by themselves. */
export function previewPrune(
  { desired, memory, now }: Situation,
  { policy, ...wish }: Omit<PruneRequest, 'confirm'>,
): PruneRun[] {
  if (desired === null) return [];
  return pruneRuns({ desired, memory, now }, now, wish).filter((run) => policy === undefined || run.policy === policy);
}

/** Prunes what no verdict keeps, which happens by itself unless a brake holds it. @throws CommandError */
export function prunePointsNow(situation: Situation, request: PruneRequest): EventSpec[] {
  if (situation.memory.halt !== null) {
    throw new CommandError('refused', 'everything is halted; `revertd resume` allows it again');
  }
  const runs = previewPrune(situation, request);
  const held = runs.find(({ isTooMuch }) => isTooMuch);
  if (held !== undefined && !request.confirm) {
    const message = `PointPolicy ${held.policy} would lose ${held.valid.length} of ${held.of} points, more than ${held.maxFraction} of them at once; --confirm does it, --dry-run names them`;
    throw new CommandError('refused', message);
  }
  return runs.map(({ points }) => ({ type: 'points.pruned', points }));
}

/** Prunes one point that nothing keeps but its policy, or the want of one. @throws CommandError */
export function prunePoint({ desired, memory, now }: Situation, id: PointId): EventSpec[] {
  const point = pointCalled(memory, id);
  if (point.state === 'pruned') throw new CommandError('refused', `${id} is pruned already`);
  if (isUnderWay(point)) throw new CommandError('refused', `${id} is ${point.state}; \`revertd points cancel ${id}\``);
  const verdict = judgedPoints(desired ?? {}, memory, now).verdicts.get(id);
  if (verdict?.kind === 'keep' && verdict.guarded && isValid(point)) {
    throw new CommandError('refused', `${id} is kept: ${verdict.reasons.join('; ')}`);
  }
  const deleteAt = now + graceOf(desired ?? {}, point.policy);
  return [{ type: 'points.pruned', points: [{ id, reason: 'a person pruned it', deleteAt }] }];
}

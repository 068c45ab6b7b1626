import type { IncidentId } from '../../../src/core/model/incident.ts';
import type { PointId } from '../../../src/core/model/point.ts';
import type { RollbackPolicy } from '../../../src/core/model/policy.ts';
import { describeStep, type Step } from '../../../src/core/model/step.ts';
import { pointsInOrder } from '../../../src/core/points/points-by-state.ts';
import type { Millis } from '../../../src/core/units.ts';
import { SET_BACK_MS } from '../model/change.ts';
import type { SmallWorld } from '../model/small-world.ts';
import type { State } from '../model/state.ts';
import { type Horizons, horizonsOfWorld } from '../model/world-facts.ts';

/** What a state is written relative to: its own present, and the order in which its incidents opened. */
export type Scope = {
  readonly world: SmallWorld;
  readonly state: State;
  readonly now: Millis;
  readonly elapsedMs: Millis;
  /** By how much a clock that is set back can make the past younger again. */
  readonly rewindMs: Millis;
  readonly horizons: Horizons;
  readonly incidents: readonly IncidentId[];
  /** The newest first. */
  readonly points: readonly PointId[];
};

export function scopeOf(world: SmallWorld, state: State): Scope {
  return {
    world,
    state,
    now: state.host.now,
    elapsedMs: state.host.elapsedMs,
    rewindMs: rewindOf(world, state),
    horizons: horizonsOfWorld(world),
    incidents: Object.keys(state.memory.incidents),
    points: pointsInOrder(state.memory).map(({ id }) => id),
  };
}

/** The log's last record becomes the present, and whatever was before it comes as much closer. */
function rewindOf({ moves }: SmallWorld, { host, recordedAt }: State): Millis {
  return moves.has('killAndSetBack') ? Math.min(SET_BACK_MS, host.now - recordedAt) : 0;
}

/** The number of an incident that memory has forgotten. */
export const FORGOTTEN = 'i-1';

/** An incident by the order in which it opened; one that memory has forgotten has no number. */
export function nameOf({ incidents }: Scope, id: IncidentId): string {
  return `i${incidents.indexOf(id)}`;
}

/** A point by its age: its id holds the time at which it was begun. */
export function pointName({ points }: Scope, id: PointId): string {
  return `P${points.indexOf(id)}`;
}

/** A text in which an incident is named, with the incident's number instead of its name. */
export function renamed(scope: Scope, text: string, id: IncidentId): string {
  return text.replace(id, nameOf(scope, id));
}

/** How long ago by a watch; longer than `most` is all the same. */
export function elapsed({ elapsedMs }: Scope, at: Millis, most: Millis): number {
  return Math.min(most, elapsedMs - at);
}

/** How long ago by the clock, at `now`; longer than `most` is all the same. What is in the future counts exactly. */
export function age(scope: Scope, at: Millis, most: Millis, now = scope.now): number {
  return Math.min(most + scope.rewindMs, now - at);
}

/** How long until then by the clock, at `now`; once it has come it is all the same when. */
export function left(scope: Scope, at: Millis, now = scope.now): number {
  return Math.max(-scope.rewindMs, at - now);
}

const policies = new WeakMap<RollbackPolicy, string>();
const steps = new WeakMap<Step, string>();
let counted = 0;

/** A policy as a revision has it; equal ones of different revisions count as different, which only costs states. */
export function policyName(policy: RollbackPolicy): string {
  const known = policies.get(policy);
  if (known !== undefined) return known;
  counted += 1;
  const name = `p${counted}`;
  policies.set(policy, name);
  return name;
}

export function stepName(step: Step): string {
  const known = steps.get(step);
  if (known !== undefined) return known;
  const name = describeStep(step);
  steps.set(step, name);
  return name;
}

import type { Action } from '../model/action.ts';
import type { Quarantine } from '../model/hold.ts';
import type { ExecutingPhase, Incident } from '../model/incident.ts';
import { isCaptured, snapshotOf } from '../model/point.ts';
import { describeStep, type RestoreStep, type Step } from '../model/step.ts';
import { isRevision, revisionOfPrint, shortCommit, targetObject } from '../model/target.ts';
import { mergeAncestor, mergingOfStep } from '../points/merging-restores.ts';
import { describeSource, restoreSource } from '../points/restore-source.ts';
import type { Turn } from '../turn.ts';
import { formatDuration } from '../units.ts';
import { gitSight, lastGood } from './code-revisions.ts';
import { restoreOf } from './moves.ts';

/** Where a restore goes; why it cannot be; that its effect is there already; or that it was not looked at yet. */
export type Destination =
  /** `words`: for people, where `to` alone says too little. */
  | { readonly kind: 'to'; readonly to: string; readonly words?: string }
  | { readonly kind: 'obstacle'; readonly reason: string }
  | { readonly kind: 'there'; readonly reason: string }
  | { readonly kind: 'unseen' };

/**
 * Settled once, when the step begins: what is effective then is what is left. A step that is done again goes where it
 * went before (`settled`), since a move that was broken off shows something in between.
 */
export function destinationOf(turn: Turn, incident: Incident, step: RestoreStep, settled?: string): Destination {
  const target = turn.desired.targets[step.target];
  if (target === undefined) return { kind: 'obstacle', reason: `git no longer has target ${step.target}` };
  if (target.suspend) return { kind: 'obstacle', reason: `target ${step.target} is suspended` };
  if (settled !== undefined) {
    return ancestorObstacle(turn, incident, step, settled) ?? settledDestination(turn, settled);
  }
  if (target.type.kind !== 'git' || !isRevision(step.to)) return destinationOfCaptured(turn, incident, step);
  if (step.to.kind === 'revision') return { kind: 'to', to: step.to.revision };
  const sight = turn.observed.targets[step.target];
  if (sight?.kind === 'unreadable') return { kind: 'obstacle', reason: `${step.target}: ${sight.message}` };
  const memory = turn.memory.targets[step.target];
  if (gitSight(turn, target) === undefined || memory === undefined) return { kind: 'unseen' };
  // A part that somebody changed is put back from the same good revision, which is not there already.
  const isPart = step.paths.length > 0 || step.rows !== undefined;
  const { current } = memory;
  if (current?.isGood === true && !isPart) {
    return { kind: 'there', reason: `${step.target} is at ${shortCommit(current.commit)}, which has proved good` };
  }
  const good = current?.isGood === true ? current : lastGood(turn.memory, step.target, memory);
  if (good !== undefined) return { kind: 'to', to: good.commit };
  return {
    kind: 'obstacle',
    reason: `no revision of ${step.target} has proved good yet, so there is none to go back to`,
  };
}

/** A point may have been found damaged since; nothing else is gone back to in its place. */
function settledDestination({ memory }: Turn, to: string): Destination {
  const point = memory.points[to];
  if (point === undefined || isCaptured(point)) return { kind: 'to', to };
  const why = point.failure === null ? '' : `: ${point.failure}`;
  return { kind: 'obstacle', reason: `point ${to}, where it was to go, is ${point.state}${why}` };
}

function destinationOfCaptured(turn: Turn, incident: Incident, step: RestoreStep): Destination {
  const source = restoreSource(turn.memory, incident, step);
  if (source.kind === 'none') return { kind: 'obstacle', reason: source.reason };
  const { id } = source.point;
  const words = describeSource(source.point, step.target, turn.now);
  return ancestorObstacle(turn, incident, step, id) ?? { kind: 'to', to: id, words };
}

/** What is merged needs something that both sides came from. */
function ancestorObstacle(turn: Turn, incident: Incident, step: RestoreStep, point: string): Destination | undefined {
  const ancestor = step.merge === undefined ? undefined : mergeAncestor(turn.memory, incident, step.target, point);
  return ancestor?.kind === 'none' ? { kind: 'obstacle', reason: ancestor.reason } : undefined;
}

/** The quarantine of what a whole restore leaves; null where nothing is left, or what is left is not known. */
export function quarantineFor(
  turn: Turn,
  incident: Incident,
  step: RestoreStep & Step,
  destination: string,
): Quarantine | null {
  const current = turn.memory.targets[step.target]?.current ?? null;
  if (current === null || step.paths.length > 0 || step.rows !== undefined) return null;
  const point = turn.memory.points[destination];
  const snapshot = point === undefined ? undefined : snapshotOf(point, step.target);
  if (snapshot !== undefined && revisionOfPrint(snapshot.fingerprint).tree === current.tree) return null;
  const { commit, tree } = current;
  const [cause] = incident.openedBy;
  return {
    kind: 'quarantine',
    id: `quarantine:${step.target}:${tree.slice(0, 12)}`,
    object: targetObject(step.target),
    since: turn.now,
    cause:
      cause === undefined ? incident.policy.name : `${cause.trigger} = ${cause.value ?? 'no value'} ${cause.threshold}`,
    target: step.target,
    incident: incident.id,
    origin: step.origin,
    commit,
    tree,
  };
}

/** The operation of a restore in a rung. */
export function restoreAction(turn: Turn, incident: Incident, phase: ExecutingPhase): Action | null {
  const rung = incident.policy.ladder[phase.rung];
  const step = rung?.[phase.part][phase.step];
  if (rung === undefined || step?.kind !== 'restore' || phase.destination === undefined) return null;
  // Flags are set by latches; what follows from them is done anyway.
  if (step.flags !== undefined) return null;
  const target = turn.desired.targets[step.target];
  if (target === undefined) return null;
  const why = { kind: 'rung', incident: incident.id, rung: rung.name } as const;
  const point = turn.memory.points[phase.destination];
  const snapshot = point === undefined ? undefined : snapshotOf(point, target.name);
  const merging = mergingOfStep(turn.memory, incident, step, phase.destination);
  // Without its ancestor a merge would replace what is live.
  if (merging === undefined) return null;
  return {
    ...restoreOf(target, phase.destination, step.paths, why, step.timeoutMs),
    ...(step.rows === undefined ? {} : { rows: step.rows }),
    ...(snapshot === undefined ? {} : { snapshot }),
    ...merging,
    key: `step:${incident.id}/${rung.name}/${phase.part}/${phase.step}`,
    sign: '!',
    reason: `${incident.id} (${incident.policy.name}), rung "${rung.name}": ${describeStep(step)}, ${point === undefined ? shortCommit(phase.destination) : phase.destination}`,
    origin: step.origin,
    losesData: false,
    preconditions: [`${incident.id} ${rung.name}/${phase.part}/${phase.step} ${phase.destination}`],
  };
}

/** What became of a restore that is in place: effective, not yet, or not in time. */
export function activationState(
  turn: Turn,
  step: RestoreStep & Step,
  startedAt: number,
): { readonly kind: 'effective' | 'waiting' } | { readonly kind: 'late'; readonly detail: string } {
  const owed = turn.memory.targets[step.target]?.owed ?? null;
  if (owed === null) return { kind: 'effective' };
  if (turn.now - startedAt < step.timeoutMs) return { kind: 'waiting' };
  const why = owed.retry === null ? '' : `: ${owed.retry.message}`;
  const detail = `it is in place, but was not made effective within ${formatDuration(step.timeoutMs)}${why}`;
  return { kind: 'late', detail };
}

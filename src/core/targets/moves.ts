import type { Action, ActivateAction, RestoreAction } from '../model/action.ts';
import type { Origin } from '../model/origin.ts';
import { describeStep, type Step } from '../model/step.ts';
import {
  activationOf,
  type CodeRevision,
  revisionOfPrint,
  shortCommit,
  type Target,
  trackOf,
} from '../model/target.ts';
import { isHeldByPoints } from '../points/revision-points.ts';
import { isSame } from '../record.ts';
import type { Turn } from '../turn.ts';
import type { Millis } from '../units.ts';
import { blockedDeployment } from '../windows/blocking-window.ts';
import {
  type GitSight,
  gitSight,
  incidentOver,
  isMoving,
  lastGood,
  quarantineOf,
  targetAdoptionId,
} from './code-revisions.ts';

/** Builds may take long; each of their steps has its own deadline besides. */
const DEPLOY_TIMEOUT_MS: Millis = 3_600_000;

/** Moves that no incident asked for: new revisions of what is tracked, and the repair of what was brought back. */
export function moves(turn: Turn): Action[] {
  return Object.values(turn.desired.targets).flatMap((target) => {
    const action = dueMove(turn, target);
    if (action === null) return [];
    const failing = turn.memory.targets[target.name]?.failing ?? null;
    const waits = failing?.key === action.key && turn.now < failing.retryAt;
    return waits || isHeldByPoints(turn, action) ? [] : [action];
  });
}

/** New revisions that are to be put in place, also those that wait. */
export function deployments(turn: Turn): Action[] {
  return Object.values(turn.desired.targets).flatMap((target) => {
    const action = dueMove(turn, target);
    return action?.kind === 'restore' && action.why.kind === 'deploy' ? [action] : [];
  });
}

/** The move that is wanted now, whether or not it is time to try it again. */
export function dueMove(turn: Turn, target: Target): Action | null {
  const sight = movableSight(turn, target);
  if (sight === undefined) return null;
  const tip = tipToDeploy(turn, target, sight);
  const isAllowed = tip !== null && blockedDeployment(turn, target) === null;
  return repair(turn, target, sight) ?? (isAllowed ? deployment(target, tip) : completion(turn, target, sight));
}

/** What a target would be moved to if no window spoke against it; null if nothing is to be deployed. */
export function revisionToDeploy(turn: Turn, target: Target): CodeRevision | null {
  const sight = movableSight(turn, target);
  return sight === undefined || repair(turn, target, sight) !== null ? null : tipToDeploy(turn, target, sight);
}

/** Undefined while nobody but an incident, or an operation under way, may move it. */
function movableSight(turn: Turn, target: Target): GitSight | undefined {
  const { name } = target;
  if (target.suspend || isMoving(turn.memory, name) || incidentOver(turn.memory, name) !== undefined) return undefined;
  return gitSight(turn, target);
}

/** Somebody brought quarantined content back: it is put away again, once. */
function repair(turn: Turn, target: Target, { head }: GitSight): Action | null {
  const back = broughtBack(turn, target, head.tree);
  const memory = turn.memory.targets[target.name];
  if (!back || memory === undefined || memory.repaired.includes(head.tree)) return null;
  const to = lastGood(turn.memory, target.name, memory);
  if (to === undefined) return null;
  const hold = quarantineOf(turn.memory.holds, target.name, head.tree);
  const reason = `${shortCommit(head.commit)} is in quarantine (${hold?.cause ?? 'by a rollback'}), and was brought back`;
  return move(target, to, { kind: 'repair', tree: head.tree }, { reason, sign: '!' });
}

/** Whether the content shown is in quarantine and became so after the rollback that put it there. */
export function broughtBack(turn: Turn, { name }: Pick<Target, 'name'>, tree: string): boolean {
  const hold = quarantineOf(turn.memory.holds, name, tree);
  const current = turn.memory.targets[name]?.current ?? null;
  return hold !== undefined && current !== null && current.tree === tree && current.since > hold.since;
}

type Tip = NonNullable<GitSight['tip']>;

function tipToDeploy(turn: Turn, { name }: Target, { head, tip }: GitSight): Tip | null {
  if (tip === null || tip.tree === head.tree || turn.memory.targets[name]?.isMet !== true) return null;
  if (quarantineOf(turn.memory.holds, name, tip.tree) !== undefined) return null;
  return Object.hasOwn(turn.memory.holds, targetAdoptionId(name)) ? null : tip;
}

function deployment(target: Target, tip: Tip): Action {
  const reason = `${trackOf(target)?.ref ?? 'its ref'} is at ${shortCommit(tip.commit)}: ${tip.subject}`;
  return move(target, tip, { kind: 'deploy' }, { reason, sign: '~' });
}

/**
 * The checkout may be where a move that was broken off was going to, and the release not. No window holds this up: it was
 * begun before, and a half of each is worse than either.
 */
function completion(turn: Turn, target: Target, { head }: GitSight): Action | null {
  if (turn.memory.targets[target.name]?.isMidway !== true) return null;
  if (quarantineOf(turn.memory.holds, target.name, head.tree) !== undefined) return null;
  const reason = `a move was broken off; ${target.name} is put at ${shortCommit(head.commit)} as a whole`;
  return move(target, head, { kind: 'deploy' }, { reason, sign: '~' });
}

function move(
  target: Target,
  to: CodeRevision,
  why: RestoreAction['why'],
  { reason, sign }: Pick<Action, 'reason' | 'sign'>,
): Action {
  return {
    ...restoreOf(target, to.commit, [], why, DEPLOY_TIMEOUT_MS),
    key: `move:${target.name}@${to.commit}`,
    sign,
    reason,
    origin: target.origin,
    losesData: false,
    preconditions: [`Target/${target.name} ${to.tree}`],
  };
}

export function restoreOf(
  target: Target,
  to: string,
  paths: readonly string[],
  why: RestoreAction['why'],
  timeoutMs: Millis,
): RestoreAction {
  const undo = target.quiesce.flatMap((step) => undoOf(step) ?? []).reverse();
  return { kind: 'restore', target, to, paths, undo, activate: activationOf(target), why, timeoutMs };
}

/** What starts again, the last one first, what a step stops; null for what needs no undoing. */
export function undoOf(step: Step): Step | null {
  if (step.kind === 'container') return undoOfContainers(step);
  if (step.kind !== 'service' || step.do.kind !== 'stop') return null;
  return { ...step, do: { kind: 'start' } };
}

/** Compose itself knows in which order services start. */
function undoOfContainers(step: Extract<Step, { kind: 'container' }>): Step | null {
  if (step.do.kind !== 'stop') return null;
  if (step.on.kind === 'compose') return { ...step, on: step.on, do: { kind: 'start' } };
  return { ...step, on: { ...step.on, names: step.on.names.toReversed() }, do: { kind: 'start' } };
}

/** The next owed step of each target. Nothing is started that a move under way, or due, stops again. */
export function activations(turn: Turn, moving: readonly Action[]): Action[] {
  return Object.entries(turn.memory.targets).flatMap(([name, { owed }]) => {
    const step = owed?.steps[owed.done];
    if (owed === null || step === undefined || isBusy(turn, name, moving)) return [];
    if (owed.retry !== null && turn.now < owed.retry.retryAt) return [];
    return [activation(name, owed.done, step)];
  });
}

function isBusy(turn: Turn, name: string, moving: readonly Action[]): boolean {
  return (
    isMoving(turn.memory, name) ||
    moving.some((action) => action.kind === 'restore' && action.target.name === name) ||
    Object.values(turn.memory.operations).some(
      ({ action }) =>
        (action.kind === 'activate' && action.target === name) ||
        (action.kind === 'capture' && action.targets.some((target) => target.name === name)),
    )
  );
}

function activation(target: string, index: number, step: Step): Action {
  const origin: Origin = step.origin;
  const action: ActivateAction = { kind: 'activate', target, index, step };
  return {
    ...action,
    key: `activate:${target}/${index}`,
    sign: '~',
    reason: `${target} was moved: ${describeStep(step)} makes it effective`,
    origin,
    losesData: false,
    preconditions: [`Target/${target} owed ${index}`],
  };
}

/** What a checkout was in the points that are not deleted yet. */
function revisionsOfPoints({ points }: Turn['memory'], target: string): string[] {
  return Object.values(points).flatMap(({ snapshots }) =>
    snapshots
      .filter((snapshot) => snapshot.type === 'git' && snapshot.target === target)
      .map(({ fingerprint }) => revisionOfPrint(fingerprint).commit),
  );
}

/** Revisions to go back to that are not kept from git's garbage collection yet, and kept ones that are none any more. */
export function keeps(turn: Turn): Action[] {
  return Object.values(turn.desired.targets).flatMap((target) => {
    const memory = turn.memory.targets[target.name];
    if (memory === undefined || target.suspend) return [];
    const ofPoints = revisionsOfPoints(turn.memory, target.name);
    const commits = [...new Set([...memory.good.map(({ commit }) => commit), ...ofPoints])].sort();
    const waits = memory.keepRetry !== null && turn.now < memory.keepRetry.retryAt;
    if (waits || isSame(commits, memory.kept)) return [];
    return [
      {
        kind: 'keep',
        key: `keep:${target.name}@${commits.join(',')}`,
        sign: '>',
        reason: `${commits.length} revision(s) of ${target.name}, good or of points, must not be collected as garbage`,
        origin: target.origin,
        losesData: false,
        preconditions: [],
        target,
        commits,
      } satisfies Action,
    ];
  });
}

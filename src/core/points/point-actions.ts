import type { Action, CaptureAction } from '../model/action.ts';
import { describeCause, type Point, pointObject } from '../model/point.ts';
import type { PointPolicy } from '../model/point-policy.ts';
import type { Step } from '../model/step.ts';
import type { Target } from '../model/target.ts';
import { isSame } from '../record.ts';
import { isMoving } from '../targets/code-revisions.ts';
import { undoOf } from '../targets/moves.ts';
import type { Turn } from '../turn.ts';
import type { Millis } from '../units.ts';
import { policiesOf } from './capturable.ts';
import { copyActions, copyInstants } from './copy-points.ts';
import { newestSnapshot } from './evolve-points.ts';
import { flagState } from './flag-state.ts';
import { overviewOf, pointsIn } from './points-by-state.ts';
import { captureRetry } from './retry-captures.ts';
import { newestFirst } from './verdicts.ts';

/** Large databases take long; a rollback does not wait for as long as that. */
const CAPTURE_TIMEOUT_MS: Millis = 6 * 3_600_000;
const URGENT_TIMEOUT_MS: Millis = 3_600_000;
const VALIDATE_TIMEOUT_MS: Millis = 6 * 3_600_000;

/** What is to be captured, read again and collected now, when `moving` begins with it. */
export function pointActions(turn: Turn, moving: readonly Action[]): Action[] {
  return [...captures(turn, moving), ...validations(turn), ...copies(turn), ...collections(turn)];
}

/**
 * Captures that a rollback waits for begin at once; of the others there is one at a time, and none of a target that is
 * being restored, that a person is about to restore, or that an incident works on.
 */
function captures(turn: Turn, moving: readonly Action[]): Action[] {
  const waiting = pointsIn(turn.memory, 'creating').sort((a, b) => newestFirst(b, a));
  if (waiting.length === 0 || isUnderWay(turn, 'collect')) return [];
  const safeties = new Set(Object.values(turn.memory.restores).map(({ safety }) => safety));
  const isUrgent = ({ id, cause }: Point): boolean => cause.kind === 'rollback' || safeties.has(id);
  const urgent = waiting.filter(isUrgent);
  const others = waiting.filter((point) => !isUrgent(point) && !isDisturbed(turn, point, moving));
  const isFree = !isUnderWay(turn, 'capture') && urgent.length === 0;
  return [...urgent, ...(isFree ? others.slice(0, 1) : [])].flatMap((point) => captureOf(turn, point));
}

function isUnderWay({ memory }: Turn, kind: Action['kind']): boolean {
  return Object.values(memory.operations).some(({ action }) => action.kind === kind);
}

function isDisturbed({ memory }: Turn, { targets }: Point, moving: readonly Action[]): boolean {
  return targets.some(
    (name) =>
      isMoving(memory, name) ||
      moving.some((action) => action.kind === 'restore' && action.target.name === name) ||
      Object.values(memory.restores).some((restore) => restore.targets.includes(name)) ||
      (memory.targets[name]?.owed ?? null) !== null ||
      Object.values(memory.incidents).some(
        ({ phase, conflictSet }) => phase.kind === 'executing' && conflictSet.includes(`target:${name}`),
      ),
  );
}

function captureOf(turn: Turn, point: Point): Action[] {
  const targets = point.targets.flatMap((name) => turn.desired.targets[name] ?? []);
  if (targets.length !== point.targets.length) return [];
  const policy = point.policy === null ? undefined : turn.desired.pointPolicies?.[point.policy];
  const previous = targets.flatMap(({ name }) => {
    const snapshot = newestSnapshot(turn.memory.points, name);
    return snapshot === undefined ? [] : [[name, snapshot] as const];
  });
  const flags = targets.flatMap(({ name, type }) =>
    type.kind === 'flags' ? [[name, flagState(turn.desired, turn.memory, type)] as const] : [],
  );
  return [
    {
      kind: 'capture',
      key: `capture:${point.id}`,
      sign: '+',
      reason: `${describeCause(point.cause)}: capture ${point.targets.join(', ')}`,
      ...(policy === undefined ? {} : { origin: policy.origin }),
      losesData: false,
      preconditions: [`${pointObject(point.id)} creating`],
      point: point.id,
      targets,
      ...standingStill(policy, targets),
      previous: Object.fromEntries(previous),
      ...(flags.length === 0 ? {} : { flags: Object.fromEntries(flags) }),
      ...(point.recover === true ? { recover: true } : {}),
      compression: policy?.compression ?? turn.desired.points?.compression ?? 'zstd',
      timeoutMs: point.cause.kind === 'rollback' ? URGENT_TIMEOUT_MS : CAPTURE_TIMEOUT_MS,
    },
  ];
}

/** A service that several targets stop is stopped once, and owed its start to the first of them. */
function standingStill(
  policy: PointPolicy | undefined,
  targets: readonly Target[],
): Pick<CaptureAction, 'quiesce' | 'undo'> {
  if (policy?.consistency !== 'quiesced') return { quiesce: [], undo: [] };
  const quiesce: Step[] = [];
  const undo: { target: string; steps: Step[] }[] = [];
  for (const target of targets) {
    const own = target.quiesce.filter((step) => !quiesce.some((known) => doTheSame(known, step)));
    quiesce.push(...own);
    const steps = own.flatMap((step) => undoOf(step) ?? []).reverse();
    if (steps.length > 0) undo.push({ target: target.name, steps });
  }
  return { quiesce, undo };
}

function doTheSame({ origin: _one, ...a }: Step, { origin: _other, ...b }: Step): boolean {
  return isSame(a, b);
}

/** One at a time, what has waited longest first; what was just captured comes before what is read again. */
function validations(turn: Turn): Action[] {
  if (isUnderWay(turn, 'validate') || isUnderWay(turn, 'collect')) return [];
  const waiting = overviewOf(turn.memory.points)
    .verifying.filter(({ state, verify }) => verify !== null && turn.now >= verify.retryAt && state !== 'pruned')
    .filter(({ state }) => state === 'stored' || state === 'valid' || state === 'invalid')
    .sort((a, b) => Number(a.state !== 'stored') - Number(b.state !== 'stored') || newestFirst(b, a));
  const [point] = waiting;
  if (point === undefined || point.verify === null) return [];
  const targets = point.snapshots.flatMap(({ target }) => turn.desired.targets[target] ?? []);
  return [
    {
      kind: 'validate',
      key: `validate:${point.id}`,
      sign: '>',
      reason: `${point.verify.by} has its content read again${point.verify.rehearse ? ' and restored beside the live system' : ''}`,
      losesData: false,
      preconditions: [],
      point: point.id,
      snapshots: point.snapshots,
      targets,
      rehearse: point.verify.rehearse,
      timeoutMs: VALIDATE_TIMEOUT_MS,
    },
  ];
}

/** One at a time. */
function copies(turn: Turn): Action[] {
  return isUnderWay(turn, 'copy') ? [] : copyActions(turn);
}

/** Nothing is collected while something is captured, read or restored: what these need may not be known yet. */
function collections(turn: Turn): Action[] {
  const { collection } = turn.memory;
  if (collection === null || turn.now < collection.retryAt) return [];
  const isBusy =
    (['capture', 'validate', 'copy', 'restore'] as const).some((kind) => isUnderWay(turn, kind)) ||
    pointsIn(turn.memory, 'creating', 'capturing').length > 0;
  if (isBusy) return [];
  return [
    {
      kind: 'collect',
      key: 'collect',
      sign: '-',
      reason: 'content that no point needs',
      losesData: false,
      preconditions: [],
    },
  ];
}

/** When one of them is to be tried again. */
export function pointInstants(turn: Pick<Turn, 'desired' | 'memory' | 'now'>): Millis[] {
  const { memory } = turn;
  const captures = policiesOf(turn).flatMap((policy) => captureRetry(memory, policy, turn.now)?.at ?? []);
  const retries = overviewOf(memory.points).verifying.flatMap(({ verify }) => verify?.retryAt ?? []);
  const collection = memory.collection === null ? [] : [memory.collection.retryAt];
  return [...captures, ...retries, ...copyInstants(turn), ...collection];
}

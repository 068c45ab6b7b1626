import { isUnderWay, isValid } from '../model/point.ts';
import { type PointPolicy, takeKey, verifyKey } from '../model/point-policy.ts';
import { deployments } from '../targets/moves.ts';
import type { Turn } from '../turn.ts';
import { beginPoint } from './begin-point.ts';
import { obstacleOf, policiesOf } from './capturable.ts';
import { settleRestores } from './manual-restores.ts';
import { pointsIn } from './points-by-state.ts';
import { deletePoints, prunePoints } from './prune-points.ts';
import { captureRetry } from './retry-captures.ts';
import { takeForRevisions } from './revision-points.ts';
import { dueInstant, followSchedules, serveSchedule } from './schedules.ts';

/** Begins the points that are due, has others read again, and prunes. Nothing of it happens while everything is halted. */
export function settlePoints(turn: Turn): void {
  followSchedules(turn);
  dropImpossible(turn);
  for (const policy of policiesOf(turn)) {
    takeScheduled(turn, policy);
    verifyScheduled(turn, policy);
  }
  takeForRevisions(turn, deployments(turn));
  settleRestores(turn);
  prunePoints(turn);
  deletePoints(turn);
}

/** A point that was not captured yet, of a target that git no longer has. */
function dropImpossible(turn: Turn): void {
  for (const { id, targets } of pointsIn(turn.memory, 'creating')) {
    const reason = obstacleOf(turn, targets);
    if (reason !== null) turn.emit({ type: 'point.dropped', point: id, reason });
  }
}

/** One point for all that was missed, and a few more tries where it failed. While another one of the policy is captured it waits. */
function takeScheduled(turn: Turn, policy: PointPolicy): void {
  if (isCapturing(turn, policy.name)) return;
  const dueAt = dueInstant(turn, takeKey(policy.name));
  const retry = dueAt === null ? captureRetry(turn.memory, policy, turn.now) : null;
  if (dueAt === null && (retry === null || turn.now < retry.at || obstacleOf(turn, policy.targets) !== null)) return;
  const cause = { kind: 'schedule' } as const;
  beginPoint(turn, { label: policy.name, policy: policy.name, targets: policy.targets, cause });
  if (dueAt !== null) serveSchedule(turn, takeKey(policy.name), dueAt);
}

function isCapturing({ memory }: Turn, policy: string): boolean {
  return pointsIn(memory, 'creating', 'capturing').some((point) => point.policy === policy);
}

/** Every intact point of the policy is read again; those that are being looked at anyway are not asked for twice. */
function verifyScheduled(turn: Turn, { name, verify }: PointPolicy): void {
  const dueAt = dueInstant(turn, verifyKey(name));
  if (dueAt === null || verify === null) return;
  const points = Object.values(turn.memory.points)
    .filter((point) => point.policy === name && isValid(point) && !isUnderWay(point) && point.verify === null)
    .map(({ id }) => id)
    .sort();
  if (points.length > 0) {
    turn.emit({ type: 'points.verifyAsked', points, by: `PointPolicy/${name}`, rehearse: verify.restoreTest });
  }
  serveSchedule(turn, verifyKey(name), dueAt);
}

import type { Memory } from '../memory.ts';
import type { Point } from '../model/point.ts';
import { type PointPolicy, takeKey } from '../model/point-policy.ts';
import type { Millis } from '../units.ts';
import { overviewOf, pointsIn } from './points-by-state.ts';

/** After each failure it is waited twice as long: 5, 10, 20, 40 and 80 minutes. */
const FIRST_RETRY_MS: Millis = 5 * 60_000;
/** Then the next instant of the schedule is waited for. */
export const MOST_RETRIES = 5;
/** Shorter than failed points are shown, so that none of the tries is forgotten meanwhile. */
const LONGEST_MS: Millis = 2 * 86_400_000;

export type CaptureRetry = { readonly at: Millis; readonly number: number };

/**
 * When the capture that a schedule asked for is tried again after it failed; null if it is not: it did not fail, a person
 * ended it, another one is stored meanwhile, it was tried often enough, or that was days ago.
 */
export function captureRetry(
  memory: Pick<Memory, 'points' | 'schedules'>,
  policy: PointPolicy,
  now: Millis,
): CaptureRetry | null {
  const newest = overviewOf(memory.points).newestOf.get(policy.name);
  const servedAt = memory.schedules[takeKey(policy.name)]?.at;
  if (newest?.state !== 'failed' || servedAt === undefined || policy.take.schedule === null) return null;
  if (now > servedAt + LONGEST_MS) return null;
  const failed = pointsIn(memory, 'failed').filter((point) => isTry(point, policy, servedAt));
  if (failed.length === 0 || failed.length > MOST_RETRIES) return null;
  const isAnswered = pointsIn(memory, 'stored', 'validating').some((point) => isTry(point, policy, servedAt));
  if (isAnswered || failed.some(({ cancelledBy }) => cancelledBy !== undefined)) return null;
  const last = Math.max(...failed.map(({ createdAt }) => createdAt));
  return { at: last + FIRST_RETRY_MS * 2 ** (failed.length - 1), number: failed.length };
}

/** Of the instant that the schedule was served for last. */
function isTry({ policy, cause, createdAt }: Point, { name }: PointPolicy, servedAt: Millis): boolean {
  return policy === name && cause.kind === 'schedule' && createdAt >= servedAt;
}

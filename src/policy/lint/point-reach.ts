import type { PointPolicy } from '../../core/model/point-policy.ts';
import type { Millis } from '../../core/units.ts';
import { dueTimes } from '../due-times.ts';
import { hasVariable } from '../host-variables.ts';

const HOUR_MS: Millis = 3_600_000;
const DAY_MS: Millis = 24 * HOUR_MS;

const PERIOD_MS = {
  hourly: HOUR_MS,
  daily: DAY_MS,
  weekly: 7 * DAY_MS,
  monthly: 28 * DAY_MS,
  yearly: 365 * DAY_MS,
} as const;

/** Between two points that the schedule asks for, at most, of its next few; null without a schedule that is known. */
export function cadenceOf({ take: { schedule }, timezone }: PointPolicy, now: Millis): Millis | null {
  if (schedule === null || hasVariable(schedule) || hasVariable(timezone)) return null;
  let widest: Millis | null = null;
  let before = dueTimes({ schedule, timezone }, now).next;
  for (let count = 0; count < 8 && before !== null; count += 1) {
    const { next } = dueTimes({ schedule, timezone }, before);
    if (next !== null) widest = Math.max(widest ?? 0, next - before);
    before = next;
  }
  return widest;
}

/** How old the oldest point that a policy keeps can become; Infinity where nothing ends it. */
export function reachOf({ retain, ttlMs }: PointPolicy, cadenceMs: Millis): Millis {
  const { last, within, maxPoints, maxBytes: _bytes, ...periods } = retain;
  const reaches = [
    ...(last === undefined ? [] : [last * cadenceMs]),
    ...(within === undefined ? [] : [(within.years * 365 + within.months * 28 + within.days) * DAY_MS + within.ms]),
    ...Object.entries(PERIOD_MS).flatMap(([rule, periodMs]) => {
      const count = Object.entries(periods).find(([name]) => name === rule)?.[1];
      return count === undefined ? [] : [count * Math.max(periodMs, cadenceMs)];
    }),
  ];
  const kept = reaches.length === 0 ? Number.POSITIVE_INFINITY : Math.max(...reaches);
  return Math.min(kept, ttlMs ?? Number.POSITIVE_INFINITY, (maxPoints ?? Number.POSITIVE_INFINITY) * cadenceMs);
}

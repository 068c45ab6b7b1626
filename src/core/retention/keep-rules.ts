import type { Millis } from '../units.ts';
import { before, type CalendarSpan, isoWeek, type LocalTime, localTime, type TimeZone } from './local-time.ts';

/** Which points are kept: those that one of the rules keeps. Counts are at least 1 where they are given. */
export type KeepRules = {
  readonly last?: number;
  readonly hourly?: number;
  readonly daily?: number;
  readonly weekly?: number;
  readonly monthly?: number;
  readonly yearly?: number;
  /** Counted from the newest point that is not in the future. */
  readonly within?: CalendarSpan;
};

export type KeepRule = keyof KeepRules;

/** Why a point is kept; `oldest`: it is the last one there is, and the rule's count is not met yet. */
export type KeepReason = { readonly rule: KeepRule; readonly oldest: boolean };

type CountedRule = Exclude<KeepRule, 'within'>;

/** What tells two periods apart; `last` takes each point for a period of its own. */
const PERIOD_OF: Readonly<Record<CountedRule, (local: LocalTime, index: number) => number>> = {
  last: (_local, index) => index,
  hourly: ({ year, month, day, hour }) => ((year * 100 + month) * 100 + day) * 100 + hour,
  daily: ({ year, month, day }) => (year * 100 + month) * 100 + day,
  weekly: (local) => {
    const { year, week } = isoWeek(local);
    return year * 100 + week;
  },
  monthly: ({ year, month }) => year * 100 + month,
  yearly: ({ year }) => year,
};

const COUNTED: readonly CountedRule[] = ['last', 'hourly', 'daily', 'weekly', 'monthly', 'yearly'];

type Slot = { readonly rule: CountedRule; left: number; period: number | null };

/**
 * Why each point is kept, by its index; one without a reason is not. The decisions are those of restic 0.17 and later
 * (`forget`): newest first; each counted rule keeps the newest point of each period that has any, until its count is
 * met, and the oldest of all while it is not; `within` keeps what is strictly newer than its bound. Points at the same
 * instant are taken in the order given.
 */
export function reasonsToKeep(
  times: readonly Millis[],
  rules: KeepRules,
  zone: TimeZone,
  now: Millis,
): ReadonlyMap<number, readonly KeepReason[]> {
  const order = times.map((_at, index) => index).sort((a, b) => (times[b] ?? 0) - (times[a] ?? 0));
  const slots = COUNTED.flatMap((rule): Slot[] => {
    const left = rules[rule] ?? 0;
    return left > 0 ? [{ rule, left, period: null }] : [];
  });
  const bound = boundOf(times, rules, zone, now);
  const reasons = new Map<number, KeepReason[]>();
  for (const [position, index] of order.entries()) {
    const at = times[index] ?? 0;
    const isOldest = position === order.length - 1;
    const found = slots.flatMap((slot) => take(slot, localTime(zone, at), position, isOldest));
    if (bound !== null && at > bound) found.push({ rule: 'within', oldest: false });
    if (found.length > 0) reasons.set(index, found);
  }
  return reasons;
}

function take(slot: Slot, local: LocalTime, position: number, isOldest: boolean): KeepReason[] {
  if (slot.left === 0) return [];
  const period = PERIOD_OF[slot.rule](local, position);
  const isNew = period !== slot.period;
  if (!isNew && !isOldest) return [];
  slot.period = period;
  slot.left -= 1;
  return [{ rule: slot.rule, oldest: !isNew }];
}

/** Null without `within`. If all points are in the future, it keeps all. */
function boundOf(times: readonly Millis[], { within }: KeepRules, zone: TimeZone, now: Millis): Millis | null {
  if (within === undefined) return null;
  let newest = Number.NEGATIVE_INFINITY;
  for (const at of times) if (at < now && at > newest) newest = at;
  return newest === Number.NEGATIVE_INFINITY ? newest : before(zone, newest, within);
}

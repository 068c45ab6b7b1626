import type { KeepReason } from '../retention/keep-rules.ts';
import { isoWeek, localTime, type TimeZone, timeZone } from '../retention/local-time.ts';
import type { Millis } from '../units.ts';

const zones = new Map<string, TimeZone>();

/** A zone looks up its days once; so it is the same one for each decision. An unknown name was refused when it was loaded. */
export function zoneCalled(name: string): TimeZone {
  const known = zones.get(name) ?? timeZone(name);
  zones.set(name, known);
  return known;
}

/** `daily 2026-11-21`, `weekly 2026-W47`, `last`: the rule and the period that the point stands for. */
export function describeKeepReason({ rule, oldest }: KeepReason, zone: TimeZone, at: Millis): string {
  if (oldest) return `the oldest, while ${rule} is not met`;
  const local = localTime(zone, at);
  const month = `${local.year}-${padded(local.month)}`;
  const day = `${month}-${padded(local.day)}`;
  switch (rule) {
    case 'last':
    case 'within':
      return rule;
    case 'hourly':
      return `hourly ${day} ${padded(local.hour)}h`;
    case 'daily':
      return `daily ${day}`;
    case 'weekly': {
      const { year, week } = isoWeek(local);
      return `weekly ${year}-W${padded(week)}`;
    }
    case 'monthly':
      return `monthly ${month}`;
    case 'yearly':
      return `yearly ${local.year}`;
  }
}

function padded(number: number): string {
  return String(number).padStart(2, '0');
}

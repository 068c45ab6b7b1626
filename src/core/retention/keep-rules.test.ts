import { readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type KeepRules, reasonsToKeep } from './keep-rules.ts';
import { timeZone } from './local-time.ts';

type Decision = {
  readonly policy: Omit<KeepRules, 'within'> & { readonly within?: string };
  readonly timezone: string;
  readonly now: string;
  readonly times: readonly string[];
  readonly keep: readonly string[];
};

const FILE = new URL('../../../test/fixtures/retention/restic-0.18-decisions.json', import.meta.url);
const DECISIONS = JSON.parse(readFileSync(FILE, 'utf8')) as readonly Decision[];
const HOUR = 3_600_000;

function keptOf(times: readonly string[], rules: KeepRules, zone = 'UTC', now = '2027-01-01T00:00:00Z'): string[] {
  const instants = times.map((text) => Date.parse(text));
  const reasons = reasonsToKeep(instants, rules, timeZone(zone), Date.parse(now));
  return times.filter((_text, index) => reasons.has(index)).sort();
}

function withinOf(text: string): NonNullable<KeepRules['within']> {
  const [, count = '', unit] = /^(\d+)([hd])$/.exec(text) ?? [];
  const exact = { years: 0, months: 0, days: 0, ms: 0 };
  return unit === 'd' ? { ...exact, days: Number(count) } : { ...exact, ms: Number(count) * HOUR };
}

test.each(DECISIONS.map((decision, index) => [index, decision] as const))(
  'decision %i of restic 0.18 is decided the same',
  (_index, { policy: { within, ...counts }, timezone, now, times, keep }) => {
    const rules = within === undefined ? counts : { ...counts, within: withinOf(within) };
    expect(keptOf(times, rules, timezone, now)).toEqual(keep.toSorted());
  },
);

describe('periods', () => {
  test('that are empty are not counted', () => {
    const times = ['2026-01-01T10:00:00Z', '2026-03-01T10:00:00Z', '2026-06-01T10:00:00Z', '2026-06-01T09:00:00Z'];
    expect(keptOf(times, { monthly: 2 })).toEqual(['2026-03-01T10:00:00Z', '2026-06-01T10:00:00Z']);
  });

  test('are those of the wall clock in the zone', () => {
    const times = ['2026-06-01T21:30:00Z', '2026-06-01T22:30:00Z'];
    expect(keptOf(times, { daily: 2 }, 'Europe/Berlin')).toHaveLength(2);
    expect(keptOf([...times, '2026-05-01T00:00:00Z'], { daily: 1 }, 'UTC')).toEqual(['2026-06-01T22:30:00Z']);
  });

  test('of an hour that the clock shows twice are one', () => {
    const times = ['2026-10-24T23:30:00Z', '2026-10-25T00:30:00Z', '2026-10-25T01:30:00Z'];
    expect(keptOf(times, { hourly: 1 }, 'Europe/Berlin')).toEqual(['2026-10-25T01:30:00Z']);
    expect(keptOf(times, { hourly: 2 }, 'Europe/Berlin')).toEqual(['2026-10-24T23:30:00Z', '2026-10-25T01:30:00Z']);
  });

  test('of a week belong to the year of its Thursday', () => {
    const times = ['2027-01-03T12:00:00Z', '2026-12-31T12:00:00Z', '2026-12-27T12:00:00Z', '2026-01-01T00:00:00Z'];
    expect(keptOf(times, { weekly: 2 }, 'UTC', '2028-01-01T00:00:00Z')).toEqual([
      '2026-12-27T12:00:00Z',
      '2027-01-03T12:00:00Z',
    ]);
  });
});

describe('the oldest', () => {
  test('is kept while a count is not met, and only then', () => {
    const times = ['2026-06-01T10:00:00Z', '2026-06-01T09:00:00Z', '2026-06-01T08:00:00Z'];
    expect(keptOf(times, { daily: 2 })).toEqual(['2026-06-01T08:00:00Z', '2026-06-01T10:00:00Z']);
    expect(keptOf(times, { daily: 1 })).toEqual(['2026-06-01T10:00:00Z']);
  });
});

describe('within', () => {
  test('counts from the newest that is not in the future, and its bound is not within', () => {
    const times = ['2026-06-10T00:00:00Z', '2026-06-02T00:00:00Z', '2026-06-01T00:00:01Z', '2026-06-01T00:00:00Z'];
    const within = withinOf('1d');
    expect(keptOf(times, { within }, 'UTC', '2026-06-05T00:00:00Z')).toEqual(times.slice(0, 3).toSorted());
  });

  test('of days follows the calendar where a day has 23 or 25 hours', () => {
    const times = ['2026-03-30T00:00:00Z', '2026-03-28T23:30:00Z', '2026-03-29T00:30:00Z'];
    expect(keptOf(times, { within: withinOf('1d') }, 'Europe/Berlin')).toHaveLength(1);
    expect(keptOf(times, { within: withinOf('24h') }, 'Europe/Berlin')).toHaveLength(2);
    const autumn = ['2026-10-26T00:30:00Z', '2026-10-24T23:45:00Z', '2026-10-24T23:15:00Z'];
    expect(keptOf(autumn, { within: withinOf('1d') }, 'Europe/Berlin')).toHaveLength(2);
    expect(keptOf(autumn, { within: withinOf('24h') }, 'Europe/Berlin')).toHaveLength(1);
  });

  test('of a month before the 31st counts on into the next', () => {
    const times = ['2026-10-31T12:00:00Z', '2026-10-01T12:00:01Z', '2026-10-01T12:00:00Z'];
    const within = { years: 0, months: 1, days: 0, ms: 0 };
    expect(keptOf(times, { within })).toEqual(['2026-10-01T12:00:01Z', '2026-10-31T12:00:00Z']);
  });
});

const anyRules = fc.record(
  { last: fc.integer({ min: 1, max: 5 }), daily: fc.integer({ min: 1, max: 5 }), yearly: fc.constant(1) },
  { requiredKeys: [] },
);
const anyTimes = fc.array(fc.integer({ min: 0, max: 2_000_000_000_000 }), { maxLength: 40 });

test('more rules never keep less, and what is kept is kept again', () => {
  fc.assert(
    fc.property(anyTimes, anyRules, fc.constantFrom('UTC', 'America/St_Johns'), (times, rules, name) => {
      const zone = timeZone(name);
      const kept = (some: readonly number[], by: KeepRules): number[] => {
        const reasons = reasonsToKeep(some, by, zone, 2_100_000_000_000);
        return some.filter((_at, index) => reasons.has(index));
      };
      const first = kept(times, rules);
      expect(kept(first, rules)).toEqual(first);
      const more = new Set(kept(times, { ...rules, weekly: 3 }));
      expect(first.every((at) => more.has(at))).toBe(true);
    }),
  );
});

import { describe, expect, test } from 'vitest';
import { aDrill } from '../../test/support/policies.ts';
import { drillSchedules } from '../core/drills/drill-schedules.ts';
import { DueCalendar, dueTimes } from './due-times.ts';

const BERLIN = 'Europe/Berlin';

function texts(schedule: string, timezone: string, now: string): (string | null)[] {
  const { last, next } = dueTimes({ schedule, timezone }, Date.parse(now));
  return [last, next].map((at) => (at === null ? null : new Date(at).toISOString()));
}

describe('the instants of a schedule', () => {
  test.each([
    [
      'each quarter',
      ['0 3 1 */3 *', 'UTC', '2026-05-05T00:00:00Z'],
      ['2026-04-01T03:00:00.000Z', '2026-07-01T03:00:00.000Z'],
    ],
    [
      'at the very instant: it has come',
      ['0 3 1 */3 *', 'UTC', '2026-07-01T03:00:00Z'],
      ['2026-07-01T03:00:00.000Z', '2026-10-01T03:00:00.000Z'],
    ],
    [
      'a millisecond before it',
      ['0 3 1 */3 *', 'UTC', '2026-07-01T02:59:59.999Z'],
      ['2026-04-01T03:00:00.000Z', '2026-07-01T03:00:00.000Z'],
    ],
    [
      'by the calendar of the zone, in winter',
      ['0 3 * * *', BERLIN, '2026-01-10T12:00:00Z'],
      ['2026-01-10T02:00:00.000Z', '2026-01-11T02:00:00.000Z'],
    ],
    [
      'by the calendar of the zone, in summer',
      ['0 3 * * *', BERLIN, '2026-07-10T12:00:00Z'],
      ['2026-07-10T01:00:00.000Z', '2026-07-11T01:00:00.000Z'],
    ],
    [
      'an hour that the clock skips: when it goes on, once',
      ['30 2 * * *', BERLIN, '2026-03-29T01:00:00Z'],
      ['2026-03-29T01:00:00.000Z', '2026-03-30T00:30:00.000Z'],
    ],
    [
      'just before the hour that the clock skips',
      ['30 2 * * *', BERLIN, '2026-03-29T00:59:59Z'],
      ['2026-03-28T01:30:00.000Z', '2026-03-29T01:00:00.000Z'],
    ],
    [
      'an hour that the clock shows twice: the first time',
      ['30 2 * * *', BERLIN, '2026-10-25T00:30:00Z'],
      ['2026-10-25T00:30:00.000Z', '2026-10-26T01:30:00.000Z'],
    ],
    [
      'an hour that the clock shows twice: not the second time',
      ['30 2 * * *', BERLIN, '2026-10-25T01:30:00Z'],
      ['2026-10-25T00:30:00.000Z', '2026-10-26T01:30:00.000Z'],
    ],
    [
      'every hour: also in the one that comes twice',
      ['30 * * * *', BERLIN, '2026-10-25T01:30:00Z'],
      ['2026-10-25T01:30:00.000Z', '2026-10-25T02:30:00.000Z'],
    ],
    [
      'a zone without summer time',
      ['0 9 1 1 *', 'Asia/Kolkata', '2026-01-01T03:30:00Z'],
      ['2026-01-01T03:30:00.000Z', '2027-01-01T03:30:00.000Z'],
    ],
    [
      'a day that not every year has',
      ['0 3 29 2 *', 'UTC', '2026-06-01T00:00:00Z'],
      ['2024-02-29T03:00:00.000Z', '2028-02-29T03:00:00.000Z'],
    ],
  ] as const)('%s', (_title, [schedule, timezone, now], expected) => {
    expect(texts(schedule, timezone, now)).toEqual(expected);
  });
});

test('a calendar answers as a fresh computation does, forwards and backwards', () => {
  const calendar = new DueCalendar();
  const drill = aDrill({ schedule: '15 */5 * * *', timezone: BERLIN });
  const start = Date.parse('2026-10-24T00:00:00Z');
  for (const quarter of [...Array.from({ length: 200 }, (_, index) => index), 40, 3, 0]) {
    const now = start + quarter * 900_000;
    expect(calendar.at(drillSchedules({ monthly: drill }), now)).toEqual({
      monthly: dueTimes({ schedule: '15 */5 * * *', timezone: BERLIN }, now),
    });
  }
});

test('a drill without a schedule has no instants', () => {
  expect(new DueCalendar().at(drillSchedules({ monthly: aDrill({ schedule: null }) }), 0)).toEqual({});
});

function around(schedule: string, timezone: string, now: string): [string | null, string | null] {
  const { last, next } = dueTimes({ schedule, timezone }, Date.parse(now));
  const text = (at: number | null) => (at === null ? null : new Date(at).toISOString().replace('.000Z', 'Z'));
  return [text(last), text(next)];
}

test.each([
  ['0 2 * * *', 'UTC', '2026-11-21T01:59:59.999Z', '2026-11-20T02:00:00Z', '2026-11-21T02:00:00Z'],
  ['0 2 * * *', 'UTC', '2026-11-21T02:00:00.000Z', '2026-11-21T02:00:00Z', '2026-11-22T02:00:00Z'],
  ['0 2 * * *', 'UTC', '2026-11-21T02:00:00.001Z', '2026-11-21T02:00:00Z', '2026-11-22T02:00:00Z'],
  ['0 3 1 */3 *', 'Europe/Berlin', '2026-11-21T00:00:00Z', '2026-10-01T01:00:00Z', '2027-01-01T02:00:00Z'],
  // 29 March has no 02:30: the clock goes from 02:00 to 03:00.
  ['30 2 * * *', 'Europe/Berlin', '2026-03-28T12:00:00Z', '2026-03-28T01:30:00Z', '2026-03-29T01:00:00Z'],
  ['30 2 * * *', 'Europe/Berlin', '2026-03-29T12:00:00Z', '2026-03-29T01:00:00Z', '2026-03-30T00:30:00Z'],
  // 25 October has 02:30 twice; the second one is none.
  ['30 2 * * *', 'Europe/Berlin', '2026-10-25T01:00:00Z', '2026-10-25T00:30:00Z', '2026-10-26T01:30:00Z'],
  ['30 2 * * *', 'Europe/Berlin', '2026-10-25T01:30:00Z', '2026-10-25T00:30:00Z', '2026-10-26T01:30:00Z'],
  ['0 0 29 2 *', 'UTC', '2026-11-21T00:00:00Z', '2024-02-29T00:00:00Z', '2028-02-29T00:00:00Z'],
])('%s in %s around %s', (schedule, timezone, now, last, next) => {
  expect(around(schedule, timezone, now)).toEqual([last, next]);
});

test('the calendar computes anew when the next instant has come, and when the clock was set back', () => {
  const calendar = new DueCalendar();
  const hourly = { key: 'take:hourly', schedule: '0 * * * *', timezone: 'UTC' };
  const at = (now: string) => calendar.at([hourly], Date.parse(now))['take:hourly']?.last;
  expect(at('2026-11-21T02:30:00Z')).toBe(Date.parse('2026-11-21T02:00:00Z'));
  expect(at('2026-11-21T03:00:00Z')).toBe(Date.parse('2026-11-21T03:00:00Z'));
  expect(at('2026-11-21T01:10:00Z')).toBe(Date.parse('2026-11-21T01:00:00Z'));
});

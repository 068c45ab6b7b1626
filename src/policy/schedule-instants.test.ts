import { expect, test } from 'vitest';
import { instantsAround, ScheduleCalendar } from './schedule-instants.ts';

function around(expression: string, timezone: string, now: string): [string | null, string | null] {
  const { last, next } = instantsAround({ expression, timezone }, Date.parse(now));
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
])('%s in %s around %s', (expression, timezone, now, last, next) => {
  expect(around(expression, timezone, now)).toEqual([last, next]);
});

test('the calendar computes anew when the next instant has come, and when the clock was set back', () => {
  const calendar = new ScheduleCalendar();
  const hourly = { key: 'take:hourly', expression: '0 * * * *', timezone: 'UTC' };
  const at = (now: string) => calendar.at([hourly], Date.parse(now))['take:hourly']?.last;
  expect(at('2026-11-21T02:30:00Z')).toBe(Date.parse('2026-11-21T02:00:00Z'));
  expect(at('2026-11-21T03:00:00Z')).toBe(Date.parse('2026-11-21T03:00:00Z'));
  expect(at('2026-11-21T01:10:00Z')).toBe(Date.parse('2026-11-21T01:00:00Z'));
});

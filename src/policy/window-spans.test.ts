import { describe, expect, test } from 'vitest';
import { scheduleFault } from './schedule.ts';
import { spansAround, WindowCalendar } from './window-spans.ts';

const HOUR = 3_600_000;
const BERLIN = 'Europe/Berlin';

function texts(schedule: string, hours: number, timezone: string, now: string): string[] {
  const spans = spansAround({ schedule, durationMs: hours * HOUR, timezone }, Date.parse(now));
  return spans.map(({ from, to }) => `${new Date(from).toISOString()} – ${new Date(to).toISOString()}`);
}

describe('the spans of a window', () => {
  test.each([
    [
      'from Friday evening to Monday morning, in summer',
      ['0 18 * * 5', 62, BERLIN, '2026-07-04T12:00:00Z'],
      ['2026-07-03T16:00:00.000Z – 2026-07-06T06:00:00.000Z', '2026-07-10T16:00:00.000Z – 2026-07-13T06:00:00.000Z'],
    ],
    [
      'over the weekend on which clocks are put forward: it ends an hour later on the clock',
      ['0 18 * * 5', 62, BERLIN, '2026-03-29T12:00:00Z'],
      ['2026-03-27T17:00:00.000Z – 2026-03-30T07:00:00.000Z', '2026-04-03T16:00:00.000Z – 2026-04-06T06:00:00.000Z'],
    ],
    [
      'over the weekend on which clocks are put back: it ends an hour earlier on the clock',
      ['0 18 * * 5', 62, BERLIN, '2026-10-25T12:00:00Z'],
      ['2026-10-23T16:00:00.000Z – 2026-10-26T06:00:00.000Z', '2026-10-30T17:00:00.000Z – 2026-11-02T07:00:00.000Z'],
    ],
    [
      'at an hour that the clock skips: when it goes on',
      ['30 2 * * *', 1, BERLIN, '2026-03-29T01:10:00Z'],
      ['2026-03-29T01:00:00.000Z – 2026-03-29T02:00:00.000Z', '2026-03-30T00:30:00.000Z – 2026-03-30T01:30:00.000Z'],
    ],
    [
      'at an hour that the clock shows twice: once',
      ['30 2 * * *', 1, BERLIN, '2026-10-25T00:45:00Z'],
      ['2026-10-25T00:30:00.000Z – 2026-10-25T01:30:00.000Z', '2026-10-26T01:30:00.000Z – 2026-10-26T02:30:00.000Z'],
    ],
    [
      'in a zone without summer time',
      ['0 9 1 1 *', 24, 'Asia/Kolkata', '2026-01-01T03:29:00Z'],
      ['2026-01-01T03:30:00.000Z – 2026-01-02T03:30:00.000Z'],
    ],
    [
      'that touch are one',
      ['0 0 * * *', 24, 'UTC', '2026-05-05T12:00:00Z'],
      ['2026-05-05T00:00:00.000Z – 2026-05-07T00:00:00.000Z'],
    ],
  ] as const)('%s', (_title, [schedule, hours, timezone, now], expected) => {
    expect(texts(schedule, hours, timezone, now).slice(-expected.length)).toEqual(expected);
  });

  test('that come every minute are found without end, and quickly', () => {
    const spans = spansAround({ schedule: '* * * * *', durationMs: 30 * 24 * HOUR, timezone: 'UTC' }, 0);
    expect(spans).toHaveLength(1);
  });
});

test.each([
  ['0 18 * * 5', null],
  ['0 18 * * 8', expect.stringContaining('five fields')],
  ['whenever', expect.stringContaining('five fields')],
])('the schedule %s', (schedule, fault) => {
  expect(scheduleFault({ schedule, timezone: 'UTC' })).toEqual(fault);
});

test('a calendar answers as a fresh computation does, forwards and backwards', () => {
  const calendar = new WindowCalendar();
  const window = {
    name: 'nightly',
    origin: { file: 'w.yaml', line: 1, column: 1 },
    suspend: false,
    type: 'deny',
    schedule: '0 22 * * *',
    durationMs: 8 * HOUR,
    timezone: BERLIN,
    flags: null,
    targets: null,
  } as const;
  const start = Date.parse('2026-03-27T00:00:00Z');
  const isIn = (spans: readonly { from: number; to: number }[], now: number): boolean =>
    spans.some(({ from, to }) => from <= now && now < to);
  for (const hour of [...Array.from({ length: 96 }, (_, index) => index), 40, 3, 0]) {
    const now = start + hour * HOUR;
    const known = calendar.at({ nightly: window }, now)['nightly'] ?? [];
    expect([hour, isIn(known, now)]).toEqual([hour, isIn(spansAround(window, now), now)]);
  }
});

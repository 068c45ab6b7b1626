import { describe, expect, it } from 'vitest';
import { selectorsOf, usesAbsence, windowOf } from './inspect.ts';
import { parseQuery } from './parse.ts';

const MINUTE = 60_000;

describe('windowOf', () => {
  it.each([
    ['1', 0],
    ['up', 0],
    ['up offset 1h', 60 * MINUTE],
    ['up offset -1h', 0],
    ['rate(a[5m])', 5 * MINUTE],
    ['rate(a[5m] offset 10m)', 15 * MINUTE],
    ['rate(a[5m] offset -2m)', 3 * MINUTE],
    ['rate(a[5m]) / rate(b[1h])', 60 * MINUTE],
    ['max_over_time(rate(a[5m])[1h:1m])', 65 * MINUTE],
    ['max_over_time(rate(a[5m])[1h:1m] offset 10m)', 75 * MINUTE],
    ['topk(scalar(a offset 7m), b)', 7 * MINUTE],
  ])('of %s', (query, expected) => {
    expect(windowOf(parseQuery(query))).toBe(expected);
  });
});

describe('windowOf with a lookback', () => {
  it.each([
    ['up', 5 * MINUTE],
    ['up offset 1h', 65 * MINUTE],
    ['rate(a[2m])', 2 * MINUTE],
    ['rate(a[2m]) > on () scalar(b)', 5 * MINUTE],
    ['max_over_time(a[1h:1m])', 65 * MINUTE],
    ['max_over_time(rate(a[2m])[1h:1m])', 62 * MINUTE],
  ])('%s needs %i ms of samples', (query, expected) => {
    expect(windowOf(parseQuery(query), 5 * MINUTE)).toBe(expected);
  });
});

describe('selectorsOf', () => {
  it('lists all of them with all matchers', () => {
    expect(selectorsOf(parseQuery('sum(rate(a{x="1"}[5m])) / on () scalar({y=~"z"}) + (b)'))).toStrictEqual([
      {
        name: 'a',
        matchers: [
          { name: 'x', op: '=', value: '1' },
          { name: '__name__', op: '=', value: 'a' },
        ],
      },
      { matchers: [{ name: 'y', op: '=~', value: 'z' }] },
      { name: 'b', matchers: [{ name: '__name__', op: '=', value: 'b' }] },
    ]);
  });
});

describe('usesAbsence', () => {
  it.each([
    ['absent(up)', true],
    ['sum(absent_over_time(up[5m])) > 0', true],
    ['present_over_time(up[5m])', false],
    ['absent', false],
  ])('of %s', (query, expected) => {
    expect(usesAbsence(parseQuery(query))).toBe(expected);
  });
});

import { expect, test } from 'vitest';
import { formatDuration, parseDuration } from './units.ts';

test.each([
  ['250ms', 250],
  ['30s', 30_000],
  ['1.5h', 5_400_000],
  ['1h30m', 5_400_000],
  ['2w', 1_209_600_000],
  ['0s', 0],
])('%s is %d ms', (text, expected) => {
  expect(parseDuration(text)).toBe(expected);
});

test.each(['', '30', '30 s', '-5s', '5 minutes', '5M', '1e3s', '11000d', 's'])('%j is no duration', (text) => {
  expect(parseDuration(text)).toBeUndefined();
});

test.each([
  [0, '0s'],
  [250, '250ms'],
  [1200, '1.2s'],
  [30_000, '30s'],
  [90_061_000, '1d1h'],
  [5_400_000, '1h30m'],
  [-30_000, '-30s'],
  [59_700, '1m'],
])('%d ms reads %s', (span, expected) => {
  expect(formatDuration(span)).toBe(expected);
});

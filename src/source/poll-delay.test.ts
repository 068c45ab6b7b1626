import { expect, test } from 'vitest';
import { nextPollDelay } from './poll-delay.ts';

test.each([
  [0, 0, 27_000],
  [0, 0.5, 30_000],
  [0, 0.999_999, 33_000],
  [1, 0.5, 60_000],
  [3, 0.5, 240_000],
  [4, 0.5, 300_000],
  [2000, 0.5, 300_000],
  [2000, 0, 270_000],
  [-1, 0.5, 30_000],
])('after %d failures and a draw of %d it waits %d ms', (failures, draw, expected) => {
  expect(nextPollDelay(30_000, () => draw, failures)).toBe(expected);
});

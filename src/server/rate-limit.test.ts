import { expect, test } from 'vitest';
import { rateLimitBy } from './rate-limit.ts';

test('so many at once, then so many a second, each for themselves', () => {
  const limit = rateLimitBy({ perSecond: 10, burst: 3 });
  expect([0, 0, 0, 0].map((now) => limit('ann', now))).toEqual([0, 0, 0, 100]);
  expect(limit('bob', 0)).toBe(0);
  expect(limit('ann', 50)).toBe(50);
  expect(limit('ann', 100)).toBe(0);
  expect(limit('ann', 100)).toBe(100);
  // Who waits long may burst again, and no more than that.
  expect([10_000, 10_000, 10_000, 10_000].map((now) => limit('ann', now))).toEqual([0, 0, 0, 100]);
});

test('those who have not asked for long are forgotten, and may ask', () => {
  const limit = rateLimitBy({ perSecond: 1, burst: 1 });
  expect(limit('first', 0)).toBe(0);
  for (let other = 0; other < 10_000; other += 1) limit(`other-${other}`, 0);
  expect(limit('first', 0)).toBe(0);
});

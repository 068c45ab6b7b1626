import { expect, test } from 'vitest';
import { Heartbeat } from './heartbeat.ts';

test('a heartbeat tells how late it is, each time anew, and never early', () => {
  let elapsed = 0;
  const heartbeat = new Heartbeat(1_000, () => elapsed);
  const lateAfter = (ms: number): number => {
    elapsed += ms;
    return heartbeat.lateMs();
  };
  expect([lateAfter(1_000), lateAfter(900), lateAfter(7_000), lateAfter(1_100)]).toEqual([0, 0, 6_000, 100]);
  elapsed += 60_000;
  heartbeat.restart();
  expect(lateAfter(1_000)).toBe(0);
});

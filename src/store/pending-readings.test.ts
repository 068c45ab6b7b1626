import { expect, test } from 'vitest';
import type { ReadingValue } from '../core/observed.ts';
import { PendingReadings, type RecordedReading } from './pending-readings.ts';

const VALUES: readonly (ReadingValue | null)[] = [0, -0.25, 1e300, 'NaN', '+Inf', '-Inf', null];
const STATES = ['unknown', 'inactive', 'pending', 'firing'] as const;

test('every reading comes back as it was noted, however many there are', () => {
  const pending = new PendingReadings();
  const noted = Array.from({ length: 1_000 }, (_, index): RecordedReading => {
    const state = STATES[index % 4] ?? 'unknown';
    return { trigger: `t${index % 9}`, at: 1_800_000_000_000 + index, value: VALUES[index % 7] ?? null, state };
  });
  for (const reading of noted) pending.note(reading);
  const own = noted.filter(({ trigger }) => trigger === 't4');
  expect(pending.of('t4')).toEqual(own);
  expect(pending.byTrigger().get('t4')).toEqual(own);
  expect([...pending.byTrigger().values()].flat()).toHaveLength(1_000);
});

test('nothing is left after it was cleared', () => {
  const pending = new PendingReadings();
  pending.note({ trigger: 'a', at: 1, value: 1, state: 'inactive' });
  pending.clear();
  expect(pending.isEmpty).toBe(true);
  expect(pending.of('a')).toEqual([]);
  pending.note({ trigger: 'b', at: 2, value: null, state: 'firing' });
  expect([...pending.byTrigger()]).toEqual([['b', [{ trigger: 'b', at: 2, value: null, state: 'firing' }]]]);
});

import { expect, test } from 'vitest';
import { aDesired, aPolicy, aTrigger } from '../../../test/support/policies.ts';
import { EMPTY_MEMORY } from '../memory.ts';
import { NOTHING_OBSERVED, type Reading } from '../observed.ts';
import { beginTurn } from '../turn.ts';
import { advanceTriggers } from './advance-triggers.ts';

const desired = aDesired({
  policies: { guard: aPolicy({ triggers: [aTrigger({ name: 'a', forMs: 4_000 }), aTrigger({ name: 'b' })] }) },
});

function reading(trigger: string, seconds: number, value: number): Reading {
  const elements = [{ labels: {}, value }];
  const result = { kind: 'elements', elements } as const;
  return { trigger, at: seconds * 1000, intervalMs: 1000, covered: true, healthy: true, result };
}

function turnWith(readings: readonly Reading[]): ReturnType<typeof beginTurn> {
  const turn = beginTurn(desired, { ...NOTHING_OBSERVED, readings }, { ...EMPTY_MEMORY, triggersRecordedAt: 9e9 }, 9e9);
  advanceTriggers(turn);
  return turn;
}

test('readings of one round build on each other, whatever their order, beside those of another trigger', () => {
  const readings = [0, 1, 2, 3, 4, 5, 6].flatMap((second) => [
    reading('guard/a', second, second < 1 ? 0 : 1),
    reading('guard/b', second, 0),
  ]);
  for (const order of [readings, readings.toReversed()]) {
    const { memory, events } = turnWith(order);
    expect(memory.triggers['guard/a']).toMatchObject({ state: 'firing', at: 6000, since: 5000 });
    expect(memory.triggers['guard/b']).toMatchObject({ state: 'inactive', at: 6000 });
    const changes = events.flatMap((event) =>
      event.type === 'trigger.changed' ? [`${event.trigger}: ${event.from} ${event.to}`] : [],
    );
    expect(changes.toSorted()).toEqual([
      'guard/a: inactive pending',
      'guard/a: pending firing',
      'guard/a: unknown inactive',
      'guard/b: unknown inactive',
    ]);
  }
});

test('one reading at a time ends in the same memory as all at once', () => {
  const readings = [0, 1, 2, 3].map((second) => reading('guard/a', second, 1));
  const together = turnWith(readings).memory;
  let memory = { ...EMPTY_MEMORY, triggersRecordedAt: 9e9 };
  for (const one of readings) {
    const turn = beginTurn(desired, { ...NOTHING_OBSERVED, readings: [one] }, memory, 9e9);
    advanceTriggers(turn);
    memory = { ...turn.memory, triggersRecordedAt: 9e9 };
  }
  expect(memory.triggers).toEqual(together.triggers);
});

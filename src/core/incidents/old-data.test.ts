import { describe, expect, test } from 'vitest';
import { aDesired, aPolicy, aTrigger } from '../../../test/support/policies.ts';
import { World } from '../../../test/support/world.ts';
import type { Reading, ReadingValue } from '../observed.ts';

const APP = 'envFile:/app.env';

/** An incident has been and gone, and the trigger fires again while the cooldown holds the policy. */
function braked(noData: 'hold' | 'fire' | 'clear' = 'hold'): World {
  const guard = aPolicy({ triggers: [aTrigger({ noData, forMs: 0 })], cooldownMs: 60_000 });
  const world = new World(aDesired({ policies: { guard } }), { [APP]: { FAST_PATH: 'true' } });
  world.live(30, 0.1);
  world.live(5, 0.9);
  world.live(10, 0.1);
  expect(world.events('incident.closed')).toHaveLength(1);
  world.live(20, 0.9);
  expect(world.memory.brakes).toMatchObject({ guard: { kind: 'cooldown' } });
  return world;
}

const FAILED: Partial<Reading> = { result: { kind: 'failed', message: 'no such server' } };

/** By what the source gives after the brake was put on, until long after it ended. */
const CASES: readonly [string, 'hold' | 'fire' | 'clear', ReadingValue | undefined, Partial<Reading>, number][] = [
  ['a breach', 'hold', 0.9, {}, 2],
  ['no data', 'hold', undefined, {}, 1],
  ['NaN', 'hold', 'NaN', {}, 1],
  ['a query that fails', 'hold', undefined, FAILED, 1],
  ['a source that is down', 'hold', undefined, { healthy: false }, 1],
  ['absence that is to fire', 'fire', undefined, {}, 2],
  ['absence that means that all is well', 'clear', undefined, {}, 1],
];

describe('a policy that was held back acts later only on what is seen then:', () => {
  test.each(CASES)('%s', (_what, noData, value, change, opened) => {
    const world = braked(noData);
    for (let passed = 0; passed < 60; passed += 5) {
      world.now += 5_000;
      world.reading(value, change);
      world.settle();
    }
    expect(world.events('incident.opened')).toHaveLength(opened);
  });

  test('when its data come back and are bad, it acts at once; and until then it is told why it does not', () => {
    const world = braked();
    world.live(90, undefined);
    expect(world.plan().conditions).toMatchObject([{ type: 'TriggerUnknown', needsAttention: true }]);
    world.live(5, 0.9);
    expect(world.events('incident.opened')).toHaveLength(2);
    expect(world.plan().conditions.filter(({ type }) => type === 'TriggerUnknown')).toEqual([]);
  });

  test('time to mend that runs out while nothing is seen leads to no ladder', () => {
    const trigger = aTrigger({ severity: 'warning', forMs: 0, decision: { fixForwardMs: 60_000 } });
    const world = new World(aDesired({ policies: { guard: aPolicy({ triggers: [trigger] }) } }), {
      [APP]: { FAST_PATH: 'true' },
    });
    world.live(30, 0.1);
    world.live(5, 0.9);
    world.live(90, undefined);
    expect(world.memory.incidents['INC-1']?.phase.kind).toBe('fixing-forward');
    world.live(5, 0.9);
    expect(world.events('rung.entered')).toHaveLength(1);
  });

  test('a restart does not make old data new', () => {
    const guard = aPolicy({ triggers: [aTrigger({ forMs: 0 })], suspend: true });
    const world = new World(aDesired({ policies: { guard } }), { [APP]: { FAST_PATH: 'true' } });
    world.live(30, 0.1);
    world.live(30, 0.9);
    world.restart();
    world.accept(aDesired({ revision: 'rev-2', policies: { guard: { ...guard, suspend: false } } }));
    world.live(30, undefined);
    expect(world.events('incident.opened')).toEqual([]);
    world.live(5, 0.9);
    expect(world.events('incident.opened')).toHaveLength(1);
  });
});

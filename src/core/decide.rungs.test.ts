import { describe, expect, test } from 'vitest';
import { aDesired, aFlag, aPolicy, aRun, aRung, aTrigger, ORIGIN, setFlagOff } from '../../test/support/policies.ts';
import { World } from '../../test/support/world.ts';
import { effectiveFlag } from './holds/effective.ts';
import type { Step } from './model/step.ts';
import { blockingWindow } from './windows/blocking-window.ts';

const APP = 'envFile:/app.env';
const HALT = { since: 0, by: 'ann', reason: 'looking' };

function healthyWorld(desired = aDesired()): World {
  const world = new World(desired, { [APP]: { FAST_PATH: 'true' } });
  world.live(60, 0.1);
  return world;
}

function setFlagTo(variant: string): Step {
  return { kind: 'setFlag', origin: ORIGIN, timeoutMs: 30_000, flag: 'fast-path', to: { kind: 'variant', variant } };
}

describe('setFlag', () => {
  test.each([
    ['in a later rung', [aRung({ do: [setFlagOff()] }), aRung({ name: 'second', do: [setFlagTo('slow')] })]],
    ['in the same rung', [aRung({ do: [setFlagOff(), setFlagTo('slow')] })]],
  ])('to another variant %s takes the place of the first', (_where, ladder) => {
    const flag = aFlag({ variants: { on: true, off: false, slow: 'slow' } });
    const world = healthyWorld(aDesired({ flags: { 'fast-path': flag }, policies: { guard: aPolicy({ ladder }) } }));
    world.live(80, 0.9);
    const writes = world.effects.filter((effect) => effect.startsWith('write'));
    expect(writes).toEqual(['write FAST_PATH=false', 'write FAST_PATH=slow']);
    expect(Object.keys(world.memory.holds)).toHaveLength(1);
  });

  test('is not done when its latch was lifted before the flag was seen', () => {
    const world = healthyWorld();
    world.perform = (action) =>
      action.kind === 'deliver' ? { outcome: 'failed', detail: 'read-only' } : { outcome: 'done', detail: '' };
    world.live(15, 0.9);
    const id = 'latch:fast-path:INC-1';
    world.record({ type: 'hold.lifted', id, object: 'Flag/fast-path', reason: 'ann' });
    world.settle();
    expect(world.events('step.finished')).toMatchObject([{ result: { outcome: 'failed' } }]);
  });
});

describe('a flag whose default is safe anyway', () => {
  const targeting = {
    fractional: [
      ['on', 10],
      ['off', 90],
    ],
  };

  test.each([
    ['is latched while targeting gives something else to some', { targeting }, ['off']],
    ['has nothing to be set otherwise', {}, []],
    ['has nothing to be set where it is disabled', { targeting, state: 'DISABLED' as const }, []],
  ])('%s', (_what, more, latches) => {
    const flag = aFlag({ defaultVariant: 'off', deliver: [], ...more });
    const world = healthyWorld(aDesired({ flags: { 'fast-path': flag } }));
    world.live(40, 0.9);
    const held = Object.values(world.memory.holds).filter(({ kind }) => kind === 'latch');
    expect(held.map((hold) => 'variant' in hold && hold.variant)).toEqual(latches);
  });

  test('leaves it only when windows allow it, where targeting gives something else to some', () => {
    const flag = aFlag({ defaultVariant: 'off', targeting });
    const without = effectiveFlag(flag, {});
    expect(without).toMatchObject({ variant: 'off', forEverybody: false });
    const window = { name: 'weekend', origin: ORIGIN, suspend: false, type: 'deny', flags: null, targets: [] } as const;
    const turn = {
      desired: { windows: { weekend: window } },
      now: 5,
      observed: { windows: { weekend: [{ from: 0, to: 10 }] } },
    };
    const seen = turn as unknown as Parameters<typeof blockingWindow>[0];
    expect(blockingWindow(seen, flag, without)).toMatchObject({ window: 'weekend' });
    expect(blockingWindow(seen, flag, { ...without, forEverybody: true })).toBeNull();
  });
});

describe('an incident that could not begin', () => {
  test('because of a halt ends when it is over, and nothing is done', () => {
    const world = healthyWorld();
    world.halt = HALT;
    world.live(30, 0.9);
    world.live(30, 0.1);
    world.halt = null;
    world.live(10, 0.1);
    expect(world.effects).toEqual(['report INC-1']);
    expect(world.events('incident.closed')).toMatchObject([{ outcome: 'resolved' }]);
  });

  test('waits while nobody knows, and acts when it still fires', () => {
    const ladder = [aRung({ do: [aRun(['first'])] }), aRung({ name: 'grave', do: [aRun(['grave'])] })];
    const triggers = [aTrigger({ startAt: 'grave' })];
    const world = healthyWorld(aDesired({ policies: { guard: aPolicy({ triggers, ladder }) } }));
    world.halt = HALT;
    world.live(30, 0.9);
    world.live(30, undefined);
    world.now += 60_000;
    world.halt = null;
    world.settle();
    expect(world.effects).toEqual([]);
    world.live(5, 0.9);
    expect(world.effects).toEqual(['grave']);
  });
});

test('without a cooldown a ladder that is exhausted at once is not walked twice in one decision', () => {
  const world = healthyWorld(aDesired({ policies: { guard: aPolicy({ cooldownMs: 0 }) } }));
  world.live(75, 0.9);
  const opened = world.log.filter(({ type }) => type === 'incident.opened').map(({ at }) => at);
  expect(new Set(opened).size).toBe(opened.length);
});

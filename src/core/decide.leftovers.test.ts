import { describe, expect, test } from 'vitest';
import { aDesired, aFlag, aPolicy, aRun, ORIGIN } from '../../test/support/policies.ts';
import { World } from '../../test/support/world.ts';
import type { Desired } from './model/desired.ts';
import type { Step } from './model/step.ts';

const APP = 'envFile:/app.env';

function healthyWorld(desired = aDesired()): World {
  const world = new World(desired, { [APP]: { FAST_PATH: 'true' } });
  world.live(60, 0.1);
  return world;
}

function withThen(revision: string, takeUp: readonly Step[], defaultVariant = 'on'): Desired {
  const place = {
    origin: ORIGIN,
    document: { kind: 'envFile', path: '/app.env' } as const,
    entry: 'FAST_PATH',
    takeUp,
  };
  const flag = aFlag({ deliver: [place], defaultVariant, digest: defaultVariant });
  return aDesired({ revision, flags: { 'fast-path': flag } });
}

describe('what failed and is not needed any more', () => {
  test('is not told for ever: a write that somebody else made meanwhile', () => {
    const world = healthyWorld();
    world.perform = () => ({ outcome: 'failed', detail: 'read-only' });
    world.live(15, 0.9);
    expect(world.plan().conditions).toContainEqual(expect.objectContaining({ type: 'DeliveryFailing' }));
    world.documents[APP] = { FAST_PATH: 'false' };
    world.live(5, 0.1);
    expect(world.plan().conditions).not.toContainEqual(expect.objectContaining({ type: 'DeliveryFailing' }));
  });

  test('a wrong `then` is replaced by the one that git has now', () => {
    const world = healthyWorld(withThen('rev-1', [aRun(['typo'])]));
    world.perform = (action) =>
      action.kind === 'takeUp' && action.step.kind === 'run' && action.step.argv[0] === 'typo'
        ? { outcome: 'failed', detail: 'no such program' }
        : { outcome: 'done', detail: '' };
    world.accept(withThen('rev-2', [aRun(['typo'])], 'off'));
    world.live(20, 0.1);
    expect(world.plan().conditions).toContainEqual(expect.objectContaining({ type: 'TakeUpOwed' }));
    world.accept(withThen('rev-3', [aRun(['reload'])], 'off'));
    world.live(5, 0.1);
    expect(world.effects).toEqual(['write FAST_PATH=false', 'reload']);
    expect(world.memory.documents[APP]?.owed).toBeNull();
  });

  test('a `then` of a flag that git removed is not tried for ever', () => {
    const world = healthyWorld(withThen('rev-1', [aRun(['typo'])]));
    world.perform = (action) => ({ outcome: action.kind === 'takeUp' ? 'failed' : 'done', detail: '' });
    world.accept(withThen('rev-2', [aRun(['typo'])], 'off'));
    world.live(20, 0.1);
    world.accept(aDesired({ revision: 'rev-3', flags: {}, policies: {} }));
    world.settle();
    expect(world.memory.documents).toEqual({});
  });

  test.each([
    ['removed', {}],
    ['suspended', { guard: aPolicy({ suspend: true }) }],
  ])('the brake of a policy that git %s is let go', (_what, policies) => {
    const world = healthyWorld();
    world.live(15, 0.9);
    world.live(10, 0.1);
    world.live(15, 0.9);
    expect(world.memory.brakes).toHaveProperty('guard');
    world.accept(aDesired({ revision: 'rev-2', policies }));
    world.settle();
    expect(world.memory.brakes).toEqual({});
  });
});

test('a pending trigger whose data stopped is not written down again and again', () => {
  const world = healthyWorld();
  world.live(10, 0.9);
  world.live(30, undefined);
  const length = world.log.length;
  world.live(200, undefined);
  expect(world.log.length).toBe(length);
});

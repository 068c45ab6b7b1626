import { describe, expect, test } from 'vitest';
import { aDesired, aFlag, aPolicy, aRun, aRung, aTrigger, aVerify, ORIGIN } from '../../test/support/policies.ts';
import { World } from '../../test/support/world.ts';

const APP = 'envFile:/app.env';
const HOUR = 3_600_000;

function healthyWorld(desired = aDesired()): World {
  const world = new World(desired, { [APP]: { FAST_PATH: 'true' } });
  world.live(60, 0.1);
  return world;
}

function setClock(world: World, byMs: number): void {
  world.now += byMs;
  world.record({ type: 'clock.jumped', byMs });
}

function override(world: World, ttlMs: number): void {
  world.record({
    type: 'hold.placed',
    hold: {
      kind: 'override',
      id: 'override:fast-path',
      object: 'Flag/fast-path',
      since: world.now,
      cause: 'ann',
      flag: 'fast-path',
      variant: 'off',
      actor: 'ann',
      expiresAt: world.now + ttlMs,
    },
  });
}

describe('a clock that is set', () => {
  test('does not end an override before its time', () => {
    const world = healthyWorld();
    override(world, HOUR);
    world.settle();
    setClock(world, 24 * HOUR);
    world.settle();
    expect(Object.keys(world.memory.holds)).toEqual(['override:fast-path']);
  });

  test('does not lift a latch that waits for a time', () => {
    const release = { kind: 'after', spanMs: 2 * HOUR } as const;
    const world = healthyWorld(aDesired({ policies: { guard: aPolicy({ release }) } }));
    world.live(15, 0.9);
    world.live(15, 0.1);
    setClock(world, 24 * HOUR);
    world.live(10, 0.1);
    expect(world.documents[APP]).toEqual({ FAST_PATH: 'false' });
    world.live(7_200, 0.1);
    expect(world.documents[APP]).toEqual({ FAST_PATH: 'true' });
  });

  test('back does not keep an incident that asks from seeing that all is well', () => {
    const world = healthyWorld();
    world.live(15, 0.9);
    world.live(120, undefined);
    setClock(world, -HOUR);
    world.live(10, 0.1);
    expect(world.events('incident.closed')).toMatchObject([{ outcome: 'resolved' }]);
  });

  test('during a halt does not shorten the deadlines that stand still', () => {
    const world = healthyWorld();
    world.live(15, 0.9);
    world.halt = { since: world.now, by: 'ann', reason: 'looking' };
    world.live(300, 0.9);
    setClock(world, -HOUR);
    world.live(10, 0.9);
    world.halt = null;
    world.live(10, 0.9);
    expect(world.memory.incidents['INC-1']?.phase).toMatchObject({ kind: 'verifying' });
  });

  test('back while a scrape was under way does not make triggers deaf', () => {
    const world = healthyWorld();
    const old = world.now + 1_000;
    setClock(world, -HOUR);
    world.reading(0.1, { at: old });
    world.settle();
    world.live(15, 0.9);
    expect(world.documents[APP]).toEqual({ FAST_PATH: 'false' });
  });
});

describe('a clock that is set back while no daemon looks', () => {
  /** The stored copy of memory knows evaluations that the log does not. */
  function awakened(world: World): World {
    world.now -= HOUR;
    world.record({ type: 'daemon.started', version: '0', host: 'test', pid: 2 });
    return world;
  }

  test('does not make triggers deaf', () => {
    const world = awakened(healthyWorld());
    world.live(15, 0.9);
    expect(world.documents[APP]).toEqual({ FAST_PATH: 'false' });
  });

  test('does not turn what was seen before into evidence', () => {
    const world = awakened(healthyWorld());
    expect(world.plan().conditions).toContainEqual(expect.objectContaining({ type: 'TriggerUnknown' }));
  });
});

test('a clock that is set back before trigger states were ever written down writes down nothing', () => {
  const world = new World(aDesired({ policies: { guard: aPolicy({ triggers: [aTrigger({ forMs: 0 })] }) } }));
  world.halt = { since: world.now, by: 'ann', reason: 'looking' };
  world.live(5, 0.9);
  setClock(world, -HOUR);
  world.settle();
  expect(world.events('triggers.recorded')).toEqual([]);
});

test('an incident that could not begin is not taken for new when the clock is set to its opening', () => {
  const world = healthyWorld();
  world.halt = { since: world.now, by: 'ann', reason: 'looking' };
  world.live(20, 0.9);
  world.live(20, 0.1);
  setClock(world, (world.memory.incidents['INC-1']?.openedAt ?? 0) - world.now);
  world.halt = null;
  world.settle();
  expect(world.effects).toEqual(['report INC-1']);
  expect(world.events('incident.closed')).toMatchObject([{ outcome: 'resolved' }]);
});

describe('a halt', () => {
  test('that a restart fell into does not put a verification off by all of its length', () => {
    const world = healthyWorld();
    world.live(15, 0.9);
    world.halt = { since: world.now, by: 'ann', reason: 'looking' };
    world.settle();
    world.now += 24 * HOUR;
    world.restart();
    world.live(60, 0.1);
    world.halt = null;
    world.live(15, 0.1);
    expect(world.events('incident.closed')).toMatchObject([{ outcome: 'resolved' }]);
  });

  test('interrupts a success that has to last unbroken', () => {
    const verify = aVerify({ forMs: 20_000 });
    const world = healthyWorld(aDesired({ policies: { guard: aPolicy({ ladder: [aRung({ verify })] }) } }));
    world.live(15, 0.9);
    world.live(120, undefined);
    world.live(5, 0.1);
    world.halt = { since: world.now, by: 'ann', reason: 'looking' };
    world.live(60, 0.9);
    world.live(5, 0.1);
    world.halt = null;
    world.live(5, 0.1);
    expect(world.events('incident.closed')).toEqual([]);
    world.live(20, 0.1);
    expect(world.events('incident.closed')).toMatchObject([{ outcome: 'resolved' }]);
  });
});

describe('a restart', () => {
  test('gives a flag that was being set its whole time again', () => {
    const world = healthyWorld();
    world.perform = (action) =>
      action.kind === 'deliver' ? { outcome: 'notDone', detail: 'killed' } : { outcome: 'done', detail: '' };
    for (let passed = 0; passed < 3; passed += 1) {
      world.now += 5_000;
      world.reading(0.9);
      world.round();
    }
    expect(world.memory.incidents['INC-1']?.phase).toMatchObject({ kind: 'executing' });
    world.now += HOUR;
    world.restart();
    world.perform = () => ({ outcome: 'done', detail: '' });
    world.settle();
    expect(world.events('step.finished')).toMatchObject([{ result: { outcome: 'done' } }]);
  });

  test('owes the reload of a write that was killed and cannot be looked at', () => {
    const takeUp = [aRun(['reload'])];
    const place = {
      origin: ORIGIN,
      document: { kind: 'envFile', path: '/app.env' } as const,
      entry: 'FAST_PATH',
      takeUp,
    };
    const world = healthyWorld(aDesired({ flags: { 'fast-path': aFlag({ deliver: [place] }) } }));
    world.live(10, 0.9);
    world.now += 5_000;
    world.reading(0.9);
    world.unreadable.add(APP);
    world.kill(1);
    world.settle();
    world.unreadable.clear();
    world.live(10, 0.9);
    expect(world.documents[APP]).toEqual({ FAST_PATH: 'false' });
    expect(world.effects).toContain('reload');
  });
});

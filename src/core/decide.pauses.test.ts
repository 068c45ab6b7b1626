import { describe, expect, test } from 'vitest';
import { aDesired, aFlag, aPolicy, aRun, aRung, aTrigger } from '../../test/support/policies.ts';
import { World } from '../../test/support/world.ts';
import type { Window } from './model/window.ts';
import { overrideFlag } from './operator-commands.ts';

const APP = 'envFile:/app.env';
const HALT = { since: 0, by: 'ann', reason: 'looking' };

function healthyWorld(desired = aDesired()): World {
  const world = new World(desired, { [APP]: { FAST_PATH: 'true' } });
  world.live(60, 0.1);
  return world;
}

function writes(world: World): string[] {
  return world.effects.filter((effect) => effect.startsWith('write'));
}

describe('suspend on a policy with an open incident', () => {
  test('freezes its deadlines, too', () => {
    const guard = aPolicy();
    const world = healthyWorld(aDesired({ policies: { guard } }));
    world.live(15, 0.9);
    world.accept(aDesired({ revision: 'rev-2', policies: { guard: { ...guard, suspend: true } } }));
    world.live(600, 0.9);
    expect(world.memory.incidents['INC-1']?.phase).toMatchObject({ kind: 'verifying' });
    world.accept(aDesired({ revision: 'rev-3', policies: { guard } }));
    world.live(50, 0.9);
    expect(world.events('incident.closed')).toEqual([]);
    world.live(10, 0.9);
    expect(world.events('incident.closed')).toMatchObject([{ outcome: 'exhausted' }]);
    expect(world.events('incident.unpaused')).toMatchObject([{ lastedMs: 600_000 }]);
  });
});

describe('a halt between two rungs', () => {
  const ladder = [aRung({ do: [aRun(['first'])] }), aRung({ name: 'second', do: [aRun(['second'])] })];

  test.each([
    ['is resolved without the second if it is over by then', 0.1, []],
    ['goes on if it is not', 0.9, ['second']],
  ] as const)('%s', (_what, value, expected) => {
    const world = healthyWorld(aDesired({ policies: { guard: aPolicy({ ladder }) } }));
    world.perform = (action) =>
      action.kind === 'step' && action.step.kind === 'run' && action.step.argv[0] === 'first'
        ? { outcome: 'failed', detail: 'no' }
        : { outcome: 'done', detail: '' };
    // The step fails in the very turn before the halt, so that the next rung is due when it ends.
    world.live(10, 0.9);
    world.now += 5_000;
    world.reading(0.9);
    world.round();
    world.halt = HALT;
    world.live(60, value);
    world.halt = null;
    world.live(10, value);
    expect(world.effects.filter((effect) => effect === 'second')).toEqual(expected);
    expect(world.events('incident.closed')).toMatchObject(expected.length === 0 ? [{ outcome: 'resolved' }] : []);
  });
});

describe('somebody who changes a place again and again', () => {
  test('is set back three times at once, then ever later, and people are told', () => {
    const world = healthyWorld();
    const since = world.now;
    for (let times = 0; times < 20; times += 1) {
      world.documents[APP] = { FAST_PATH: 'mine' };
      world.live(60, 0.1);
    }
    const repaired = writes(world).length;
    expect(repaired).toBeGreaterThan(4);
    expect(repaired).toBeLessThan(9);
    expect(world.now - since).toBe(1_200_000);
    expect(world.plan().conditions).toContainEqual(
      expect.objectContaining({
        type: 'Drift',
        needsAttention: true,
        message: expect.stringContaining('it is set back at'),
      }),
    );
    expect(world.plan().requeueAt).toBeGreaterThan(world.now);
  });

  test('does not hold up a rollback', () => {
    const world = healthyWorld();
    for (let times = 0; times < 8; times += 1) {
      world.documents[APP] = { FAST_PATH: 'mine' };
      world.live(5, 0.1);
    }
    world.live(15, 0.9);
    expect(world.documents[APP]).toEqual({ FAST_PATH: 'false' });
  });

  test('starts anew after a long rest', () => {
    const world = healthyWorld();
    for (let times = 0; times < 4; times += 1) {
      world.documents[APP] = { FAST_PATH: 'mine' };
      world.live(5, 0.1);
    }
    expect(writes(world)).toHaveLength(3);
    world.live(3 * 3_600, 0.1);
    const before = writes(world).length;
    world.documents[APP] = { FAST_PATH: 'mine' };
    world.live(5, 0.1);
    expect(writes(world)).toHaveLength(before + 1);
  });
});

describe('a window', () => {
  const weekend: Window = {
    name: 'weekend',
    origin: { file: 'w.yaml', line: 1, column: 1 },
    suspend: false,
    type: 'deny',
    schedule: '0 18 * * 5',
    durationMs: 62 * 3_600_000,
    timezone: 'Europe/Berlin',
    flags: null,
    targets: null,
  };
  const off = aFlag({ defaultVariant: 'off', digest: 'flag-off' });

  function frozen(
    flag = aFlag(),
    window: Partial<Window> = {},
    live: Record<string, string> = { FAST_PATH: 'true' },
  ): World {
    const desired = aDesired({ flags: { 'fast-path': flag }, windows: { weekend: { ...weekend, ...window } } });
    const world = new World(desired, { [APP]: live });
    world.windows = { weekend: [{ from: world.now, to: world.now + 3_600_000 }] };
    world.live(60, 0.1);
    return world;
  }

  function commit(world: World, flag: typeof off): void {
    world.accept({ ...world.desired, revision: 'rev-2', flags: { 'fast-path': flag } });
    world.live(5, 0.1);
  }

  test('lets flags go to their safe variant, and not away from it before it is over', () => {
    const world = frozen();
    commit(world, off);
    expect(writes(world)).toEqual(['write FAST_PATH=false']);
    commit(world, aFlag({ digest: 'flag-on' }));
    world.live(300, 0.1);
    expect(writes(world)).toEqual(['write FAST_PATH=false']);
    expect(world.events('window.withheld')).toMatchObject([{ flag: 'fast-path', window: 'weekend', variant: 'on' }]);
    expect(world.plan().conditions).toContainEqual(
      expect.objectContaining({ type: 'Windowed', message: expect.stringContaining('revertd flags set fast-path on') }),
    );
    world.live(3_600, 0.1);
    expect(writes(world)).toEqual(['write FAST_PATH=false', 'write FAST_PATH=true']);
    expect(world.memory.windowed).toEqual({});
  });

  test.each([
    ['of another flag', { flags: ['other'] }],
    ['that is suspended', { suspend: true }],
    ['that allows, while it is open', { type: 'allow' }],
  ] as const)('%s keeps nothing', (_what, change) => {
    const world = frozen(off, change);
    commit(world, aFlag({ digest: 'flag-on' }));
    expect(world.documents[APP]).toEqual({ FAST_PATH: 'true' });
  });

  test.each([
    [
      'that allows, before it opens',
      { type: 'allow' },
      (now: number) => ({ weekend: [{ from: now + 1e9, to: now + 2e9 }] }),
    ],
    ['whose times are not known', {}, () => ({})],
  ] as const)('%s keeps what leaves the safe variant', (_what, change, windows) => {
    const world = frozen(off, { ...change, suspend: true }, { FAST_PATH: 'false' });
    world.windows = windows(world.now);
    world.accept({ ...world.desired, windows: { weekend: { ...weekend, ...change } } });
    commit(world, aFlag({ digest: 'flag-on' }));
    expect(world.documents[APP]).toEqual({ FAST_PATH: 'false' });
  });

  test('never holds up a rollback, and keeps its latch until it is over', () => {
    const world = frozen();
    world.live(15, 0.9);
    expect(world.documents[APP]).toEqual({ FAST_PATH: 'false' });
    world.live(30, 0.1);
    commit(world, aFlag({ digest: 'flag-2' }));
    expect(Object.keys(world.memory.holds)).toHaveLength(1);
    expect(world.events('window.withheld')).toHaveLength(1);
    world.live(3_600, 0.1);
    expect(world.memory.holds).toEqual({});
    expect(world.documents[APP]).toEqual({ FAST_PATH: 'true' });
  });

  test('gives way to a person, and waits with the end of what they set', () => {
    const world = frozen(off);
    const situation = { desired: world.desired, memory: world.memory, now: world.now, actor: 'ann' };
    const request = { flag: 'fast-path', variant: 'on', ttlMs: 60_000, reason: 'now', force: false };
    overrideFlag(situation, request).forEach((event) => world.record(event));
    world.live(5, 0.1);
    expect(world.documents[APP]).toEqual({ FAST_PATH: 'true' });
    // Back to the safe variant it may at any time.
    world.live(60, 0.1);
    expect(world.documents[APP]).toEqual({ FAST_PATH: 'false' });
  });

  test('lets drift be set back, unless that would leave the safe variant', () => {
    const world = frozen();
    world.documents[APP] = { FAST_PATH: 'mine' };
    world.live(5, 0.1);
    expect(world.documents[APP]).toEqual({ FAST_PATH: 'true' });
    world.documents[APP] = { FAST_PATH: 'false' };
    world.live(60, 0.1);
    expect(world.documents[APP]).toEqual({ FAST_PATH: 'false' });
  });
});

test('two policies on one target: one acts, the other joins, whichever fires first', () => {
  const policy = (name: string) => aPolicy({ name, triggers: [aTrigger({ forMs: 0 })] });
  const world = new World(aDesired({ policies: { guard: policy('guard'), ward: policy('ward') } }), {
    [APP]: { FAST_PATH: 'true' },
  });
  world.live(60, 0.1);
  world.now += 5_000;
  world.reading(0.9, { trigger: 'ward/latency' });
  world.reading(0.9);
  world.settle();
  expect(world.events('incident.opened').map(({ incident }) => incident.policy.name)).toEqual(['guard']);
  expect(world.events('incident.joined').map(({ joined }) => joined.policy.name)).toEqual(['ward']);
});

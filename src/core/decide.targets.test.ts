import { describe, expect, test } from 'vitest';
import {
  aDesired,
  aPolicy,
  aRestore,
  aRun,
  aRung,
  aService,
  aTarget,
  setFlagOff,
} from '../../test/support/policies.ts';
import { World } from '../../test/support/world.ts';
import type { Desired } from './model/desired.ts';
import type { Window } from './model/window.ts';

const APP = 'envFile:/app.env';
const TRACKED = aTarget({ type: { track: { remote: 'origin', ref: 'main', intervalMs: 5_000 } } });

function codePolicy(step = aRestore()) {
  return aPolicy({ ladder: [aRung({ name: 'code', do: [step] })] });
}

function desiredWith(change: Partial<Desired> = {}): Desired {
  return aDesired({ policies: { guard: codePolicy() }, targets: { code: aTarget() }, ...change });
}

/** Ten quiet minutes at `v1`, which is then good. */
function quietWorld(desired = desiredWith(), tip?: string): World {
  const world = new World(desired, { [APP]: { FAST_PATH: 'true' } });
  world.checkouts = { code: { head: 'v1', ...(tip === undefined ? {} : { tip }) } };
  world.live(600, 0.1);
  return world;
}

function moves(world: World): string[] {
  return world.effects.filter((effect) => effect.startsWith('move'));
}

describe('a revision', () => {
  test('is good once it baked while its triggers were inactive with data', () => {
    const world = new World(desiredWith(), { [APP]: { FAST_PATH: 'true' } });
    world.checkouts = { code: { head: 'v1' } };
    world.live(55, 0.1);
    expect(world.events('target.good')).toEqual([]);
    world.live(15, 0.1);
    expect(world.events('target.good')).toMatchObject([{ target: 'code', revision: { commit: 'v1' } }]);
  });

  test.each([
    ['a breach', (world: World) => world.live(5, 0.9)],
    ['no data', (world: World) => world.live(30, undefined)],
    ['a restart', (world: World) => world.restart()],
  ])('bakes anew after %s', (_what, disturb) => {
    const world = new World(desiredWith(), { [APP]: { FAST_PATH: 'true' } });
    world.checkouts = { code: { head: 'v1' } };
    world.live(50, 0.1);
    disturb(world);
    world.live(55, 0.1);
    expect(world.events('target.good')).toEqual([]);
    world.live(20, 0.1);
    expect(world.events('target.good')).toHaveLength(1);
  });

  test('that is good is kept from garbage collection', () => {
    const kept: string[][] = [];
    const world = new World(desiredWith(), { [APP]: { FAST_PATH: 'true' } });
    world.perform = (action) => {
      if (action.kind === 'keep') kept.push([...action.commits]);
      return { outcome: 'done', detail: '' };
    };
    world.checkouts = { code: { head: 'v1' } };
    world.live(100, 0.1);
    expect(kept).toEqual([['v1']]);
  });
});

test('a good revision that cannot be kept is tried again later, and not at once', () => {
  const world = new World(desiredWith(), { [APP]: { FAST_PATH: 'true' } });
  let tries = 0;
  world.perform = (action) => {
    if (action.kind === 'keep') tries += 1;
    return { outcome: action.kind === 'keep' && tries < 3 ? 'failed' : 'done', detail: 'read-only' };
  };
  world.checkouts = { code: { head: 'v1' } };
  world.live(65, 0.1);
  expect(tries).toBe(1);
  expect(world.plan().requeueAt).toBe(world.now + 1_000);
  world.live(30, 0.1);
  expect(tries).toBe(3);
  expect(world.memory.targets['code']).toMatchObject({ kept: ['v1'], keepRetry: null });
});

describe('a code rung', () => {
  test('goes back to the last good revision, and puts what it leaves into quarantine', () => {
    const world = quietWorld();
    world.checkouts['code'] = { head: 'v2' };
    world.live(30, 0.9);
    expect(moves(world)).toEqual(['move code to v1']);
    expect(Object.values(world.memory.holds)).toMatchObject([
      { kind: 'quarantine', object: 'Target/code', tree: 'v2' },
    ]);
    world.live(60, 0.1);
    expect(world.events('incident.closed')).toMatchObject([{ outcome: 'resolved' }]);
  });

  test('goes back to the same good revision for a second bad one', () => {
    const world = quietWorld();
    for (const bad of ['v2', 'v3']) {
      world.checkouts['code'] = { head: bad };
      world.live(40, 0.9);
      world.live(1_000, 0.1);
    }
    expect(moves(world)).toEqual(['move code to v1', 'move code to v1']);
  });

  test('is skipped where the revision in place has proved good', () => {
    const world = quietWorld();
    world.live(30, 0.9);
    expect(moves(world)).toEqual([]);
    expect(world.events('rung.skipped')).toMatchObject([{ name: 'code' }]);
  });

  test('fails, saying so, where no revision has proved good', () => {
    const world = new World(desiredWith(), { [APP]: { FAST_PATH: 'true' } });
    world.checkouts = { code: { head: 'v1' } };
    world.live(20, 0.1);
    world.live(30, 0.9);
    expect(world.events('step.finished')).toMatchObject([
      {
        result: {
          outcome: 'failed',
          detail: expect.stringContaining('no revision of code has proved good yet') as string,
        },
      },
    ]);
    expect(world.events('incident.closed')).toMatchObject([{ outcome: 'exhausted' }]);
  });

  test('puts back only the paths that it names, without a quarantine', () => {
    const policies = { guard: codePolicy(aRestore({ paths: ['compose.yml'] })) };
    const world = quietWorld(desiredWith({ policies }));
    world.live(30, 0.9);
    expect(moves(world)).toEqual(['move code compose.yml to v1']);
    expect(world.memory.holds).toEqual({});
  });

  test('waits for a target that was not looked at yet', () => {
    const world = quietWorld();
    world.checkouts = {};
    world.live(60, 0.9);
    expect(moves(world)).toEqual([]);
    expect(world.events('step.finished')).toEqual([]);
  });

  test('starts the services that it stopped, activates what it put in place, and only then is done', () => {
    const target = aTarget({ quiesce: [aService('app.service', 'stop')], type: { activate: [aRun(['warm', 'up'])] } });
    const world = quietWorld(desiredWith({ targets: { code: target } }));
    world.checkouts['code'] = { head: 'v2' };
    world.live(30, 0.9);
    expect(world.effects).toEqual(['move code to v1', 'start app.service', 'warm up']);
  });

  test('starts the services again when the move failed', () => {
    const target = aTarget({ quiesce: [aService('a.service', 'stop'), aService('b.service', 'stop')] });
    const world = quietWorld(desiredWith({ targets: { code: target } }));
    world.checkouts['code'] = { head: 'v2' };
    world.perform = (action) => ({ outcome: action.kind === 'restore' ? 'failed' : 'done', detail: 'no space' });
    world.live(30, 0.9);
    expect(world.effects.filter((effect) => effect.startsWith('start'))).toEqual([
      'start b.service',
      'start a.service',
    ]);
    expect(world.events('step.finished')).toMatchObject([{ result: { outcome: 'failed', detail: 'no space' } }]);
  });

  test('starts the services again after a kill in the middle, and finds out what became of the move', () => {
    const target = aTarget({ quiesce: [aService('a.service', 'stop')] });
    const world = quietWorld(desiredWith({ targets: { code: target } }));
    world.checkouts['code'] = { head: 'v2' };
    for (let passed = 0; passed < 10; passed += 5) {
      world.now += 5_000;
      world.reading(0.9);
      world.settle();
    }
    world.now += 5_000;
    world.reading(0.9);
    world.kill(1);
    world.live(30, 0.9);
    expect(world.effects).toEqual(['move code to v1', 'start a.service']);
  });

  test('that was killed when only the checkout was moved does all of it again, and keeps nothing good away', () => {
    const world = quietWorld();
    world.checkouts['code'] = { head: 'v2' };
    world.live(10, 0.9);
    world.now += 5_000;
    world.reading(0.9);
    world.kill(1, 0, 'midway');
    world.checkouts['code'] = { head: 'v1' };
    world.live(60, 0.1);
    expect(moves(world)).toEqual(['move code to v1']);
    expect(Object.values(world.memory.holds)).toMatchObject([{ kind: 'quarantine', tree: 'v2' }]);
    expect(world.events('incident.closed')).toMatchObject([{ outcome: 'resolved' }]);
  });

  test('that was killed and is done again starts no service in between', () => {
    const target = aTarget({ quiesce: [aService('a.service', 'stop')] });
    const world = quietWorld(desiredWith({ targets: { code: target } }));
    world.checkouts['code'] = { head: 'v2' };
    world.live(10, 0.9);
    world.now += 5_000;
    world.reading(0.9);
    world.kill(1, 0, 'midway');
    // It was not looked at yet after the start.
    world.checkouts = {};
    world.settle();
    world.live(30, 0.9);
    expect(world.effects[0]).toBe('move code to v1');
    expect(new Set(world.effects.slice(1))).toEqual(new Set(['start a.service']));
  });

  test('that was killed after its effect does not go back further', () => {
    const world = quietWorld();
    world.checkouts['code'] = { head: 'v0' };
    world.live(900, 0.1);
    world.checkouts['code'] = { head: 'v2' };
    world.live(10, 0.9);
    world.now += 5_000;
    world.reading(0.9);
    world.kill(1);
    world.live(60, 0.1);
    expect(moves(world)).toEqual(['move code to v0']);
  });
});

describe('a target that tracks a ref', () => {
  const desired = desiredWith({ targets: { code: TRACKED } });

  test('is taken over silently where it shows what it tracks, and follows it', () => {
    const world = quietWorld(desired, 'v1');
    world.checkouts['code'] = { head: 'v1', tip: 'v2' };
    world.live(10, 0.1);
    expect(moves(world)).toEqual(['move code to v2']);
    expect(world.events('target.moved')).toMatchObject([{ by: 'others' }, { by: 'revertd', to: { commit: 'v2' } }]);
  });

  test('waits for a person where it differs at first sight', () => {
    const world = quietWorld(desired, 'v2');
    expect(moves(world)).toEqual([]);
    const [hold] = Object.values(world.memory.holds);
    expect(hold).toMatchObject({ kind: 'targetAdoption', object: 'Target/code' });
    world.record({ type: 'hold.lifted', id: hold?.id ?? '', object: 'Target/code', reason: 'ann' });
    world.live(10, 0.1);
    expect(moves(world)).toEqual(['move code to v2']);
  });

  test('does not deploy what is in quarantine, under whatever commit; another content is the fix', () => {
    const world = quietWorld(desired, 'v1');
    world.checkouts['code'] = { head: 'v1', tip: 'v2' };
    world.live(10, 0.1);
    world.live(30, 0.9);
    world.live(700, 0.1);
    expect(moves(world)).toEqual(['move code to v2', 'move code to v1']);
    world.checkouts['code'] = { head: 'v1', tip: 'v3' };
    world.live(10, 0.1);
    expect(moves(world).slice(2)).toEqual(['move code to v3']);
  });

  test('is moved by nothing else while an incident is open over it', () => {
    const policies = {
      guard: aPolicy({ ladder: [aRung({ do: [setFlagOff()] }), aRung({ name: 'code', do: [aRestore()] })] }),
    };
    const world = quietWorld(desiredWith({ targets: { code: TRACKED }, policies }), 'v1');
    world.live(20, 0.9);
    world.checkouts['code'] = { head: 'v1', tip: 'v2' };
    world.live(20, 0.9);
    expect(moves(world)).toEqual([]);
  });

  test('finishes a deployment that was killed when only the checkout was moved', () => {
    const target = aTarget({ type: TRACKED.type, quiesce: [aService('a.service', 'stop')] });
    const world = quietWorld(desiredWith({ targets: { code: target } }), 'v1');
    world.checkouts['code'] = { head: 'v1', tip: 'v2' };
    world.kill(1, 0, 'midway');
    world.checkouts['code'] = { head: 'v2', tip: 'v2' };
    world.live(60, 0.1);
    expect(moves(world)).toEqual(['move code to v2']);
    expect(world.effects.at(-1)).toBe('start a.service');
    expect(world.memory.targets['code']).toMatchObject({ isMidway: false });
  });

  test('tries a deployment that failed again, later and later', () => {
    const world = quietWorld(desired, 'v1');
    let attempts = 0;
    world.perform = (action) => {
      if (action.kind !== 'restore') return { outcome: 'done', detail: '' };
      attempts += 1;
      return { outcome: 'failed', detail: 'npm ci ended with exit code 1' };
    };
    world.checkouts['code'] = { head: 'v1', tip: 'v2' };
    world.live(300, 0.1);
    expect(attempts).toBe(4);
    expect(world.plan().conditions).toMatchObject([{ type: 'MoveFailing', object: 'Target/code' }]);
    world.checkouts['code'] = { head: 'v1', tip: 'v1' };
    world.live(10, 0.1);
    expect(world.plan().conditions).toEqual([]);
  });

  test('is not moved while everything is halted, nor while it is suspended', () => {
    const world = quietWorld(desired, 'v1');
    world.halt = { since: 0, by: 'ann', reason: 'looking' };
    world.checkouts['code'] = { head: 'v1', tip: 'v2' };
    world.live(30, 0.1);
    world.halt = null;
    world.accept({ ...desired, targets: { code: { ...TRACKED, suspend: true } } });
    world.live(30, 0.1);
    expect(moves(world)).toEqual([]);
  });
});

describe('a window over a target', () => {
  const freeze: Window = {
    name: 'weekend',
    origin: { file: 'w.yaml', line: 1, column: 1 },
    suspend: false,
    type: 'deny',
    schedule: '0 18 * * 5',
    durationMs: 3_600_000,
    timezone: 'UTC',
    flags: [],
    targets: null,
  };

  function frozenWorld(window: Partial<Window> = {}): World {
    const world = quietWorld(
      desiredWith({ targets: { code: TRACKED }, windows: { weekend: { ...freeze, ...window } } }),
      'v1',
    );
    world.windows = { weekend: [{ from: world.now, to: world.now + 3_600_000 }] };
    return world;
  }

  test('keeps new revisions until it is over, and says so once', () => {
    const world = frozenWorld();
    world.checkouts['code'] = { head: 'v1', tip: 'v2' };
    world.live(600, 0.1);
    expect(moves(world)).toEqual([]);
    expect(world.events('target.withheld')).toMatchObject([{ target: 'code', commit: 'v2', window: 'weekend' }]);
    expect(world.plan().conditions).toMatchObject([{ type: 'Windowed', object: 'Target/code' }]);
    expect(world.plan().requeueAt).not.toBeNull();
    world.live(3_100, 0.1);
    expect(moves(world)).toEqual(['move code to v2']);
    expect(world.events('target.allowed')).toHaveLength(1);
    expect(world.plan().conditions).toEqual([]);
  });

  test('does not leave half of a deployment that was killed before it began', () => {
    const world = frozenWorld();
    const { windows } = world;
    world.windows = { weekend: [] };
    world.checkouts['code'] = { head: 'v1', tip: 'v2' };
    world.kill(1, 0, 'midway');
    world.windows = windows;
    world.checkouts['code'] = { head: 'v2', tip: 'v2' };
    world.live(60, 0.1);
    expect(moves(world)).toEqual(['move code to v2']);
  });

  test('forgets what git took back meanwhile', () => {
    const world = frozenWorld();
    world.checkouts['code'] = { head: 'v1', tip: 'v2' };
    world.live(10, 0.1);
    world.checkouts['code'] = { head: 'v1', tip: 'v1' };
    world.live(10, 0.1);
    expect(world.memory.targets['code']).toMatchObject({ withheld: null });
  });

  test('never keeps a restore, nor the repair of what was brought back', () => {
    const world = frozenWorld();
    world.checkouts['code'] = { head: 'v2', tip: 'v2' };
    world.live(30, 0.9);
    expect(moves(world)).toEqual(['move code to v1']);
    world.live(700, 0.1);
    world.checkouts['code'] = { head: 'v2', tip: 'v2' };
    world.live(10, 0.1);
    expect(moves(world)).toEqual(['move code to v1', 'move code to v1']);
  });

  test.each([
    ['is for other targets', { targets: ['other'] }],
    ['is for flags only', { flags: null, targets: [] }],
    ['is suspended', { suspend: true }],
  ])('that %s keeps nothing', (_what, window) => {
    const world = frozenWorld(window);
    world.checkouts['code'] = { head: 'v1', tip: 'v2' };
    world.live(10, 0.1);
    expect(moves(world)).toEqual(['move code to v2']);
  });

  test('of which the times are not known keeps too', () => {
    const world = frozenWorld();
    world.windows = {};
    world.checkouts['code'] = { head: 'v1', tip: 'v2' };
    world.live(600, 0.1);
    expect(moves(world)).toEqual([]);
  });
});

describe('quarantined content that somebody brings back', () => {
  function broughtBack(): World {
    const world = quietWorld();
    world.checkouts['code'] = { head: 'v2' };
    world.live(30, 0.9);
    world.live(700, 0.1);
    world.checkouts['code'] = { head: 'v2' };
    return world;
  }

  test('is put away again once; the second time people are told', () => {
    const world = broughtBack();
    world.live(10, 0.1);
    expect(moves(world)).toEqual(['move code to v1', 'move code to v1']);
    world.checkouts['code'] = { head: 'v2' };
    world.live(30, 0.1);
    expect(moves(world)).toHaveLength(2);
    expect(world.plan().conditions).toMatchObject([{ type: 'Quarantined', needsAttention: true }]);
  });

  test('is left alone once a person has lifted the quarantine', () => {
    const world = broughtBack();
    const [hold] = Object.values(world.memory.holds);
    world.record({ type: 'hold.lifted', id: hold?.id ?? '', object: 'Target/code', reason: 'ann' });
    world.live(30, 0.1);
    expect(moves(world)).toHaveLength(1);
  });
});

test('a latch that is released on a fix lifts when a later revision proves good', () => {
  const ladder = [aRung({ do: [setFlagOff()] })];
  const policies = { guard: aPolicy({ ladder, release: { kind: 'onFix', target: 'code' } }) };
  const world = quietWorld(desiredWith({ policies }));
  world.live(30, 0.9);
  world.live(300, 0.1);
  expect(Object.values(world.memory.holds)).toMatchObject([{ kind: 'latch' }]);
  world.checkouts['code'] = { head: 'v2' };
  world.live(80, 0.1);
  expect(world.memory.holds).toEqual({});
});

test('git letting go of a target leaves it as it is', () => {
  const world = quietWorld(desiredWith({ targets: { code: TRACKED } }), 'v1');
  world.accept(aDesired({ revision: 'rev-2' }));
  world.checkouts['code'] = { head: 'v1', tip: 'v2' };
  world.live(20, 0.1);
  expect(moves(world)).toEqual([]);
  expect(world.memory.targets).toEqual({});
});

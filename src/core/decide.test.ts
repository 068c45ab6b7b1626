import { describe, expect, test } from 'vitest';
import {
  aDesired,
  aFlag,
  aPolicy,
  aRun,
  aRung,
  aTrigger,
  aVerify,
  ORIGIN,
  setFlagOff,
} from '../../test/support/policies.ts';
import { World } from '../../test/support/world.ts';
import { remember } from './evolve.ts';
import type { Incident } from './model/incident.ts';

const APP = 'envFile:/app.env';

function healthyWorld(desired = aDesired()): World {
  const world = new World(desired, { [APP]: { FAST_PATH: 'true' } });
  world.live(60, 0.1);
  return world;
}

function incident(world: World, id = 'INC-1'): Incident {
  const found = world.memory.incidents[id];
  if (found === undefined) throw new Error(`no ${id}`);
  return found;
}

describe('a healthy host', () => {
  test('is left alone', () => {
    const world = healthyWorld();
    expect(world.effects).toEqual([]);
    expect(world.events('operation.planned')).toEqual([]);
    expect(world.events('place.adopted')).toHaveLength(1);
  });

  test('gets an entry that is not there yet', () => {
    const world = new World(aDesired(), { [APP]: {} });
    const [first] = world.settle();
    expect(first?.actions).toMatchObject([{ kind: 'deliver', sign: '+', changes: [{ after: 'true' }] }]);
    expect(world.documents[APP]).toEqual({ FAST_PATH: 'true' });
  });
});

describe('the rollback of a flag', () => {
  test('is written at the evaluation whose breached time reaches `for`, and not before', () => {
    const world = healthyWorld();
    world.live(10, 0.9);
    expect(world.effects).toEqual([]);
    expect(world.plan().outlook).toMatchObject([
      {
        object: 'RollbackPolicy/guard',
        afterMs: 5_000,
        next: ['rung "flags": set flag fast-path to its safe variant'],
      },
    ]);
    world.live(5, 0.9);
    expect(world.effects).toEqual(['write FAST_PATH=false']);
    expect(incident(world).phase).toMatchObject({ kind: 'verifying' });
  });

  test('is verified, reported, and its latch outlives everything but a change of the flag', () => {
    const world = healthyWorld();
    world.live(15, 0.9);
    world.live(10, 0.1);
    expect(world.events('incident.closed')).toMatchObject([{ outcome: 'resolved' }]);
    expect(world.effects).toEqual(['write FAST_PATH=false', 'report INC-1']);

    const before = world.log.length;
    for (let loops = 0; loops < 100; loops += 1) world.round();
    expect(world.log.length).toBe(before);

    world.accept(aDesired({ revision: 'rev-2' }));
    world.live(10, 0.1);
    expect(world.documents[APP]).toEqual({ FAST_PATH: 'false' });

    world.accept(aDesired({ revision: 'rev-3', flags: { 'fast-path': aFlag({ digest: 'flag-2' }) } }));
    world.live(5, 0.1);
    expect(world.documents[APP]).toEqual({ FAST_PATH: 'true' });
    expect(world.memory.holds).toEqual({});
    expect(world.memory.incidents).toEqual({});
  });

  test('keeps its latch while the triggers have no data, even when the flag changed', () => {
    const world = healthyWorld();
    world.live(15, 0.9);
    world.live(10, 0.1);
    world.accept(aDesired({ revision: 'rev-2', flags: { 'fast-path': aFlag({ digest: 'flag-2' }) } }));
    world.live(10, undefined);
    expect(world.documents[APP]).toEqual({ FAST_PATH: 'false' });
    world.live(5, 0.1);
    expect(world.documents[APP]).toEqual({ FAST_PATH: 'true' });
  });

  test('owes `then` after the write, once for flags that share a document', () => {
    const reload = aRun(['reload']);
    const place = (entry: string) => [
      { origin: ORIGIN, document: { kind: 'envFile', path: '/app.env' } as const, entry, takeUp: [reload] },
    ];
    const desired = aDesired({
      flags: {
        'fast-path': aFlag({ deliver: place('FAST_PATH') }),
        other: aFlag({ name: 'other', deliver: place('OTHER') }),
      },
      policies: { guard: aPolicy({ ladder: [aRung({ do: [setFlagOff(), setFlagOff('other')] })] }) },
    });
    const world = new World(desired, { [APP]: { FAST_PATH: 'true', OTHER: 'true' } });
    world.live(60, 0.1);
    world.live(15, 0.9);
    expect(world.effects).toEqual(['write FAST_PATH=false OTHER=false', 'reload']);
  });
});

describe('verification', () => {
  const second = aRung({ name: 'restart', do: [aRun(['restart'])] });

  test('that fails leads to the next rung, and a ladder without one is exhausted', () => {
    const world = healthyWorld(aDesired({ policies: { guard: aPolicy({ ladder: [aRung(), second] }) } }));
    world.live(15, 0.9);
    world.live(60, 0.9);
    expect(world.effects).toEqual(['write FAST_PATH=false', 'restart']);
    world.live(65, 0.9);
    expect(world.events('incident.closed')).toMatchObject([{ outcome: 'exhausted' }]);
    expect(world.events('verification.ended').map((event) => event.outcome)).toEqual(['failed', 'failed']);
  });

  test('without data is inconclusive, asks a person, and enters no further rung by itself', () => {
    const world = healthyWorld(aDesired({ policies: { guard: aPolicy({ ladder: [aRung(), second] }) } }));
    world.live(15, 0.9);
    world.live(120, undefined);
    expect(incident(world).phase).toMatchObject({ kind: 'asking' });
    expect(world.effects).toEqual(['write FAST_PATH=false']);
    expect(world.plan().conditions).toContainEqual(expect.objectContaining({ type: 'Asking', needsAttention: true }));
  });

  test('that was inconclusive resolves by itself once the data is good', () => {
    const world = healthyWorld();
    world.live(15, 0.9);
    world.live(120, undefined);
    world.live(5, 0.1);
    expect(world.events('incident.closed')).toMatchObject([{ outcome: 'resolved' }]);
  });

  test.each([
    ['does not wait for a baseline that there cannot be yet', 0.1, 'closed'],
    ['waits for the data of a trigger without a baseline', undefined, 'verifying'],
  ])('%s', (_rule, usual, phase) => {
    const threshold = { kind: 'baseline', side: 'above', factor: 2, overMs: 86_400_000 } as const;
    const triggers = [aTrigger(), aTrigger({ name: 'usual', digest: 'trigger-2', threshold })];
    const world = new World(aDesired({ policies: { guard: aPolicy({ triggers }) } }), { [APP]: { FAST_PATH: 'true' } });
    for (const value of [0.1, 0.9, 0.9, 0.9, 0.1, 0.1]) {
      world.now += 5_000;
      world.reading(value);
      world.reading(usual, { trigger: 'guard/usual', baseline: null });
      world.settle();
    }
    expect(incident(world).phase.kind).toBe(phase);
  });

  test('waits until success has lasted `for`, unbroken', () => {
    const verify = aVerify({ forMs: 20_000 });
    const world = healthyWorld(aDesired({ policies: { guard: aPolicy({ ladder: [aRung({ verify })] }) } }));
    world.live(15, 0.9);
    world.live(20, 0.1);
    world.live(5, 0.9);
    world.live(20, 0.1);
    expect(world.events('incident.closed')).toEqual([]);
    world.live(5, 0.1);
    expect(world.events('incident.closed')).toMatchObject([{ outcome: 'resolved' }]);
  });

  test('begins anew after a restart, for what was seen before it is no evidence', () => {
    const world = healthyWorld();
    world.live(15, 0.9);
    world.now += 55_000;
    world.restart();
    world.settle();
    expect(incident(world).phase).toMatchObject({ kind: 'verifying', since: world.now });
    world.live(10, 0.1);
    expect(world.events('incident.closed')).toMatchObject([{ outcome: 'resolved' }]);
  });
});

describe('a failed step', () => {
  test('ends its rung, runs onFailure, and leads to the next rung', () => {
    const ladder = [
      aRung({ name: 'first', do: [aRun(['bad']), aRun(['never'])], onFailure: [aRun(['undo'])] }),
      aRung({ name: 'second', do: [aRun(['good'])] }),
    ];
    const world = healthyWorld(aDesired({ policies: { guard: aPolicy({ ladder }) } }));
    world.perform = (action) =>
      action.kind === 'step' && action.step.kind === 'run' && action.step.argv[0] === 'bad'
        ? { outcome: 'failed', detail: 'exit 1' }
        : { outcome: 'done', detail: '' };
    world.live(15, 0.9);
    expect(world.effects).toEqual(['undo', 'good']);
    expect(world.events('rung.failed')).toHaveLength(1);
  });

  test('whose outcome is unknown asks a person, who may have it repeated', () => {
    const ladder = [aRung({ do: [aRun(['once'])] })];
    const world = healthyWorld(aDesired({ policies: { guard: aPolicy({ ladder }) } }));
    world.perform = () => ({ outcome: 'unknown', detail: 'the daemon died' });
    world.live(15, 0.9);
    expect(incident(world).phase).toMatchObject({ kind: 'asking' });
    world.perform = () => ({ outcome: 'done', detail: '' });
    world.record({ type: 'incident.answered', incident: 'INC-1', answer: 'retry', actor: 'ann' });
    world.settle();
    expect(world.effects).toEqual(['once']);
    expect(incident(world).phase).toMatchObject({ kind: 'verifying' });
  });

  test('setFlag fails when its place cannot be written in time', () => {
    const ladder = [aRung(), aRung({ name: 'restart', do: [aRun(['restart'])] })];
    const world = healthyWorld(aDesired({ policies: { guard: aPolicy({ ladder }) } }));
    world.perform = (action) =>
      action.kind === 'deliver' ? { outcome: 'failed', detail: 'read-only' } : { outcome: 'done', detail: '' };
    world.live(15, 0.9);
    expect(world.plan().conditions).toContainEqual(expect.objectContaining({ type: 'DeliveryFailing' }));
    world.live(35, 0.9);
    expect(world.effects).toEqual(['restart']);
  });
});

describe('brakes', () => {
  test('a cooldown holds back a policy that fires again, says so once, and lets go when it ends', () => {
    const world = healthyWorld();
    world.live(15, 0.9);
    world.live(10, 0.1);
    world.live(30, 0.9);
    expect(world.events('policy.braked')).toHaveLength(1);
    expect(world.events('incident.opened')).toHaveLength(1);
    world.live(600, 0.9);
    expect(world.events('incident.opened')).toHaveLength(2);
  });

  test('a limit counts every incident over the same things', () => {
    const desired = aDesired({
      policies: { guard: aPolicy({ cooldownMs: 0, limit: { rollbacks: 1, perMs: 3_600_000 } }) },
    });
    const world = healthyWorld(desired);
    world.live(15, 0.9);
    world.live(10, 0.1);
    world.live(60, 0.9);
    expect(world.events('incident.opened')).toHaveLength(1);
    expect(world.plan().conditions).toContainEqual(expect.objectContaining({ type: 'Braked' }));
  });

  test('a policy whose ladder touches the same things joins, and must be clear too', () => {
    const other = aPolicy({ name: 'other', triggers: [aTrigger({ name: 'errors' })] });
    const world = healthyWorld(aDesired({ policies: { guard: aPolicy(), other } }));
    for (let round = 0; round < 3; round += 1) {
      world.now += 5_000;
      world.reading(0.9);
      world.reading(9, { trigger: 'other/errors' });
      world.settle();
    }
    expect(world.events('incident.opened')).toHaveLength(1);
    expect(world.events('incident.joined')).toMatchObject([{ joined: { policy: { name: 'other' } } }]);
    for (let round = 0; round < 4; round += 1) {
      world.now += 5_000;
      world.reading(0.1);
      world.reading(9, { trigger: 'other/errors' });
      world.settle();
    }
    expect(world.events('incident.closed')).toEqual([]);
  });
});

describe('first sight', () => {
  test('what differs from git is held until a person adopts it', () => {
    const world = new World(aDesired(), { [APP]: { FAST_PATH: 'false' } });
    world.live(20, 0.1);
    expect(world.effects).toEqual([]);
    const [hold] = Object.values(world.memory.holds);
    expect(hold).toMatchObject({ kind: 'adoption', object: 'Flag/fast-path', live: 'false' });
    world.record({ type: 'place.adopted', place: `${APP}#FAST_PATH`, flag: 'fast-path', live: '"false"' });
    world.record({ type: 'hold.lifted', id: hold?.id ?? '', object: 'Flag/fast-path', reason: 'ann' });
    world.settle();
    expect(world.documents[APP]).toEqual({ FAST_PATH: 'true' });
  });

  test('a lost store does not turn a latched flag on again', () => {
    const world = new World(aDesired(), { [APP]: { FAST_PATH: 'false' } });
    world.live(600, 0.1);
    expect(world.documents[APP]).toEqual({ FAST_PATH: 'false' });
  });

  test('a rollback does not wait for adoption', () => {
    const world = new World(aDesired(), { [APP]: { FAST_PATH: 'yes' } });
    world.live(20, 0.9);
    expect(world.documents[APP]).toEqual({ FAST_PATH: 'false' });
  });
});

describe('drift', () => {
  test('is seen and repaired', () => {
    const world = healthyWorld();
    world.documents[APP] = { FAST_PATH: 'false' };
    world.settle();
    expect(world.documents[APP]).toEqual({ FAST_PATH: 'true' });
    expect(world.events('drift.seen')).toHaveLength(1);
  });

  test('is only reported where the flag says so, but never under a latch', () => {
    const world = healthyWorld(aDesired({ flags: { 'fast-path': aFlag({ drift: 'report' }) } }));
    world.documents[APP] = { FAST_PATH: 'maybe' };
    world.live(10, 0.1);
    expect(world.documents[APP]).toEqual({ FAST_PATH: 'maybe' });
    expect(world.events('drift.seen')).toHaveLength(1);
    world.live(15, 0.9);
    expect(world.documents[APP]).toEqual({ FAST_PATH: 'false' });
  });
});

describe('halt', () => {
  test('stops every effect and lets deadlines stand still', () => {
    const world = healthyWorld();
    world.live(15, 0.9);
    world.halt = { since: world.now, by: 'ann', reason: 'looking' };
    world.live(300, 0.9);
    expect(incident(world).phase).toMatchObject({ kind: 'verifying' });
    world.halt = null;
    world.live(10, 0.1);
    expect(world.events('incident.closed')).toMatchObject([{ outcome: 'resolved' }]);
  });

  test('before the trigger fires, keeps the flag as it is until resumed', () => {
    const world = healthyWorld();
    world.halt = { since: world.now, by: 'ann', reason: 'looking' };
    world.live(30, 0.9);
    expect(world.effects).toEqual([]);
    expect(world.plan().conditions[0]).toMatchObject({ type: 'Halted' });
    world.halt = null;
    world.live(5, 0.9);
    expect(world.effects).toEqual(['write FAST_PATH=false']);
  });
});

describe('what always holds', () => {
  function eventfulWorld(): World {
    const world = healthyWorld();
    world.live(15, 0.9);
    world.live(20, 0.1);
    return world;
  }

  test('equal inputs give equal plans', () => {
    const world = eventfulWorld();
    world.reading(0.9);
    expect(world.plan()).toEqual(world.plan());
  });

  test('memory is the fold of the log', () => {
    const world = eventfulWorld();
    const { triggers: _moving, ...rest } = world.memory;
    const { triggers: _rebuilt, ...rebuilt } = remember(world.log);
    expect(rebuilt).toEqual(rest);
  });

  test('inputs survive JSON, so that a decision can be recorded and recomputed', () => {
    const world = eventfulWorld();
    world.reading('NaN');
    const plan = world.plan();
    expect(JSON.parse(JSON.stringify(plan))).toEqual(plan);
    expect(JSON.parse(JSON.stringify(world.memory))).toEqual(world.memory);
  });

  test('a clock that runs backwards does nothing', () => {
    const world = eventfulWorld();
    const effects = [...world.effects];
    world.now -= 500_000;
    world.reading(0.9);
    world.settle();
    world.live(20, 0.9);
    expect(world.effects).toEqual(effects);
  });

  test('a policy that git removes during its incident is finished as it was', () => {
    const world = healthyWorld();
    world.live(15, 0.9);
    world.accept(aDesired({ revision: 'rev-2', policies: {} }));
    world.live(10, 0.1);
    expect(world.events('incident.closed')).toMatchObject([{ outcome: 'resolved' }]);
  });
});

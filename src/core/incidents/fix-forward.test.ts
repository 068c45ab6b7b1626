import { describe, expect, test } from 'vitest';
import { aDesired, aFlag, aPolicy, aRung, aTrigger, ORIGIN, setFlagOff } from '../../../test/support/policies.ts';
import { World } from '../../../test/support/world.ts';
import type { Incident } from '../model/incident.ts';
import type { Notifier } from '../model/notifier.ts';
import type { RollbackPolicy } from '../model/policy.ts';
import { abortIncident, answerIncident } from '../operator-commands.ts';

const APP = 'envFile:/app.env';
const MINUTES_30 = 30 * 60_000;
const hit = aTrigger({
  name: 'latency',
  forMs: 0,
  severity: 'warning',
  decision: { fixForwardMs: MINUTES_30 },
});
const down = aTrigger({ name: 'down', digest: 'trigger-2', forMs: 0 });
const PAGER: Notifier = {
  name: 'pager',
  origin: ORIGIN,
  suspend: false,
  on: ['opened', 'exhausted', 'resolved', 'braked'],
  timeoutMs: 1_000,
  type: { kind: 'command', argv: ['page'] },
};

function mending(change: Partial<RollbackPolicy> = {}): World {
  const guard = aPolicy({ triggers: [hit, down], ladder: [aRung()], notify: ['pager'], ...change });
  const world = new World(aDesired({ policies: { guard }, notifiers: { pager: PAGER } }), {
    [APP]: { FAST_PATH: 'true' },
  });
  live(world, 60, 0.1);
  live(world, 5, 0.9);
  return world;
}

/** `down` reads the second value. */
function live(world: World, seconds: number, value: number | undefined, other: number | undefined = 0.1): void {
  for (let passed = 0; passed < seconds; passed += 5) {
    world.now += 5_000;
    world.reading(value);
    world.reading(other, { trigger: 'guard/down' });
    world.settle();
  }
}

function phase(world: World, id = 'INC-1'): Incident['phase'] | undefined {
  return world.memory.incidents[id]?.phase;
}

function outcomes(world: World): string[] {
  return world.events('incident.closed').map(({ incident, outcome }) => `${incident} ${outcome}`);
}

function writes(world: World): string[] {
  return world.effects.filter((effect) => effect.startsWith('write'));
}

describe('a warning with time to mend it', () => {
  test('opens an incident that counts down, tells it, and touches nothing', () => {
    const world = mending();
    live(world, 60, 0.9);
    expect(phase(world)).toMatchObject({ kind: 'fixing-forward', rung: 0 });
    expect(world.effects).toEqual(['notify pager opened']);
    const [outlook] = world.plan().outlook.filter(({ object }) => object === 'Incident/INC-1');
    expect(outlook).toMatchObject({ afterMs: MINUTES_30 - 60_000, on: 'it is not mended by then' });
    expect(world.plan().conditions).toContainEqual(
      expect.objectContaining({ type: 'FixingForward', message: expect.stringContaining('people have 29m') }),
    );
  });

  test('is resolved when it is over, and neither cools down nor counts', () => {
    const world = mending({ limit: { rollbacks: 1, perMs: 86_400_000 } });
    live(world, 600, 0.9);
    live(world, 5, 0.1);
    expect(outcomes(world)).toEqual(['INC-1 resolved']);
    expect(writes(world)).toEqual([]);
    live(world, 5, 0.1, 0.9);
    expect(writes(world)).toEqual(['write FAST_PATH=false']);
  });

  test('is rolled back at its deadline, and not before', () => {
    const world = mending();
    live(world, 30 * 60 - 5, 0.9);
    expect(writes(world)).toEqual([]);
    live(world, 5, 0.9);
    expect(writes(world)).toEqual(['write FAST_PATH=false']);
    live(world, 30, 0.1);
    expect(outcomes(world)).toEqual(['INC-1 resolved']);
  });

  test('must itself be clear for the rollback to have helped', () => {
    const world = mending();
    live(world, 30 * 60 + 90, 0.9);
    expect(outcomes(world)).toEqual(['INC-1 exhausted']);
  });

  test('waits past its deadline while nobody knows, and goes on when somebody does', () => {
    const world = mending();
    live(world, 40 * 60, undefined);
    expect(phase(world)).toMatchObject({ kind: 'fixing-forward' });
    live(world, 5, 0.9);
    expect(writes(world)).toEqual(['write FAST_PATH=false']);
  });

  test('is rolled back at once by a critical trigger, at that one’s rung', () => {
    const ladder = [aRung(), aRung({ name: 'second', do: [setFlagOff('other')] })];
    const guard = aPolicy({ triggers: [hit, { ...down, startAt: 'second' }], ladder });
    const place = {
      origin: ORIGIN,
      document: { kind: 'envFile', path: '/app.env' },
      entry: 'OTHER',
      takeUp: [],
    } as const;
    const flags = { 'fast-path': aFlag(), other: aFlag({ name: 'other', deliver: [place] }) };
    const world = new World(aDesired({ policies: { guard }, flags }), { [APP]: { FAST_PATH: 'true', OTHER: 'true' } });
    live(world, 60, 0.1);
    live(world, 5, 0.9);
    live(world, 5, 0.9, 0.9);
    expect(writes(world)).toEqual(['write OTHER=false']);
    expect(world.memory.incidents['INC-1']?.openedBy.map(({ trigger }) => trigger)).toEqual([
      'guard/latency',
      'guard/down',
    ]);
  });

  test('has its time extended by a halt, a suspension, and both at once', () => {
    const world = mending();
    const deadline = world.now + MINUTES_30;
    const suspended = aDesired({
      revision: 'rev-2',
      policies: { guard: aPolicy({ triggers: [hit, down], suspend: true }) },
    });
    world.halt = { since: 0, by: 'ann', reason: 'looking' };
    live(world, 60, 0.9);
    world.accept(suspended);
    live(world, 60, 0.9);
    world.halt = null;
    live(world, 60, 0.9);
    world.accept(aDesired({ revision: 'rev-3', policies: { guard: aPolicy({ triggers: [hit, down] }) } }));
    live(world, 5, 0.9);
    const open = phase(world);
    expect(open).toMatchObject({ kind: 'fixing-forward' });
    expect(open?.kind === 'fixing-forward' ? open.deadlineAt - deadline : 0).toBe(180_000);
  });

  test.each([-3_600_000, 3_600_000])('keeps its time when the clock is set by %d ms', (byMs) => {
    const world = mending();
    live(world, 60, 0.9);
    world.now += byMs;
    world.record({ type: 'clock.jumped', byMs });
    live(world, 28 * 60, 0.9);
    expect(writes(world)).toEqual([]);
    live(world, 60, 0.9);
    expect(writes(world)).toEqual(['write FAST_PATH=false']);
  });

  test('outlives a restart with the time that is left', () => {
    const world = mending();
    live(world, 29 * 60, 0.9);
    world.restart();
    live(world, 55, 0.9);
    expect(writes(world)).toEqual([]);
    live(world, 5, 0.9);
    expect(writes(world)).toEqual(['write FAST_PATH=false']);
  });

  test('goes on when git removes or changes its policy meanwhile', () => {
    const world = mending();
    world.accept(aDesired({ revision: 'rev-2', policies: {} }));
    live(world, 30 * 60, 0.9);
    expect(writes(world)).toEqual(['write FAST_PATH=false']);
  });
});

describe('people and an incident that is to be mended', () => {
  const situation = (world: World) => ({ desired: world.desired, memory: world.memory, now: world.now, actor: 'ann' });

  test('roll it back at once', () => {
    const world = mending();
    answerIncident(situation(world), 'INC-1', 'next').forEach((event) => world.record(event));
    world.settle();
    expect(writes(world)).toEqual(['write FAST_PATH=false']);
  });

  test.each(['done', 'abort'])('end it by %s, which keeps it from opening again at once', (how) => {
    const world = mending();
    const events =
      how === 'abort'
        ? abortIncident(situation(world), 'INC-1', undefined)
        : answerIncident(situation(world), 'INC-1', 'done');
    events.forEach((event) => world.record(event));
    live(world, 300, 0.9);
    expect(Object.values(world.memory.incidents).filter(({ phase: one }) => one.kind !== 'closed')).toEqual([]);
    live(world, 5, 0.9, 0.9);
    expect(writes(world)).toEqual(['write FAST_PATH=false']);
  });

  test('cannot retry it', () => {
    const world = mending();
    expect(() => answerIncident(situation(world), 'INC-1', 'retry')).toThrow('nothing to retry');
  });
});

describe('another policy on the same things', () => {
  const ward = aPolicy({ name: 'ward', triggers: [aTrigger({ name: 'errors', digest: 'trigger-3', forMs: 0 })] });

  function both(): World {
    const guard = aPolicy({ triggers: [hit, down] });
    const world = new World(aDesired({ policies: { guard, ward } }), { [APP]: { FAST_PATH: 'true' } });
    live(world, 60, 0.1);
    live(world, 5, 0.9);
    return world;
  }

  test('rolls back at once although the first one is being mended', () => {
    const world = both();
    world.reading(0.9, { trigger: 'ward/errors' });
    world.settle();
    expect(writes(world)).toEqual(['write FAST_PATH=false']);
    expect(phase(world, 'INC-2')).toMatchObject({ kind: 'verifying' });
  });

  test('and its cooldown hold the first one up when its time is over', () => {
    const world = both();
    world.reading(0.9, { trigger: 'ward/errors' });
    live(world, 29 * 60, 0.9);
    expect(outcomes(world)).toEqual([]);
    live(world, 5, 0.9);
    abortIncident(
      { desired: world.desired, memory: world.memory, now: world.now, actor: 'ann' },
      'INC-2',
      undefined,
    ).forEach((event) => world.record(event));
    live(world, 120, 0.9);
    expect(phase(world)).toMatchObject({ kind: 'fixing-forward' });
    expect(world.plan().conditions).toContainEqual(
      expect.objectContaining({
        type: 'FixingForward',
        message: expect.stringContaining('cooldown of 10m after INC-2'),
      }),
    );
  });
});

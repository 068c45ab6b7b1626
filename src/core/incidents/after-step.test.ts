import { describe, expect, test } from 'vitest';
import {
  aCheck,
  aDesired,
  aPolicy,
  aRun,
  aRung,
  aTrigger,
  aVerify,
  setFlagOff,
} from '../../../test/support/policies.ts';
import { World } from '../../../test/support/world.ts';
import type { RollbackPolicy, Rung } from '../model/policy.ts';
import { beginRollback } from '../rollback-command.ts';

const APP = 'envFile:/app.env';
const SECOND = aRung({ name: 'second', do: [aRun(['second'])] });

/** The first rung sets a flag, and then a step of it fails; what makes it fail goes away with `value`. */
function failing(value: number | undefined, change: Partial<Rung> = {}, policy: Partial<RollbackPolicy> = {}): World {
  const first = aRung({ do: [setFlagOff(), aRun(['restart'])], onFailure: [aRun(['undo'])], ...change });
  const guard = aPolicy({ ladder: [first, SECOND], ...policy });
  const world = new World(aDesired({ policies: { guard } }), { [APP]: { FAST_PATH: 'true' } });
  world.live(60, 0.1);
  world.perform = (action) => {
    const isIt = action.kind === 'step' && action.step.kind === 'run' && action.step.argv[0] === 'restart';
    // By the time it has failed something new was read.
    if (isIt) {
      world.now += 1;
      world.reading(value);
    }
    return isIt ? { outcome: 'failed', detail: 'no such unit' } : { outcome: 'done', detail: '' };
  };
  world.live(15, 0.9);
  return world;
}

const rungs = (world: World) => world.events('rung.entered').map(({ name }) => name);

describe('after a step that failed', () => {
  test('what has become clear meanwhile is verified before the next rung', () => {
    const world = failing(0.1);
    expect(world.effects).toContain('undo');
    expect(world.events('verification.started')).toMatchObject([{ rung: 0, afterStep: true }]);
    expect(rungs(world)).toEqual(['flags']);
    world.live(15, 0.1);
    expect(world.events('incident.closed')).toMatchObject([
      { outcome: 'resolved', reason: 'a step of rung "flags" failed, and it was verified that all is well without it' },
    ]);
    expect(world.memory.durations).toEqual({});
  });

  test.each([
    ['still breaches', 0.9],
    ['gives no data', undefined],
  ])('the next rung is entered at once where the trigger %s', (_what, value) => {
    expect(rungs(failing(value))).toEqual(['flags', 'second']);
  });

  test('the next rung follows where it breaches again, and nothing is undone twice', () => {
    const world = failing(0.1);
    world.live(60, 0.9);
    expect(world.events('verification.ended')).toMatchObject([{ outcome: 'failed' }]);
    expect(world.events('rung.failed')).toMatchObject([{ name: 'flags', reason: 'a step failed' }]);
    expect(world.effects.filter((effect) => effect === 'undo')).toHaveLength(1);
    expect(rungs(world)).toEqual(['flags', 'second']);
  });

  test('a check of the rung that is false leads on as well', () => {
    const world = failing(0.1, { verify: aVerify({ checks: [aCheck('ready')] }) });
    for (let passed = 0; passed < 65; passed += 5) {
      world.now += 5_000;
      world.check('ready', 'false', 'not ready');
      world.reading(0.1);
      world.settle();
    }
    expect(rungs(world)).toEqual(['flags', 'second']);
  });

  test('what a person began goes on, for they know why', () => {
    const world = new World(
      aDesired({ policies: { guard: aPolicy({ ladder: [aRung({ do: [aRun(['restart'])] }), SECOND] }) } }),
      { [APP]: { FAST_PATH: 'true' } },
    );
    world.live(60, 0.1);
    world.perform = (action) =>
      action.kind === 'step' && action.step.kind === 'run' && action.step.argv[0] === 'restart'
        ? { outcome: 'failed', detail: '' }
        : { outcome: 'done', detail: '' };
    const situation = { desired: world.desired, memory: world.memory, now: world.now, actor: 'ann' };
    for (const spec of beginRollback(situation, { policy: 'guard', reason: 'trying', force: false }))
      world.record(spec);
    world.live(5, 0.1);
    expect(rungs(world)).toEqual(['flags', 'second']);
  });

  test('a restart in that verification begins it anew', () => {
    const world = failing(0.1);
    world.restart();
    world.live(15, 0.1);
    expect(world.events('incident.closed')).toMatchObject([{ outcome: 'resolved' }]);
    expect(world.effects.filter((effect) => effect === 'undo')).toHaveLength(1);
  });
});

describe('an exhausted ladder tells what still speaks against success:', () => {
  test('the reasons of the last verification', () => {
    const verify = aVerify({ checks: [aCheck('ready')] });
    const guard = aPolicy({ ladder: [aRung({ verify })] });
    const world = new World(aDesired({ policies: { guard } }), { [APP]: { FAST_PATH: 'true' } });
    world.live(60, 0.1);
    for (let passed = 0; passed < 90; passed += 5) {
      world.now += 5_000;
      world.check('ready', 'false', 'nobody listens');
      world.reading(0.9);
      world.settle();
    }
    const reason =
      'no rung is left, and the system has not recovered; guard/latency = 0.9, still > 0.5; run ready: nobody listens';
    expect(world.events('incident.closed')).toMatchObject([{ outcome: 'exhausted', reason }]);
  });

  test('what breaches now, where nothing was verified since', () => {
    const guard = aPolicy({ ladder: [aRung({ do: [aRun(['restart'])] })] });
    const world = new World(aDesired({ policies: { guard } }), { [APP]: { FAST_PATH: 'true' } });
    world.live(60, 0.1);
    world.perform = ({ kind }) => ({ outcome: kind === 'step' ? 'failed' : 'done', detail: '' });
    world.live(15, 0.9);
    expect(world.events('incident.closed')).toMatchObject([
      { reason: 'no rung is left, and the system has not recovered; guard/latency = 0.9, still > 0.5' },
    ]);
  });
});

describe('a policy that joins while a rung is verified', () => {
  const ward = aPolicy({ name: 'ward', triggers: [aTrigger({ name: 'errors', forMs: 0, digest: 'errors' })] });

  /** The leader's trigger is clear, but must last; ward's breaches from `at` seconds into the verification on. */
  function joining(at: number): World {
    const leader = aPolicy({ ladder: [aRung({ verify: aVerify({ forMs: 50_000 }) }), SECOND] });
    const world = new World(aDesired({ policies: { guard: leader, ward } }), { [APP]: { FAST_PATH: 'true' } });
    live(world, 60, 0.1, 0.1);
    live(world, 15, 0.9, 0.1);
    live(world, at, 0.1, 0.1);
    expect(world.memory.incidents['INC-1']?.phase.kind).toBe('verifying');
    return world;
  }

  function live(world: World, seconds: number, value: number, other: number): void {
    for (let passed = 0; passed < seconds; passed += 5) {
      world.now += 5_000;
      world.reading(value);
      world.reading(other, { trigger: 'ward/errors' });
      world.settle();
    }
  }

  test.each([10, 50, 55])('after %d s does not make it fail, and has the time of the rung to be clear', (at) => {
    const world = joining(at === 55 ? 50 : at);
    if (at === 55) world.now += 5_000;
    live(world, 30, 0.1, 0.9);
    expect(world.events('incident.joined')).toHaveLength(1);
    expect(world.events('verification.ended')).toEqual([]);
    live(world, 60, 0.1, 0.1);
    expect(world.events('incident.closed')).toMatchObject([{ outcome: 'resolved' }]);
    expect(rungs(world)).toEqual(['flags']);
  });

  test('makes it fail once that time is up, and is waked for', () => {
    const world = joining(50);
    live(world, 5, 0.1, 0.9);
    const joinedAt = world.now;
    live(world, 55, 0.1, 0.9);
    expect(world.events('verification.ended')).toEqual([]);
    expect(world.plan().requeueAt).toBeLessThanOrEqual(joinedAt + 60_000);
    live(world, 5, 0.1, 0.9);
    expect(world.events('verification.ended')).toMatchObject([{ outcome: 'failed' }]);
  });

  test('does not save a rung whose own trigger breaches', () => {
    const world = joining(10);
    live(world, 55, 0.9, 0.9);
    expect(world.events('verification.ended')).toMatchObject([{ outcome: 'failed' }]);
  });

  test('keeps that time over a halt and a clock that was set', () => {
    const world = joining(50);
    live(world, 5, 0.1, 0.9);
    world.halt = { since: world.now, by: 'ann', reason: 'looking' };
    live(world, 300, 0.1, 0.9);
    world.halt = null;
    world.now += 3_600_000;
    world.record({ type: 'clock.jumped', byMs: 3_600_000 });
    live(world, 40, 0.1, 0.9);
    expect(world.events('verification.ended')).toEqual([]);
    live(world, 30, 0.1, 0.9);
    expect(world.events('verification.ended')).toMatchObject([{ outcome: 'failed' }]);
  });
});

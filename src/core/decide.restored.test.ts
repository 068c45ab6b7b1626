import { describe, expect, test } from 'vitest';
import { aCheck, aDesired, aPolicy, aRestore, aRun, aRung, aTarget } from '../../test/support/policies.ts';
import { World } from '../../test/support/world.ts';
import type { Rung } from './model/policy.ts';
import { wantsOf } from './wants.ts';

const APP = 'envFile:/app.env';
const CHECKS = [aCheck('whole'), aCheck('answers')];

/** A bad revision is in place, `v1` before it was good, and the ladder has just put that back. */
function restored(change: Partial<Rung> = {}, further: readonly Rung[] = []): World {
  const code = aRung({ name: 'code', do: [aRestore()], ...change });
  const desired = aDesired({
    policies: { guard: aPolicy({ ladder: [code, ...further] }) },
    targets: { code: aTarget({ checks: CHECKS }) },
  });
  const world = new World(desired, { [APP]: { FAST_PATH: 'true' } });
  world.checkouts = { code: { head: 'v1' } };
  world.live(600, 0.1);
  world.checkouts = { code: { head: 'v2' } };
  world.live(15, 0.9);
  return world;
}

function finished(world: World) {
  return world.events('step.finished').map(({ result }) => `${result.outcome}: ${result.detail}`);
}

/** So many seconds in which the checks are made again and again, and say so. */
function say(world: World, seconds: number, whole: 'true' | 'false' | 'unknown'): void {
  for (let passed = 0; passed < seconds; passed += 5) {
    world.now += 5_000;
    world.check('whole', whole, `it is ${whole}`);
    world.check('answers', 'true');
    world.reading(0.9);
    world.settle();
  }
}

describe('a restore whose target has checks', () => {
  test('asks them once it is effective, and is done when all are true', () => {
    const world = restored();
    expect(world.effects).toContain('move code to v1');
    expect(world.events('restore.checking')).toMatchObject([{ target: 'code' }]);
    expect(finished(world)).toEqual([]);
    const since = world.memory.incidents['INC-1']?.phase;
    expect(wantsOf(world.desired, world.memory, world.now).checks).toEqual(
      CHECKS.map((check) => ({ check, freshAfter: since?.kind === 'executing' ? since.checkingSince : -1 })),
    );
    say(world, 20, 'false');
    expect(finished(world)).toEqual([]);
    say(world, 5, 'true');
    expect(finished(world)).toEqual(['done: ']);
    expect(world.memory.incidents['INC-1']?.phase).toMatchObject({ kind: 'verifying' });
  });

  test('takes no answer from before it was effective', () => {
    const world = restored();
    world.checks = Object.fromEntries(
      CHECKS.map(({ key }) => [key, { key, at: world.now - 1, outcome: 'true', detail: '' }]),
    );
    world.live(5, 0.9);
    expect(finished(world)).toEqual([]);
  });

  test('fails at its deadline, saying which check is false, and leads to the next rung', () => {
    const world = restored({ onFailure: [aRun(['undo'])] }, [aRung({ name: 'last', do: [aRun(['last'])] })]);
    expect(world.plan().requeueAt).toBeLessThanOrEqual(world.now + 60_000);
    say(world, 55, 'false');
    expect(finished(world)).toEqual([]);
    say(world, 5, 'false');
    expect(finished(world)).toMatchObject([
      'failed: it is in place, but not intact after 1m: run whole: it is false',
      'done: ',
      'done: ',
    ]);
    expect(world.effects.slice(-2)).toEqual(['undo', 'last']);
  });

  test('asks a person where nobody can tell', () => {
    const world = restored({}, [aRung({ name: 'last', do: [aRun(['last'])] })]);
    say(world, 60, 'unknown');
    expect(finished(world)).toEqual([
      'unknown: it is in place; whether it is intact is not known: run whole: it is unknown',
    ]);
    expect(world.events('incident.asked')).toHaveLength(1);
    expect(world.effects).not.toContain('last');
  });

  test('gives each check the time to be made once, however long the restore took', () => {
    const world = restored({ do: [aRestore({ timeoutMs: 1_000 })] });
    say(world, 30, 'false');
    expect(finished(world)).toEqual([]);
    say(world, 5, 'false');
    expect(finished(world)).toMatchObject([
      expect.stringContaining('failed: it is in place, but not intact after 35s'),
    ]);
  });

  test('asks anew after a restart, and lets a clock that was set change nothing', () => {
    const world = restored();
    say(world, 20, 'false');
    world.restart();
    expect(world.memory.incidents['INC-1']?.phase).toMatchObject({ checkingSince: world.now });
    world.now += 3_600_000;
    world.record({ type: 'clock.jumped', byMs: 3_600_000 });
    expect(world.memory.incidents['INC-1']?.phase).toMatchObject({ checkingSince: world.now });
    say(world, 5, 'true');
    expect(finished(world)).toEqual(['done: ']);
  });
});

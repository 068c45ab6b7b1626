import { expect, test } from 'vitest';
import { aDesired, aPolicy, aRun, aRung } from '../../../test/support/policies.ts';
import { World } from '../../../test/support/world.ts';
import { firstAttempt } from '../model/operation.ts';

function begun(): World {
  const guard = aPolicy({ ladder: [aRung({ do: [aRun(['post'])] })] });
  const world = new World(aDesired({ policies: { guard } }), { 'envFile:/app.env': { FAST_PATH: 'true' } });
  world.live(60, 0.1);
  world.live(10, 0.9);
  world.now += 5_000;
  return world;
}

const planned = (world: World) =>
  world
    .events('operation.planned')
    .map(({ operation }) => operation)
    .filter(({ action }) => action.kind === 'step');

/** The round in which the step is planned; the kill ends it. */
function killInStep(world: World, begin: number): void {
  world.reading(0.9);
  world.kill(begin, 1_000);
}

test('what a crash has done again is known by its first attempt, however often', () => {
  const world = begun();
  killInStep(world, 9);
  for (let times = 0; times < 2; times += 1) {
    world.now += 5_000;
    killInStep(world, 9);
  }
  world.live(5, 0.9);
  const [first, ...others] = planned(world);
  if (first === undefined) throw new Error('no step was planned');
  expect(others).toHaveLength(3);
  expect(new Set(others.map(({ id }) => id)).size).toBe(3);
  for (const other of others) expect(firstAttempt(other)).toEqual({ id: first.id, plannedAt: first.plannedAt });
  expect(world.memory.repeats).toEqual({});
});

test('what had not begun is no repetition', () => {
  const world = begun();
  killInStep(world, 0);
  world.live(10, 0.9);
  expect(planned(world).map(({ repeats }) => repeats)).toEqual([undefined, undefined]);
});

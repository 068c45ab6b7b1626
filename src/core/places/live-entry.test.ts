import { expect, test } from 'vitest';
import { aDesired, aFlag, ORIGIN } from '../../../test/support/policies.ts';
import { World } from '../../../test/support/world.ts';
import { decide } from '../decide.ts';

const APP = 'envFile:/app.env';

test('an entry that nobody looked for yet is not taken as absent when a commit adds its flag', () => {
  const world = new World(aDesired(), { [APP]: { FAST_PATH: 'true', NEW: 'false' } });
  world.live(20, 0.1);
  const before = world.observe();
  const place = { origin: ORIGIN, document: { kind: 'envFile', path: '/app.env' }, entry: 'NEW', takeUp: [] } as const;
  const flags = { 'fast-path': aFlag(), new: aFlag({ name: 'new', deliver: [place] }) };
  world.accept(aDesired({ revision: 'rev-2', flags }));

  const early = decide(world.desired, before, world.memory, world.now);
  expect(early.actions).toEqual([]);
  expect(early.complete).toBe(false);
  world.settle();
  expect(world.effects).toEqual([]);
  expect(Object.values(world.memory.holds)).toMatchObject([{ kind: 'adoption', object: 'Flag/new', live: 'false' }]);
});

import { expect, test } from 'vitest';
import type { Invariant } from '../invariants/invariant.ts';
import { INVARIANTS } from '../invariants/registry.ts';
import { REAL_RULES } from '../model/rules.ts';
import { MESSAGES } from '../worlds/messages.ts';
import { WORLDS } from '../worlds/registry.ts';
import { explore, NO_LIMITS } from './search.ts';
import { tellViolation } from './tell-path.ts';
import { NOWHERE, Visited } from './visited.ts';

/** `npm run explore` visits all of them. */
const STATES = 600;

test.each(WORLDS)('in world "$name" every invariant holds, $about', (world) => {
  const limits = { ...NO_LIMITS, states: STATES, disturbances: world.disturbances };
  const { violation, states } = explore(world, REAL_RULES, INVARIANTS, limits);
  expect(violation === null ? '' : tellViolation(world, REAL_RULES, violation)).toBe('');
  expect(states).toBeGreaterThanOrEqual(STATES);
});

test('the same world is explored the same way twice', () => {
  const limits = { ...NO_LIMITS, disturbances: 0 };
  const once = explore(MESSAGES, REAL_RULES, INVARIANTS, limits);
  expect(once).toMatchObject({ complete: true, violation: null });
  expect(explore(MESSAGES, REAL_RULES, INVARIANTS, limits)).toEqual(once);
});

test('no further than the depth that was asked for', () => {
  const limits = { ...NO_LIMITS, depth: 2, disturbances: 2 };
  expect(explore(MESSAGES, REAL_RULES, [], limits)).toMatchObject({ depth: 2, complete: false });
});

test('a violation is told move by move, with what was decided', () => {
  const never: Invariant = {
    name: 'never-written',
    statement: 'Nothing is ever written.',
    per: 'transition',
    violation: ({ plan }) => (plan.actions.some(({ kind }) => kind === 'deliver') ? 'something is written' : null),
  };
  const { violation } = explore(MESSAGES, REAL_RULES, [never], { ...NO_LIMITS, disturbances: 0 });
  if (violation === null) throw new Error('nothing was found');
  expect(tellViolation(MESSAGES, REAL_RULES, violation)).toBe(`\
World "messages": the invariant never-written is broken after 2 move(s).
  1. 2m40s pass: guard breaches
       2m40s: trigger guard/latency: unknown → pending at 0.9
  2. 2m40s pass: guard breaches
       5m20s: trigger guard/latency: pending → firing at 0.9
       5m20s: INC-1 opened for guard
       5m20s: rung "flags" begins
       5m20s: step: set flag fast-path to its safe variant
       5m20s: hold latch:fast-path:INC-1: guard/latency = 0.9 > 0.5
       5m20s: begins: write FAST_PATH="false"
       5m20s: begins: message "INC-1 guard: rollback begins"
       5m20s: holds are now: latch:fast-path:INC-1
  => something is written
`);
});

test('what is visited is known again, also after it grew, and anew at the price of fewer disturbances', () => {
  const visited = new Visited();
  const many = 100_000;
  for (let low = 0; low < many; low += 1) visited.add({ high: 7, low }, NOWHERE, 0, 2);
  expect(visited).toMatchObject({ size: many, states: many });
  expect(visited.add({ high: 7, low: 5 }, 1, 3, 2)).toEqual({ index: 5, isNew: false });
  expect(visited.add({ high: 7, low: 5 }, 1, 3, 1)).toEqual({ index: many, isNew: true });
  expect(visited.add({ high: 7, low: 5 }, 1, 3, 2)).toEqual({ index: many, isNew: false });
  expect([visited.parentOf(5), visited.parentOf(many), visited.moveOf(many)]).toEqual([NOWHERE, 1, 3]);
  expect(visited).toMatchObject({ size: many + 1, states: many });
});

import { describe, expect, test } from 'vitest';
import { INVARIANTS } from '../invariants/registry.ts';
import { explore, NO_LIMITS } from '../search/search.ts';
import { tellViolation } from '../search/tell-path.ts';
import { OF_DECISIONS } from './of-decisions.ts';
import { OF_MEMORY } from './of-memory.ts';
import { OF_POINTS } from './of-points.ts';

const MUTANTS = [...OF_DECISIONS, ...OF_MEMORY, ...OF_POINTS];

describe('a bug planted in what is decided or remembered', () => {
  test.each(MUTANTS)('$name is found: $bug', ({ breaks, world, rules, moves }) => {
    const limits = { ...NO_LIMITS, disturbances: world.disturbances, states: 60_000 };
    const { violation } = explore(world, rules(), INVARIANTS, limits);
    if (violation === null) throw new Error('nothing was found');
    const story = tellViolation(world, rules(), violation);
    expect(story).toContain(`invariant ${breaks} is broken after ${moves} move(s)`);
  });

  test('there is one for every invariant', () => {
    const names = [...INVARIANTS.map(({ name }) => name), 'decide-is-total', 'comes-to-rest'];
    expect(new Set(MUTANTS.map(({ breaks }) => breaks))).toEqual(new Set(names));
  });
});

import { isSame } from '../../../src/core/record.ts';
import type { Invariant } from './invariant.ts';

export const MEMORY_IS_THE_FOLD: Invariant = {
  name: 'memory-is-the-fold',
  statement: 'Memory is the fold of the log: a new life knows what the old one knew.',
  per: 'state',
  violation: ({ rules, memory, plan }) => {
    const { triggers, ...folded } = plan.events.reduce(rules.evolve, memory);
    const { triggers: moved, ...rest } = plan.memory;
    if (!isSame(folded, rest)) return 'the plan’s memory is not what its events make of the memory before';
    return Object.keys(triggers).length === Object.keys(moved).length
      ? null
      : 'a trigger is in memory and not in the log';
  },
};

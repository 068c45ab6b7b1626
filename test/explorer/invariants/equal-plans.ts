import { isSame } from '../../../src/core/record.ts';
import type { Invariant } from './invariant.ts';

export const EQUAL_PLANS: Invariant = {
  name: 'equal-plans',
  statement: 'Equal inputs give equal plans.',
  per: 'state',
  violation: ({ rules, desired, observed, memory, plan }) => {
    // New copies each time, so that nothing can hang on an object's identity, or on what it was used for before.
    const again = rules.decide(copyOf(desired), copyOf(observed), copyOf(memory), plan.at);
    return isSame(again, plan) ? null : 'the same inputs gave another plan the second time';
  },
};

function copyOf<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}

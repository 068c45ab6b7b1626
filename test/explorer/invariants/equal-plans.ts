import { isSame } from '../../../src/core/record.ts';
import type { Desired } from '../../../src/core/model/desired.ts';
import type { Invariant } from './invariant.ts';

export const EQUAL_PLANS: Invariant = {
  name: 'equal-plans',
  statement: 'Equal inputs give equal plans.',
  per: 'state',
  violation: ({ rules, desired, observed, memory, plan }) => {
    // Copies, so that nothing can hang on the identity of an object or on what a first decision left behind.
    const again = rules.decide(copyOfDesired(desired), copyOf(observed), copyOf(memory), plan.at);
    return isSame(again, plan) ? null : 'the same inputs gave another plan the second time';
  },
};

const copies = new WeakMap<Desired, Desired>();

function copyOfDesired(desired: Desired): Desired {
  const known = copies.get(desired);
  if (known !== undefined) return known;
  const copy = copyOf(desired);
  copies.set(desired, copy);
  return copy;
}

function copyOf<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}

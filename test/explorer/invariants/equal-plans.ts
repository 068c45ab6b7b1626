import { isSame } from '../../../src/core/record.ts';
import type { Invariant } from './invariant.ts';

export const EQUAL_PLANS: Invariant = {
  name: 'equal-plans',
  statement: 'Equal inputs give equal plans.',
  per: 'state',
  violation: ({ rules, desired, observed, memory, plan }) => {
    // Copies, so that nothing can hang on the identity of an object or on what a first decision left behind.
    const again = rules.decide(copyOf(desired), copyOf(observed), copyOf(memory), plan.at);
    return isSame(again, plan) ? null : 'the same inputs gave another plan the second time';
  },
};

/** States share most of what they consist of; each part is copied once. */
const copies = new WeakMap<object, object>();

/** A deep copy of plain data. */
function copyOf<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  const known = copies.get(value);
  if (known !== undefined) return known as T;
  const copy = Array.isArray(value)
    ? value.map(copyOf)
    : Object.fromEntries(Object.entries(value).map(([key, part]) => [key, copyOf(part)]));
  copies.set(value, copy);
  return copy as T;
}

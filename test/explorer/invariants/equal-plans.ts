import { isSame } from '../../../src/core/record.ts';
import type { Invariant } from './invariant.ts';

/** Copies serve for so many states, which share most of what they consist of. */
const STATES_PER_COPY = 40;

let copies = new WeakMap<object, unknown>();
let states = 0;

export const EQUAL_PLANS: Invariant = {
  name: 'equal-plans',
  statement: 'Equal inputs give equal plans.',
  per: 'state',
  violation: ({ rules, desired, observed, memory, plan }) => {
    states += 1;
    if (states % STATES_PER_COPY === 0) copies = new WeakMap();
    // Copies, so that nothing can hang on the identity of an object, or on what it was used for before.
    const again = rules.decide(copyOf(desired), copyOf(observed), copyOf(memory), plan.at);
    return isSame(again, plan) ? null : 'the same inputs gave another plan the second time';
  },
};

/** A deep copy of plain data, whose parts are copied once for several states. */
function copyOf<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, copyOfPart(part)])) as T;
}

function copyOfPart(part: unknown): unknown {
  if (typeof part !== 'object' || part === null) return part;
  const known = copies.get(part);
  if (known !== undefined) return known;
  const copy: unknown = JSON.parse(JSON.stringify(part));
  copies.set(part, copy);
  return copy;
}

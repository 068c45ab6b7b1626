import type { Invariant } from './invariant.ts';

export const SETTLED: Invariant = {
  name: 'settled',
  statement: 'After applying a plan, deciding again gives nothing.',
  per: 'state',
  violation: ({ rules, desired, observed, plan }) => {
    const again = rules.decide(desired, { ...observed, readings: [] }, plan.memory, plan.at);
    const [event] = again.events;
    if (event !== undefined) return `decided again at once, it gives ${event.type}`;
    if (again.actions.length > 0) return `decided again at once, it gives ${again.actions[0]?.key}`;
    return plan.requeueAt !== null && plan.requeueAt <= plan.at ? 'it wants to decide again in the past' : null;
  },
};

import type { Event } from '../../../src/core/event.ts';
import type { Memory } from '../../../src/core/memory.ts';
import type { Desired } from '../../../src/core/model/desired.ts';
import type { Observed } from '../../../src/core/observed.ts';
import type { Plan } from '../../../src/core/plan/plan.ts';
import type { Millis } from '../../../src/core/units.ts';
import { REAL_RULES, type Rules } from '../model/rules.ts';

type Decision = {
  readonly desired: Desired;
  readonly observed: Observed;
  readonly memory: Memory;
  readonly now: Millis;
};

/** The real rules with a decision that was given something else than what it asked for. */
export function misled(change: (decision: Decision) => Partial<Decision>): Rules {
  return {
    ...REAL_RULES,
    decide: (desired, observed, memory, now) => {
      const decision = { desired, observed, memory, now };
      const given = { ...decision, ...change(decision) };
      return REAL_RULES.decide(given.desired, given.observed, given.memory, given.now);
    },
  };
}

/** The real rules with a plan that was changed after it was made. */
export function miswritten(change: (plan: Plan, decision: Decision) => Plan): Rules {
  return {
    ...REAL_RULES,
    decide: (desired, observed, memory, now) =>
      change(REAL_RULES.decide(desired, observed, memory, now), { desired, observed, memory, now }),
  };
}

/** The real rules with a fold that treats some events wrongly, inside of a decision and outside. */
export function misremembered(change: (after: Memory, event: Event, before: Memory) => Memory): Rules {
  const evolve: Rules['evolve'] = (memory, event) => change(REAL_RULES.evolve(memory, event), event, memory);
  return {
    evolve,
    decide: (desired, observed, memory, now) => {
      const plan = REAL_RULES.decide(desired, observed, memory, now);
      return { ...plan, memory: { ...plan.events.reduce(evolve, memory), triggers: plan.memory.triggers } };
    },
  };
}

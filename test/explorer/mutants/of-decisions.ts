import type { Desired } from '../../../src/core/model/desired.ts';
import type { Reading, ReadingValue } from '../../../src/core/observed.ts';
import type { Plan } from '../../../src/core/plan/plan.ts';
import { CLOCK } from '../worlds/clock.ts';
import { ROLLBACK } from '../worlds/rollback.ts';
import type { Mutant } from './mutant.ts';
import { misled, miswritten } from './planted.ts';

/** Bugs in what is decided. */
export const OF_DECISIONS: readonly Mutant[] = [
  {
    name: 'known-by-sight',
    breaks: 'equal-plans',
    bug: 'the outlook is left out where the policies are no object that was seen before',
    world: ROLLBACK,
    rules: () => {
      const seen = new WeakSet<Desired>();
      return miswritten((plan, { desired }) => {
        const isKnown = seen.has(desired);
        seen.add(desired);
        return isKnown ? plan : { ...plan, outlook: [] };
      });
    },
    moves: 1,
  },
  {
    name: 'unwritten-hold',
    breaks: 'memory-is-the-fold',
    bug: 'a hold is placed in memory, and the event is left out',
    world: ROLLBACK,
    rules: () => miswritten((plan) => ({ ...plan, events: plan.events.filter(({ type }) => type !== 'hold.placed') })),
    moves: 2,
  },
  {
    name: 'absence-breaches',
    breaks: 'no-action-on-absence',
    bug: 'a query that gives nothing counts as breached',
    world: ROLLBACK,
    rules: () =>
      misled(({ observed }) => ({ observed: { ...observed, readings: observed.readings.map(filled(0.9)) } })),
    moves: 2,
  },
  {
    name: 'absence-heals',
    breaks: 'no-action-on-absence',
    bug: 'a query that gives nothing counts as clear, so that a rung is verified by it',
    world: CLOCK,
    rules: () =>
      misled(({ observed }) => ({ observed: { ...observed, readings: observed.readings.map(filled(0.1)) } })),
    moves: 4,
  },
  {
    name: 'silent-loss',
    breaks: 'consent-to-data-loss',
    bug: 'the step of a rung loses data without anybody having been asked',
    world: CLOCK,
    rules: () =>
      miswritten((plan) => ({
        ...plan,
        actions: plan.actions.map((action) => (action.kind === 'step' ? { ...action, losesData: true } : action)),
      })),
    moves: 3,
  },
  {
    name: 'deaf-to-halt',
    breaks: 'halted',
    bug: 'the halt is not noticed',
    world: ROLLBACK,
    rules: () => misled(({ observed }) => ({ observed: { ...observed, halt: null } })),
    moves: 3,
  },
  {
    name: 'git-wins',
    breaks: 'effective-value',
    bug: 'what is written is git’s value, whatever holds the flag',
    world: ROLLBACK,
    rules: () => miswritten((plan, { desired }) => withGitValues(plan, desired)),
    moves: 2,
  },
  {
    name: 'choking-on-nan',
    breaks: 'decide-is-total',
    bug: 'a reading that is not a number makes it throw',
    world: ROLLBACK,
    rules: () =>
      misled(({ observed }) => {
        if (observed.readings.some(({ result }) => result.kind === 'elements' && result.elements[0]?.value === 'NaN')) {
          throw new RangeError('not a number');
        }
        return {};
      }),
    moves: 1,
  },
];

function filled(value: ReadingValue): (reading: Reading) => Reading {
  return (reading) => {
    const { result } = reading;
    const isEmpty = result.kind === 'elements' && result.elements.length === 0;
    return isEmpty ? { ...reading, result: { kind: 'elements', elements: [{ labels: {}, value }] } } : reading;
  };
}

function withGitValues(plan: Plan, { flags }: Desired): Plan {
  const gitValue = (name: string): string => JSON.stringify(flags[name]?.variants[flags[name].defaultVariant]);
  const operations = plan.operations.map((operation) => {
    const { action } = operation;
    if (action.kind !== 'deliver') return operation;
    return {
      ...operation,
      action: { ...action, changes: action.changes.map((one) => ({ ...one, after: gitValue(one.flag) })) },
    };
  });
  return { ...plan, operations };
}

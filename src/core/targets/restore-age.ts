import type { Memory } from '../memory.ts';
import type { Rung } from '../model/policy.ts';
import type { Turn } from '../turn.ts';
import type { Millis } from '../units.ts';
import { destinationOf } from './restore-step.ts';

/** By target, since when what the rung's restores go back to is known to be good; those of which it is not are missing. */
export function restoreAges(turn: Turn, rung: Rung): Readonly<Record<string, Millis>> {
  const ages = rung.do.flatMap((step) => {
    if (step.kind !== 'restore') return [];
    const destination = destinationOf(turn, step);
    const good = turn.memory.targets[step.target]?.good ?? [];
    const known = destination.kind === 'to' ? good.find(({ commit }) => commit === destination.to) : undefined;
    return known === undefined ? [] : [[step.target, known.at] as const];
  });
  return Object.fromEntries(ages);
}

/** The end of the capture that a restore of the target would go back to; null where nothing of it was captured. */
export function capturedUntil(_memory: Memory, _target: string): Millis | null {
  // What git tracks is known by its revision, and was captured at no time.
  return null;
}

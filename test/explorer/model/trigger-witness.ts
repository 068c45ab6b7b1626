import type { Trigger } from '../../../src/core/model/trigger.ts';
import type { Millis } from '../../../src/core/units.ts';
import { type ReadingKind, TICK_MS } from './small-world.ts';

/** A trigger as a bystander follows it. */
export type TriggerWitness = {
  readonly last: Exclude<ReadingKind, 'silent'>;
  readonly atMs: Millis;
  readonly covered: boolean;
  /** Breached time that has added up; no more than `for` is of interest. */
  readonly breachedMs: Millis;
  /** Clear time that has added up since it fired. */
  readonly clearMs: Millis;
  /** The last evaluation that added to either. */
  readonly addedMs: Millis | null;
  readonly fires: boolean;
};

const MOST_GAP_MS = 2 * TICK_MS;

/**
 * One more evaluation, by the words of the design: `for` accumulates breached time, a gap counts for at most two
 * intervals, a clear value resets it, and what is absent adds nothing and resets nothing unless `noData` says so.
 */
export function watchTrigger(
  trigger: Trigger,
  before: TriggerWitness | undefined,
  reading: { readonly kind: TriggerWitness['last']; readonly covered: boolean; readonly elapsedMs: Millis },
): TriggerWitness {
  const { kind, covered, elapsedMs } = reading;
  const known = before ?? { breachedMs: 0, clearMs: 0, addedMs: null, fires: false };
  const seen = { last: kind, atMs: elapsedMs, covered };
  const gapMs = known.addedMs === null ? 0 : Math.min(elapsedMs - known.addedMs, MOST_GAP_MS);
  switch (meaning(trigger, kind, covered)) {
    case 'nothing':
      return { ...known, ...seen };
    case 'between':
      return known.fires ? { ...known, ...seen, clearMs: 0, addedMs: null } : { ...RESET, ...seen };
    case 'breached': {
      if (known.fires) return { ...known, ...seen, clearMs: 0, addedMs: null };
      const breachedMs = Math.min(trigger.forMs, known.breachedMs + gapMs);
      const fires = breachedMs >= trigger.forMs;
      return { ...seen, breachedMs, clearMs: 0, addedMs: fires ? null : elapsedMs, fires };
    }
    case 'clear': {
      const clearMs = known.fires ? known.clearMs + gapMs : 0;
      const ends = !known.fires || clearMs >= (trigger.clear?.forMs ?? 0);
      return ends ? { ...RESET, ...seen } : { ...known, ...seen, clearMs, addedMs: elapsedMs };
    }
  }
}

const RESET = { breachedMs: 0, clearMs: 0, addedMs: null, fires: false } as const;

function meaning(
  trigger: Trigger,
  kind: TriggerWitness['last'],
  covered: boolean,
): 'breached' | 'between' | 'clear' | 'nothing' {
  switch (kind) {
    case 'breached':
      return 'breached';
    case 'between':
      return trigger.clear === undefined ? 'clear' : 'between';
    case 'clear':
      return covered ? 'clear' : 'nothing';
    case 'failed':
      return 'nothing';
    case 'nan':
    case 'empty':
    case 'down':
      if (trigger.noData === 'hold' || !covered) return 'nothing';
      return trigger.noData === 'fire' ? 'breached' : 'clear';
  }
}

/** Whether an evaluation says by itself, with data, that all is well. */
export function saysClear(trigger: Trigger, seen: TriggerWitness): boolean {
  if (!seen.covered) return false;
  if (seen.last === 'clear') return true;
  if (seen.last === 'between') return trigger.clear === undefined;
  const isAbsent = seen.last === 'nan' || seen.last === 'empty' || seen.last === 'down';
  return isAbsent && trigger.noData === 'clear';
}

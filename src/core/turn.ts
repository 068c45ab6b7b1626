import type { Event, EventSpec } from './event.ts';
import { evolve } from './evolve.ts';
import type { Memory } from './memory.ts';
import type { Desired } from './model/desired.ts';
import type { Observed } from './observed.ts';
import type { Millis } from './units.ts';

export type TriggerChange = Extract<EventSpec, { type: 'trigger.changed' }>;

/** One decision in the making: each step reads memory as the steps before it left it, and adds events. */
export type Turn = {
  readonly desired: Desired;
  readonly observed: Observed;
  readonly now: Millis;
  readonly memory: Memory;
  readonly events: readonly Event[];
  readonly emit: (spec: EventSpec) => void;
  /**
   * Memory of triggers after their readings, and the events of those that changed: the same as emitting each, without a copy of
   * all triggers for each. What is in no event moves too often to be one each time; see `triggers.recorded`.
   */
  readonly replaceTriggers: (triggers: Memory['triggers'], changes: readonly TriggerChange[]) => void;
};

export function beginTurn(desired: Desired, observed: Observed, memory: Memory, now: Millis): Turn {
  let current = memory;
  const events: Event[] = [];
  return {
    desired,
    observed,
    now,
    get memory() {
      return current;
    },
    events,
    emit(spec) {
      const event: Event = { at: now, ...spec };
      events.push(event);
      current = evolve(current, event);
    },
    replaceTriggers(triggers, changes) {
      for (const change of changes) events.push({ at: now, ...change });
      current = { ...current, triggers };
    },
  };
}

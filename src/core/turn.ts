import type { Event, EventSpec } from './event.ts';
import { evolve } from './evolve.ts';
import type { Memory } from './memory.ts';
import type { Desired } from './model/desired.ts';
import type { Observed } from './observed.ts';
import type { Millis } from './units.ts';

/** One decision in the making: each step reads memory as the steps before it left it, and adds events. */
export type Turn = {
  readonly desired: Desired;
  readonly observed: Observed;
  readonly now: Millis;
  readonly memory: Memory;
  readonly events: readonly Event[];
  readonly emit: (spec: EventSpec) => void;
  /** For what moves too often to be an event each time; see `triggers.recorded`. */
  readonly replaceTriggers: (triggers: Memory['triggers']) => void;
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
    replaceTriggers(triggers) {
      current = { ...current, triggers };
    },
  };
}

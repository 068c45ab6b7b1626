import { mapValues } from '../record.ts';
import type { Millis } from '../units.ts';
import type { ElementMemory, TriggerMemory } from './trigger-memory.ts';

/** The clock was set: every instant of the trigger that is compared with `now` moves with it. */
export function shiftTrigger(trigger: TriggerMemory, byMs: Millis): TriggerMemory {
  return {
    ...trigger,
    at: trigger.at + byMs,
    since: trigger.since + byMs,
    elements: mapValues(trigger.elements, (element) => shiftElement(element, byMs)),
  };
}

/**
 * A new life began. Evaluations move memory without an event of their own, so that one may lie ahead of a clock which
 * was set back while no daemon looked. It is history all the same: it would pass for fresh evidence, and the trigger
 * would be deaf until the clock came to where it was.
 */
export function restartTrigger(trigger: TriggerMemory, startedAt: Millis): TriggerMemory {
  return trigger.at < startedAt ? trigger : shiftTrigger(trigger, startedAt - 1 - trigger.at);
}

function shiftElement(element: ElementMemory, byMs: Millis): ElementMemory {
  return {
    ...element,
    since: element.since + byMs,
    breachedSince: element.breachedSince + byMs,
    seenAt: element.seenAt + byMs,
    accumulatedAt: element.accumulatedAt === null ? null : element.accumulatedAt + byMs,
  };
}

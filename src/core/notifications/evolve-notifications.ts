import type { Event, NotificationEvent } from '../event.ts';
import type { Memory, OutboxEntry } from '../memory.ts';
import type { NotifyAction } from '../model/action.ts';
import { backOff } from '../operations/back-off.ts';
import type { FinishedEvent } from '../operations/evolve-operations.ts';
import { without } from '../record.ts';
import type { Millis } from '../units.ts';

const FIRST_RETRY_MS = 5_000;
const LONGEST_RETRY_MS = 900_000;
/** No answer of a receiver silences it for longer. */
const LONGEST_PAUSE_MS: Millis = 3_600_000;
export const PACE_SPAN_MS: Millis = 60_000;

export function outboxKey(notifier: string, notification: { readonly id: string }): string {
  return `${notifier}/${notification.id}`;
}

export function evolveNotifications(
  memory: Memory,
  event: Exclude<NotificationEvent, { type: 'report.written' }> & Pick<Event, 'at'>,
): Memory {
  switch (event.type) {
    case 'notification.queued': {
      const outbox: Record<string, OutboxEntry> = { ...memory.outbox };
      for (const notifier of event.notifiers) {
        const key = outboxKey(notifier, event.notification);
        // The same message in newer words takes over the attempts of the older ones.
        const before = outbox[key] ?? { queuedAt: event.at, attempts: 0, retryAt: event.at };
        outbox[key] = { ...before, notifier, notification: event.notification };
      }
      return { ...memory, outbox };
    }
    case 'notification.dropped':
      return { ...memory, outbox: without(memory.outbox, [event.key]) };
  }
}

/** Counts what is sent, so that no receiver is flooded. */
export function evolveSending(memory: Memory, action: NotifyAction, at: Millis): Memory {
  const before = memory.paces?.[action.notifier];
  const isSameMinute = before !== undefined && at >= before.since && at - before.since < PACE_SPAN_MS;
  const pace = {
    since: isSameMinute ? before.since : at,
    sent: isSameMinute ? before.sent + 1 : 1,
    closedUntil: before?.closedUntil ?? at,
  };
  return { ...memory, paces: { ...memory.paces, [action.notifier]: pace } };
}

export function evolveNotified(before: Memory, action: NotifyAction, event: FinishedEvent): Memory {
  const memory = closeFor(before, action.notifier, event);
  const key = outboxKey(action.notifier, action.notification);
  const entry = memory.outbox[key];
  if (entry === undefined || event.outcome === 'notDone') return memory;
  // What a receiver refuses for good is not sent again; the outcome says so in the log.
  if (event.outcome === 'done' || event.final === true) return { ...memory, outbox: without(memory.outbox, [key]) };
  const retry = backOff(entry, event.at, FIRST_RETRY_MS, LONGEST_RETRY_MS);
  return { ...memory, outbox: { ...memory.outbox, [key]: { ...entry, ...retry } } };
}

/** A receiver that asks for a pause gets it, for everything that it would be sent. */
function closeFor(memory: Memory, notifier: string, { at, retryAfterMs }: FinishedEvent): Memory {
  const pace = memory.paces?.[notifier];
  if (pace === undefined || retryAfterMs === undefined) return memory;
  const closedUntil = at + Math.min(retryAfterMs, LONGEST_PAUSE_MS);
  return { ...memory, paces: { ...memory.paces, [notifier]: { ...pace, closedUntil } } };
}

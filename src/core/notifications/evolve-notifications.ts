import type { Event, NotificationEvent } from '../event.ts';
import type { Memory, OutboxEntry } from '../memory.ts';
import type { NotifyAction } from '../model/action.ts';
import { backOff } from '../operations/back-off.ts';
import type { FinishedEvent } from '../operations/evolve-operations.ts';
import { without } from '../record.ts';

const FIRST_RETRY_MS = 5_000;
const LONGEST_RETRY_MS = 900_000;

export function outboxKey(notifier: string, notification: { readonly id: string }): string {
  return `${notifier}/${notification.id}`;
}

export function evolveNotifications(memory: Memory, event: NotificationEvent & Pick<Event, 'at'>): Memory {
  switch (event.type) {
    case 'notification.queued': {
      const outbox: Record<string, OutboxEntry> = { ...memory.outbox };
      for (const notifier of event.notifiers) {
        outbox[outboxKey(notifier, event.notification)] = {
          notifier,
          notification: event.notification,
          queuedAt: event.at,
          attempts: 0,
          retryAt: event.at,
        };
      }
      return { ...memory, outbox };
    }
    case 'notification.dropped':
      return { ...memory, outbox: without(memory.outbox, [event.key]) };
  }
}

export function evolveNotified(memory: Memory, action: NotifyAction, event: FinishedEvent): Memory {
  const key = outboxKey(action.notifier, action.notification);
  const entry = memory.outbox[key];
  if (entry === undefined || event.outcome === 'notDone') return memory;
  // What a receiver refuses for good is not sent again; the outcome says so in the log.
  if (event.outcome === 'done' || event.final === true) return { ...memory, outbox: without(memory.outbox, [key]) };
  const retry = backOff(entry, event.at, FIRST_RETRY_MS, LONGEST_RETRY_MS);
  return { ...memory, outbox: { ...memory.outbox, [key]: { ...entry, ...retry } } };
}

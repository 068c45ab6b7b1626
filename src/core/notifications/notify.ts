import type { Event } from '../event.ts';
import type { Action } from '../model/action.ts';
import { triggerKey } from '../model/trigger.ts';
import type { Turn } from '../turn.ts';
import { formatDuration, type Millis } from '../units.ts';
import { announcementOf } from './announce.ts';

/** A message that nobody took for so long is dropped, and the log says so. */
export const DROP_AFTER_MS: Millis = 86_400_000;

/** Queues what people are to be told of this turn's events, and drops what could not be told. */
export function queueNotifications(turn: Turn): void {
  for (const event of turn.events) {
    const announcement = announcementOf(event, turn.now, turn.desired, turn.memory) ?? warningOf(turn, event);
    if (announcement !== null) turn.emit(announcement);
  }
  for (const [key, entry] of Object.entries(turn.memory.outbox)) {
    if (!Object.hasOwn(turn.desired.notifiers, entry.notifier)) {
      turn.emit({ type: 'notification.dropped', key, reason: 'git no longer has the notifier' });
    } else if (turn.now - entry.queuedAt > DROP_AFTER_MS) {
      const reason = `not delivered within ${formatDuration(DROP_AFTER_MS)} in ${entry.attempts} attempts`;
      turn.emit({ type: 'notification.dropped', key, reason });
    }
  }
}

/** A trigger of severity `warning` rolls nothing back; that it fires is told. */
function warningOf(turn: Turn, event: Event): Parameters<Turn['emit']>[0] | null {
  if (event.type !== 'trigger.changed' || event.to !== 'firing') return null;
  for (const policy of Object.values(turn.desired.policies)) {
    const trigger = policy.triggers.find((one) => triggerKey(policy.name, one.name) === event.trigger);
    // One with a decision of its own opens an incident, and that is told.
    if (trigger?.severity !== 'warning' || trigger.decision !== undefined) continue;
    const notifiers = policy.notify.filter((name) => {
      const notifier = turn.desired.notifiers[name];
      return notifier !== undefined && !notifier.suspend && notifier.on.includes('warning');
    });
    if (notifiers.length === 0) return null;
    return {
      type: 'notification.queued',
      notifiers,
      notification: {
        id: `warning/${event.trigger}/${event.at}`,
        topic: 'warning',
        severity: 'warning',
        title: `${event.trigger} fires`,
        text: `${trigger.query} = ${event.memory.value ?? 'no value'}; it only warns, nothing is rolled back`,
        at: event.at,
        policy: policy.name,
        revision: turn.desired.revision,
        facts: {},
      },
    };
  }
  return null;
}

/** Messages that are due; they are sent beside everything else and hold up nothing. */
export function sendings(turn: Turn): Action[] {
  return Object.entries(turn.memory.outbox)
    .filter(([, entry]) => turn.now >= entry.retryAt)
    .filter(([, entry]) => turn.desired.notifiers[entry.notifier]?.suspend === false)
    .map(([key, entry]) => ({
      kind: 'notify',
      key: `notify:${key}`,
      sign: '>',
      reason:
        entry.attempts === 0 ? entry.notification.title : `${entry.notification.title} (attempt ${entry.attempts + 1})`,
      losesData: false,
      preconditions: [],
      notifier: entry.notifier,
      notification: entry.notification,
    }));
}

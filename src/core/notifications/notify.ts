import type { Event } from '../event.ts';
import type { OutboxEntry } from '../memory.ts';
import type { Action } from '../model/action.ts';
import { triggerKey } from '../model/trigger.ts';
import type { Turn } from '../turn.ts';
import { formatDuration, type Millis } from '../units.ts';
import { announcementOf } from './announce.ts';
import { PACE_SPAN_MS } from './evolve-notifications.ts';

/** A message that nobody took for so long is dropped, and the log says so. */
export const DROP_AFTER_MS: Millis = 86_400_000;
/** Of more that wait for one notifier the oldest are dropped: whoever comes back wants the newest. */
export const MOST_WAITING = 200;
/** So many messages to one notifier within a minute; Slack, for one, allows about one a second. */
export const MOST_A_MINUTE = 30;

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
  for (const notifier of Object.keys(turn.desired.notifiers)) thinOut(turn, notifier);
}

/** An alert is a state and no history: of one incident only its newest message to such a receiver counts. */
function thinOut(turn: Turn, notifier: string): void {
  const waiting = waitingFor(turn, notifier);
  for (const [key] of waiting.slice(0, Math.max(0, waiting.length - MOST_WAITING))) {
    turn.emit({ type: 'notification.dropped', key, reason: `more than ${MOST_WAITING} wait for ${notifier}` });
  }
  if (turn.desired.notifiers[notifier]?.type.kind !== 'alertmanager') return;
  const newest = new Map(waiting.map(([key, { notification }]) => [notification.incident, key]));
  for (const [key, { notification }] of waiting) {
    if (notification.incident === undefined || newest.get(notification.incident) === key) continue;
    turn.emit({ type: 'notification.dropped', key, reason: 'a newer message of the same incident takes its place' });
  }
}

/** In the order in which they were queued. */
function waitingFor(turn: Pick<Turn, 'memory'>, notifier: string): [key: string, entry: OutboxEntry][] {
  return Object.entries(turn.memory.outbox)
    .filter(([, entry]) => entry.notifier === notifier)
    .sort(([, a], [, b]) => a.queuedAt - b.queuedAt);
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

/**
 * Messages that are due, one for each notifier at a time and the oldest first; they are sent beside everything else
 * and hold up nothing.
 */
export function sendings(turn: Turn): Action[] {
  const busy = busyNotifiers(turn);
  return Object.values(turn.desired.notifiers).flatMap(({ name, suspend }) => {
    if (suspend || busy.has(name) || turn.now < opensAt(turn, name)) return [];
    const due = waitingFor(turn, name).find(([, entry]) => turn.now >= entry.retryAt);
    return due === undefined ? [] : [sending(...due)];
  });
}

function sending(key: string, entry: OutboxEntry): Action {
  const { notification, notifier, attempts } = entry;
  return {
    kind: 'notify',
    key: `notify:${key}`,
    sign: '>',
    reason: attempts === 0 ? notification.title : `${notification.title} (attempt ${attempts + 1})`,
    losesData: false,
    preconditions: [],
    notifier,
    notification,
  };
}

function busyNotifiers(turn: Pick<Turn, 'memory'>): ReadonlySet<string> {
  const actions = Object.values(turn.memory.operations).map(({ action }) => action);
  return new Set(actions.flatMap((action) => (action.kind === 'notify' ? [action.notifier] : [])));
}

/** From when on the notifier may be sent something. */
function opensAt({ memory }: Pick<Turn, 'memory'>, notifier: string): Millis {
  const pace = memory.paces?.[notifier];
  if (pace === undefined) return Number.NEGATIVE_INFINITY;
  return Math.max(pace.closedUntil, pace.sent < MOST_A_MINUTE ? pace.since : pace.since + PACE_SPAN_MS);
}

/** When the next message of each notifier is due. */
export function sendingInstants(turn: Pick<Turn, 'desired' | 'memory'>): Millis[] {
  return Object.values(turn.desired.notifiers).flatMap(({ name, suspend }) => {
    const waiting = suspend ? [] : waitingFor(turn, name);
    if (waiting.length === 0) return [];
    return [Math.max(opensAt(turn, name), Math.min(...waiting.map(([, entry]) => entry.retryAt)))];
  });
}

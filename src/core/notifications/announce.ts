import type { EventSpec } from '../event.ts';
import type { Memory } from '../memory.ts';
import type { Desired } from '../model/desired.ts';
import type { Incident } from '../model/incident.ts';
import type { Notification } from '../model/notification.ts';
import type { NotificationTopic } from '../model/notifier.ts';
import { shortRevision } from '../model/revision.ts';
import { formatDuration, type Millis } from '../units.ts';

/** What people are told because of an event; null where nobody needs to be. `memory` is as the event left it. */
export function announcementOf(
  event: EventSpec,
  at: Millis,
  desired: Desired,
  memory: Memory,
): Extract<EventSpec, { type: 'notification.queued' }> | null {
  const draft = draftOf(event, at, desired, memory);
  if (draft === null) return null;
  const notifiers = audience(draft, desired);
  if (notifiers.length === 0) return null;
  const { audience: _audience, ...rest } = draft;
  return { type: 'notification.queued', notifiers, notification: { ...rest, at, revision: desired.revision } };
}

type Draft = Omit<Notification, 'at' | 'revision'> & {
  /** Notifiers by name; undefined: every one that asks for the topic. */
  readonly audience: readonly string[] | undefined;
};

function audience(draft: Draft, desired: Desired): string[] {
  return Object.values(desired.notifiers)
    .filter((notifier) => !notifier.suspend && notifier.on.includes(draft.topic))
    .filter((notifier) => draft.audience === undefined || draft.audience.includes(notifier.name))
    .map((notifier) => notifier.name);
}

function draftOf(event: EventSpec, at: Millis, desired: Desired, memory: Memory): Draft | null {
  switch (event.type) {
    case 'incident.opened':
      return ofIncident(event.incident, 'opened', 'critical', 'rollback begins', openingText(event.incident));
    case 'rung.entered':
      return ofIncidentId(memory, event.incident, `rung-${event.rung}`, 'rung', `rung "${event.name}" begins`, '');
    case 'incident.asked':
      return ofIncidentId(memory, event.incident, `asking-${at}`, 'asking', 'a person is asked', event.reason);
    case 'incident.closed':
      return ofIncidentId(memory, event.incident, event.outcome, event.outcome, event.outcome, event.reason);
    case 'policy.braked':
      return brakedDraft(event.policy, event.brake.until, event.brake.reason, desired);
    case 'revision.refused':
      return refusedDraft(event);
    case 'drift.seen':
      return {
        id: `drift/${event.place}/${at}`,
        topic: 'drift',
        severity: 'warning',
        title: `drift of flag ${event.flag}`,
        text: `${event.place} shows ${event.found ?? 'nothing'} instead of ${event.expected}; ${event.repair ? 'it is set back' : 'it is left alone'}`,
        facts: { flag: event.flag, place: event.place },
        audience: undefined,
      };
    default:
      return null;
  }
}

function ofIncidentId(
  memory: Memory,
  id: string,
  suffix: string,
  topic: NotificationTopic,
  title: string,
  text: string,
): Draft | null {
  const incident = memory.incidents[id];
  if (incident === undefined) return null;
  const severity = topic === 'resolved' || topic === 'aborted' ? 'info' : 'critical';
  return { ...ofIncident(incident, topic, severity, title, text), id: `${id}/${suffix}` };
}

function ofIncident(
  incident: Incident,
  topic: NotificationTopic,
  severity: Notification['severity'],
  title: string,
  text: string,
): Draft {
  return {
    id: `${incident.id}/${topic}`,
    topic,
    severity,
    title: `${incident.id} ${incident.policy.name}: ${title}`,
    text,
    incident: incident.id,
    policy: incident.policy.name,
    facts: { openedBy: openingText(incident), openedAt: new Date(incident.openedAt).toISOString() },
    audience: [...incident.policy.notify, ...incident.joined.flatMap((joined) => joined.policy.notify)],
  };
}

function openingText(incident: Incident): string {
  return incident.openedBy
    .map(
      (cause) =>
        `${cause.trigger} = ${cause.value ?? 'no value'} ${cause.threshold} for ${formatDuration(incident.openedAt - cause.breachedSince)}`,
    )
    .join('; ');
}

function brakedDraft(policy: string, until: Millis, reason: string, desired: Desired): Draft {
  return {
    id: `braked/${policy}/${until}`,
    topic: 'braked',
    severity: 'critical',
    title: `${policy} fires, but may not act`,
    text: reason,
    policy,
    facts: {},
    audience: desired.policies[policy]?.notify ?? [],
  };
}

function refusedDraft(event: Extract<EventSpec, { type: 'revision.refused' }>): Draft {
  return {
    id: `refused/${event.revision ?? event.code}`,
    topic: 'refused',
    severity: 'warning',
    title: `revision ${shortRevision(event.revision ?? '')} was refused`,
    text: [event.message, ...event.diagnostics.slice(0, 10)].join('\n'),
    facts: { code: event.code },
    audience: undefined,
  };
}

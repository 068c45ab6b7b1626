import type { EventSpec } from '../event.ts';
import type { Memory } from '../memory.ts';
import type { Desired } from '../model/desired.ts';
import { type Incident, toldOf } from '../model/incident.ts';
import type { Notification } from '../model/notification.ts';
import type { NotificationTopic } from '../model/notifier.ts';
import { shortRevision } from '../model/revision.ts';
import { formatDuration, formatInstant, type Millis } from '../units.ts';
import { aboutIncident, openingText } from './about-incident.ts';

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
    case 'incident.opened':
      return incidentDraft(event.incident, at, 'opened', 'opened', 'rollback begins', openingText(event.incident));
    default: {
      const incident = 'incident' in event ? memory.incidents[event.incident] : undefined;
      return incident === undefined ? null : draftOfIncident(event, incident, at);
    }
  }
}

/** Ids come from the state that is told of, never from its words: what was told once is the same message for ever. */
function draftOfIncident(event: EventSpec, incident: Incident, at: Millis): Draft | null {
  const draft = (suffix: string, topic: NotificationTopic, title: string, text: string): Draft =>
    incidentDraft(incident, at, suffix, topic, title, text);
  switch (event.type) {
    case 'rung.entered':
      return draft(`rung-${event.rung}`, 'rung', `rung "${event.name}" begins`, '');
    case 'incident.asked':
      return draft(`asking-${at}`, 'asking', 'a person is asked', event.reason);
    case 'incident.closed':
      return draft(event.outcome, event.outcome, event.outcome, event.reason);
    case 'incident.updated':
      return draft(`update-${event.number}`, 'update', `update ${event.number}`, updateText(incident, at));
    case 'incident.escalated': {
      const text = `open for ${formatDuration(event.afterMs)} and not resolved: ${aboutIncident(incident, at).status}`;
      return draft(`escalated-${event.level}`, 'escalated', `escalated to level ${event.level}`, text);
    }
    case 'incident.realerted':
      return { ...draft('alert', 'opened', 'it goes on', openingText(incident)), audience: event.notify };
    case 'report.written':
      return draft('report', 'report', 'the report is written', event.path);
    default:
      return null;
  }
}

function updateText(incident: Incident, at: Millis): string {
  const { status, breachedFor, walked } = aboutIncident(incident, at);
  const past = walked.map(({ rung, outcome }) => `rung "${rung}" ${outcome}`);
  return [`${status}, breached for ${breachedFor}`, ...past].join('; ');
}

function incidentDraft(
  incident: Incident,
  at: Millis,
  suffix: string,
  topic: NotificationTopic,
  title: string,
  text: string,
): Draft {
  return {
    id: `${incident.id}/${suffix}`,
    topic,
    severity: topic === 'resolved' || topic === 'aborted' || topic === 'report' ? 'info' : 'critical',
    title: `${incident.id} ${incident.policy.name}: ${title}`,
    text,
    incident: incident.id,
    policy: incident.policy.name,
    facts: { openedBy: openingText(incident), openedAt: formatInstant(incident.openedAt) },
    about: aboutIncident(incident, at),
    audience: hearersOf(incident),
  };
}

/**
 * Who hears of an incident: those whom its policies name, and those whom its rungs and levels added. When a ladder is
 * exhausted no later level would come, and only people can help: all levels hear at once.
 */
export function hearersOf(incident: Incident): string[] {
  const { policy, joined, phase } = incident;
  const isExhausted = phase.kind === 'closed' && phase.outcome === 'exhausted';
  return [
    ...policy.notify,
    ...joined.flatMap((one) => one.policy.notify),
    ...toldOf(incident).hearers,
    ...(isExhausted ? (policy.escalate ?? []).flatMap((level) => level.notify) : []),
  ];
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

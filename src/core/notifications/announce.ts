import type { EventSpec } from '../event.ts';
import { describeRequest } from '../incidents/await-approval.ts';
import type { Memory } from '../memory.ts';
import type { GivenApproval } from '../model/approval.ts';
import type { Desired } from '../model/desired.ts';
import type { Incident } from '../model/incident.ts';
import type { Notification } from '../model/notification.ts';
import type { NotificationTopic } from '../model/notifier.ts';
import { shortRevision } from '../model/revision.ts';
import { repairText } from '../report/describe-event.ts';
import { formatDuration, formatInstant, type Millis } from '../units.ts';

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
      return openedDraft(event.incident);
    case 'fixForward.worsened':
      return ofIncidentId(memory, event.incident, `worsened-${at}`, 'opened', 'it got worse', worsenedText(event));
    case 'approval.requested':
      return approvalDraft(memory, event.incident, `approval-${event.request.digest}`, 'approval is needed');
    case 'approval.overridden':
      return overriddenDraft(memory, event);
    case 'approval.rejected':
      return ofIncidentId(
        memory,
        event.incident,
        `rejected-${at}`,
        'approval',
        `rung "${event.name}" is rejected`,
        by(event),
      );
    case 'rung.entered':
      return ofIncidentId(memory, event.incident, `rung-${event.rung}`, 'rung', `rung "${event.name}" begins`, '');
    case 'incident.asked': {
      const draft = ofIncidentId(memory, event.incident, `asking-${at}`, 'asking', 'a person is asked', event.reason);
      return event.everybody === true ? toEverybody(draft) : draft;
    }
    case 'incident.closed': {
      const draft = ofIncidentId(memory, event.incident, event.outcome, event.outcome, event.outcome, event.reason);
      // No rung is left, and the system is still ill: that is everybody's business.
      return event.outcome === 'exhausted' ? toEverybody(draft) : draft;
    }
    case 'policy.braked':
      return event.again === true ? null : brakedDraft(event.policy, event.brake.until, event.brake.reason, desired);
    case 'brake.overridden':
      return overriddenBrakeDraft(event, at);
    case 'window.withheld':
      return withheldDraft(event, at);
    case 'revision.refused':
      return refusedDraft(event);
    case 'drift.seen':
      return {
        id: `drift/${event.place}/${at}`,
        topic: 'drift',
        severity: 'warning',
        title: `drift of flag ${event.flag}`,
        text: `${event.place} shows ${event.found ?? 'nothing'} instead of ${event.expected}; ${repairText(event)}`,
        facts: { flag: event.flag, place: event.place },
        audience: undefined,
      };
    default:
      return null;
  }
}

function openedDraft(incident: Incident): Draft {
  if (incident.phase.kind !== 'fixing-forward') {
    return ofIncident(incident, 'opened', 'critical', 'rollback begins', openingText(incident));
  }
  const left = formatDuration(incident.phase.deadlineAt - incident.openedAt);
  const text = `${openingText(incident)}. It is rolled back unless it is over in ${left}; \`revertd incidents answer ${incident.id} next\` does so at once`;
  return ofIncident(incident, 'opened', 'warning', `to be mended within ${left}`, text);
}

function worsenedText({ openedBy, deadlineAt }: Extract<EventSpec, { type: 'fixForward.worsened' }>): string {
  return `${openedBy.map(({ trigger }) => trigger).join(', ')}; rolled back unless it is over by ${formatInstant(deadlineAt)}`;
}

function approvalDraft(memory: Memory, id: string, suffix: string, title: string): Draft | null {
  const incident = memory.incidents[id];
  if (incident?.phase.kind !== 'awaiting-approval') return null;
  const text = [...describeRequest(incident, incident.phase), `revertd incidents approve ${id}`].join('\n');
  return ofIncidentId(memory, id, suffix, 'approval', title, text);
}

/** That one person decided alone is told to everybody whom the policy or the rule names. */
function overriddenDraft(memory: Memory, event: Extract<EventSpec, { type: 'approval.overridden' }>): Draft | null {
  const title = `${event.approval.subject} decided alone`;
  const text = [by(event), `allowed since ${event.because.join('; ')}`].join('\n');
  const draft = ofIncidentId(memory, event.incident, `overridden-${event.digest}`, 'approval', title, text);
  return draft === null ? null : { ...draft, audience: [...(draft.audience ?? []), ...event.notify] };
}

function by({ approval }: { readonly approval: GivenApproval }): string {
  return `${approval.subject}: ${approval.reason ?? 'no reason given'}`;
}

function toEverybody(draft: Draft | null): Draft | null {
  return draft === null ? null : { ...draft, audience: undefined };
}

function overriddenBrakeDraft(event: Extract<EventSpec, { type: 'brake.overridden' }>, at: Millis): Draft {
  return {
    id: `overridden/${event.policy}/${at}`,
    topic: 'braked',
    severity: 'warning',
    title: `${event.actor} has ${event.policy} act against its brake`,
    text: `${event.brake.reason}\n${event.reason}`,
    policy: event.policy,
    facts: {},
    audience: undefined,
  };
}

function withheldDraft(event: Extract<EventSpec, { type: 'window.withheld' }>, at: Millis): Draft {
  const until = event.until === null ? '' : ` until ${formatInstant(event.until)}`;
  return {
    id: `window/${event.flag}/${event.window}/${at}`,
    topic: 'braked',
    severity: 'info',
    title: `flag ${event.flag} waits for a window`,
    text: `it does not become ${event.variant} because of Window/${event.window}${until}; \`revertd flags set ${event.flag} ${event.variant} --reason …\` does so all the same`,
    facts: { flag: event.flag, window: event.window },
    audience: undefined,
  };
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
  if (incident.byHand !== undefined) return `begun by ${incident.byHand.actor}: ${incident.byHand.reason}`;
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

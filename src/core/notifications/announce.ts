import type { EventSpec } from '../event.ts';
import { describeRequest } from '../incidents/await-approval.ts';
import type { Memory } from '../memory.ts';
import type { GivenApproval } from '../model/approval.ts';
import type { Desired } from '../model/desired.ts';
import { type Incident, toldOf } from '../model/incident.ts';
import type { NotificationTopic } from '../model/notifier.ts';
import { failedPointDraft, pruneRefusedDraft } from '../points/point-drafts.ts';
import { repairText } from '../report/describe-event.ts';
import { formatDuration, formatInstant, type Millis } from '../units.ts';
import { aboutIncident, openingText } from './about-incident.ts';
import { drillDraft } from './drill-draft.ts';
import {
  brakedDraft,
  type Draft,
  overriddenBrakeDraft,
  refusedDraft,
  withheldDeploymentDraft,
  withheldDraft,
} from './refusal-drafts.ts';

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

function audience(draft: Draft, desired: Desired): string[] {
  return Object.values(desired.notifiers)
    .filter((notifier) => !notifier.suspend && notifier.on.includes(draft.topic))
    .filter((notifier) => draft.audience === undefined || draft.audience.includes(notifier.name))
    .map((notifier) => notifier.name);
}

function draftOf(event: EventSpec, at: Millis, desired: Desired, memory: Memory): Draft | null {
  switch (event.type) {
    case 'policy.braked':
      return event.again === true ? null : brakedDraft(event.policy, event.brake.until, event.brake.reason, desired);
    case 'brake.overridden':
      return overriddenBrakeDraft(event, at);
    case 'window.withheld':
      return withheldDraft(event, at);
    case 'target.withheld':
      return withheldDeploymentDraft(event, at);
    case 'revision.refused':
      return refusedDraft(event);
    case 'points.pruneRefused':
      return pruneRefusedDraft(event, at);
    case 'operation.finished':
      return failedPointDraft(event, memory);
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
    case 'drill.ended':
      return drillDraft(event, desired);
    case 'incident.opened':
      return openedDraft(event.incident, at);
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
      return audienceOf(draft(`asking-${at}`, 'asking', 'a person is asked', event.reason), event.everybody === true);
    case 'incident.closed':
      // No rung is left, and the system is still ill: that is everybody's business.
      return audienceOf(
        draft(event.outcome, event.outcome, event.outcome, event.reason),
        event.outcome === 'exhausted',
      );
    case 'fixForward.worsened':
      return draft(`worsened-${at}`, 'opened', 'it got worse', worsenedText(event));
    case 'approval.requested':
      return draft(`approval-${event.request.digest}`, 'approval', 'approval is needed', requestText(incident));
    case 'approval.overridden':
      return overriddenDraft(event, draft);
    case 'approval.rejected':
      return draft(`rejected-${at}`, 'approval', `rung "${event.name}" is rejected`, byText(event));
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

function openedDraft(incident: Incident, at: Millis): Draft {
  const { phase, id } = incident;
  const opening = openingText(incident);
  if (phase.kind !== 'fixing-forward')
    return incidentDraft(incident, at, 'opened', 'opened', 'rollback begins', opening);
  const left = formatDuration(phase.deadlineAt - incident.openedAt);
  const text = `${opening}. It is rolled back unless it is over in ${left}; \`revertd incidents answer ${id} next\` does so at once`;
  return {
    ...incidentDraft(incident, at, 'opened', 'opened', `to be mended within ${left}`, text),
    severity: 'warning',
  };
}

function worsenedText({ openedBy, deadlineAt }: Extract<EventSpec, { type: 'fixForward.worsened' }>): string {
  return `${openedBy.map(({ trigger }) => trigger).join(', ')}; rolled back unless it is over by ${formatInstant(deadlineAt)}`;
}

function requestText(incident: Incident): string {
  const { phase, id } = incident;
  const lines = phase.kind === 'awaiting-approval' ? describeRequest(incident, phase) : [];
  return [...lines, `revertd incidents approve ${id}`].join('\n');
}

/** That one person decided alone is told to everybody whom the policy or the rule names. */
function overriddenDraft(
  event: Extract<EventSpec, { type: 'approval.overridden' }>,
  draft: (suffix: string, topic: NotificationTopic, title: string, text: string) => Draft,
): Draft {
  const text = [byText(event), `allowed since ${event.because.join('; ')}`].join('\n');
  const told = draft(`overridden-${event.digest}`, 'approval', `${event.approval.subject} decided alone`, text);
  return { ...told, audience: [...(told.audience ?? []), ...event.notify] };
}

function byText({ approval }: { readonly approval: GivenApproval }): string {
  return `${approval.subject}: ${approval.reason ?? 'no reason given'}`;
}

function audienceOf(draft: Draft, everybody: boolean): Draft {
  return everybody ? { ...draft, audience: undefined } : draft;
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

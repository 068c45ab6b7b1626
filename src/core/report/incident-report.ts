import type { Event } from '../event.ts';
import { describeRequest } from '../incidents/await-approval.ts';
import type { Incident } from '../model/incident.ts';
import { formatOrigin } from '../model/origin.ts';
import { shortRevision } from '../model/revision.ts';
import type { Trigger } from '../model/trigger.ts';
import { labelText, readingText } from '../notifications/about-incident.ts';
import { formatDuration, formatInstant, type Millis } from '../units.ts';
import { describeEvent } from './describe-event.ts';
import { type RungReport, rungReports } from './rung-reports.ts';

export type LoggedEvent = Event & { readonly actor: string };

export type ReportInput = {
  readonly incident: Incident;
  readonly hostName: string;
  /** Of the incident, and what happened to its operations; in the order of the log. */
  readonly events: readonly LoggedEvent[];
  /** Revisions that came into force while it was open. */
  readonly revisions: readonly LoggedEvent[];
  readonly readings: readonly TriggerReadings[];
  /** Until when the report tells. */
  readonly until: Millis;
};

export type TriggerReadings = {
  readonly key: string;
  readonly trigger: Trigger;
  readonly readings: readonly ReadingPoint[];
};

/** Of one evaluation, or of several that are no longer kept one by one; null where there was no number. */
export type ReadingPoint = {
  readonly at: Millis;
  readonly mean: number | null;
  readonly low: number | null;
  readonly high: number | null;
};

export type Fact = { readonly name: string; readonly value: string };

/** What is known of an incident, ready to be shown; every value is plain text. */
export type IncidentReport = {
  readonly id: string;
  readonly policy: string;
  readonly host: string;
  readonly state: string;
  readonly reason: string;
  readonly facts: readonly Fact[];
  readonly causes: readonly string[];
  readonly times: readonly Fact[];
  readonly rungs: readonly RungReport[];
  readonly readings: readonly TriggerReadings[];
  readonly marks: readonly { readonly at: Millis; readonly label: string }[];
  readonly timeline: readonly {
    readonly at: Millis;
    readonly since: string;
    readonly text: string;
    readonly actor: string;
  }[];
};

/** What people are to add: a report of a machine is no post-mortem without them. */
export const ROOM_FOR_PEOPLE = [
  { heading: 'Impact', questions: ['Who was affected, and how', 'What it cost'] },
  { heading: 'Root cause', questions: ['Cause', 'What contributed', 'Why it was not seen before'] },
  { heading: 'Lessons', questions: ['What went well', 'What could be better'] },
  { heading: 'Action items', questions: ['What, who, until when'] },
  { heading: 'Post-mortem', questions: ['When it is held, and who comes'] },
] as const;

export function buildIncidentReport(input: ReportInput): IncidentReport {
  const { incident, hostName, events, readings } = input;
  const { phase } = incident;
  const isClosed = phase.kind === 'closed';
  return {
    id: incident.id,
    policy: incident.policy.name,
    host: hostName,
    state: isClosed ? phase.outcome : 'open',
    reason: isClosed ? phase.reason : `it is ${phase.kind}`,
    facts: factsOf(input),
    causes: incident.openedBy.map(({ trigger, value, threshold, labels }) => {
      const where = labelText(labels);
      return `${trigger} was ${readingText(value)} (threshold ${threshold})${where === '' ? '' : ` at ${where}`}`;
    }),
    times: timesOf(input),
    rungs: rungReports(events),
    readings,
    marks: marksOf(incident, events),
    timeline: events.flatMap((event) => {
      const text = isSaidTwice(event) ? null : describeEvent(event);
      const since = formatDuration(event.at - breachBegin(incident));
      return text === null ? [] : [{ at: event.at, since, text, actor: event.actor }];
    }),
  };
}

/** An operation that goes well is told by what it was for: the step, the flag, the message. */
function isSaidTwice(event: Event): boolean {
  if (event.type === 'operation.planned') return event.operation.action.kind !== 'deliver';
  return event.type === 'operation.finished' && event.outcome === 'done';
}

function factsOf({ incident, events, revisions }: ReportInput): Fact[] {
  const { policy, revision, joined, byHand } = incident;
  const steps = rungReports(events);
  const latches = events.flatMap((event) =>
    event.type === 'hold.placed' && event.hold.kind === 'latch' ? [event.hold] : [],
  );
  return [
    { name: 'Policy', value: `${policy.name} (${formatOrigin(policy.origin)})` },
    { name: 'Begun by hand', value: byHand === undefined ? '' : `${byHand.actor}: ${byHand.reason}` },
    { name: 'Waits', value: waitsText(incident) },
    { name: 'Revision', value: revision },
    ...(revisions.length === 0 ? [] : [{ name: 'Revisions since', value: revisions.map(revisionText).join(', ') }]),
    { name: 'Joined', value: joined.map((one) => one.policy.name).join(', ') },
    { name: 'Rungs', value: steps.map(({ name, result }) => `${name}: ${result}`).join('; ') },
    { name: 'Flags', value: latches.map((latch) => `${latch.flag} → ${latch.variant}`).join(', ') },
    { name: 'Data lost', value: dataLost(events) },
    {
      name: 'Escalated',
      value: events.flatMap((event) => (event.type === 'incident.escalated' ? [levelText(event)] : [])).join('; '),
    },
  ].filter(({ value }) => value !== '');
}

/** What an open incident waits for. */
function waitsText(incident: Incident): string {
  const { phase } = incident;
  if (phase.kind === 'fixing-forward') return `to be mended until ${formatInstant(phase.deadlineAt)}`;
  return phase.kind === 'awaiting-approval' ? describeRequest(incident, phase).join('; ') : '';
}

function revisionText(event: LoggedEvent): string {
  if (event.type !== 'revision.accepted') return '';
  return `${shortRevision(event.revision)}${event.subject === null ? '' : ` (${event.subject})`}`;
}

function levelText({ level, afterMs, notify }: Extract<Event, { type: 'incident.escalated' }>): string {
  return `level ${level} after ${formatDuration(afterMs)}: ${notify.join(', ')}`;
}

/** Only an action that says so can lose data; whether it lost any is beyond what a log knows. */
function dataLost(events: readonly Event[]): string {
  const losing = events.flatMap((event) =>
    event.type === 'operation.planned' && event.operation.action.losesData ? [event.operation.action.reason] : [],
  );
  const stated = events
    .flatMap((event) => (event.type === 'approval.requested' ? (event.request.loss ?? []) : []))
    .at(-1);
  if (losing.length === 0) return 'none: nothing that was done loses data';
  return [...losing, ...(stated === undefined ? [] : [`told beforehand: ${stated}`])].join('; ');
}

/** Detection: breach to opening. Reaction: opening to the first finished step. Recovery: breach to resolution. */
function timesOf({ incident, events, until }: ReportInput): Fact[] {
  const { phase, openedAt } = incident;
  const breachedAt = breachBegin(incident);
  const firstStep = events.find((event) => event.type === 'step.finished' && event.result.outcome === 'done');
  const isResolved = phase.kind === 'closed' && phase.outcome === 'resolved';
  return [
    { name: 'Breached since', value: formatInstant(breachedAt) },
    { name: 'Opened', value: formatInstant(openedAt) },
    ...(phase.kind === 'closed' ? [{ name: 'Closed', value: formatInstant(phase.at) }] : []),
    { name: 'Detected after', value: formatDuration(openedAt - breachedAt) },
    ...(firstStep === undefined
      ? []
      : [
          {
            name: 'Reacted after',
            value: `${formatDuration(firstStep.at - openedAt)} from detection to the first step`,
          },
        ]),
    isResolved
      ? { name: 'Recovered after', value: recoveryText(incident, phase.at - breachedAt) }
      : { name: 'Not recovered', value: recoveryText(incident, until - breachedAt) },
  ];
}

function recoveryText({ policy: { rtoMs } }: Incident, spanMs: Millis): string {
  if (rtoMs === undefined) return formatDuration(spanMs);
  const verdict = spanMs <= rtoMs ? 'within' : 'beyond';
  return `${formatDuration(spanMs)}, ${verdict} the objective of ${formatDuration(rtoMs)}`;
}

export function breachBegin(incident: Incident): Millis {
  return Math.min(incident.openedAt, ...incident.openedBy.map((cause) => cause.breachedSince));
}

function marksOf(incident: Incident, events: readonly Event[]): IncidentReport['marks'] {
  const rungs = events.flatMap((event) => (event.type === 'rung.entered' ? [{ at: event.at, label: event.name }] : []));
  const end = incident.phase.kind === 'closed' ? [{ at: incident.phase.at, label: incident.phase.outcome }] : [];
  return [{ at: breachBegin(incident), label: 'breached' }, ...rungs, ...end];
}

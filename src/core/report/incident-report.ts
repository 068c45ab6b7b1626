import type { Event } from '../event.ts';
import { describeRequest } from '../incidents/await-approval.ts';
import type { Incident } from '../model/incident.ts';
import { formatOrigin } from '../model/origin.ts';
import { formatThreshold, shortNumber, type Trigger } from '../model/trigger.ts';
import { fromReadingValue, type ReadingValue } from '../observed.ts';
import { formatDuration, formatInstant, type Millis } from '../units.ts';
import { describeEvent } from './describe-event.ts';
import { sparkline } from './sparkline.ts';

export type ReportInput = {
  readonly incident: Incident;
  readonly hostName: string;
  readonly events: readonly (Event & { readonly actor: string })[];
  readonly readings: readonly TriggerReadings[];
};

export type TriggerReadings = {
  readonly key: string;
  readonly trigger: Trigger;
  readonly readings: readonly { readonly at: Millis; readonly value: ReadingValue | null }[];
};

/** What happened, in Markdown: for the person who comes after the daemon. */
export function incidentReport(input: ReportInput): string {
  const { incident } = input;
  return [
    `# ${incident.id}: ${incident.policy.name} on ${input.hostName}`,
    '',
    ...summary(input),
    '',
    ...presentLines(incident),
    '## What was breached',
    '',
    ...(incident.byHand === undefined
      ? []
      : [`- Nothing that revertd saw: ${incident.byHand.actor} began it (${incident.byHand.reason}).`]),
    ...incident.openedBy.map(
      (cause) =>
        `- \`${cause.trigger}\` was ${cause.value ?? 'without value'} (threshold ${cause.threshold})${labelText(cause.labels)}`,
    ),
    '',
    '## Times',
    '',
    ...times(input),
    '',
    '## Readings',
    '',
    ...input.readings.flatMap(readingLines),
    '## Timeline',
    '',
    '| time (UTC) | since the breach | what | by |',
    '|---|---|---|---|',
    ...timeline(input),
    '',
    '## Left to people',
    '',
    '- Root cause:',
    '- What would have prevented it:',
    '- Follow-ups:',
    '',
  ].join('\n');
}

function summary({ incident }: ReportInput): string[] {
  const { phase } = incident;
  const state = phase.kind === 'closed' ? `**${phase.outcome}** — ${phase.reason}` : `**open** (${phase.kind})`;
  return [
    state,
    '',
    `Policy \`${incident.policy.name}\` (${formatOrigin(incident.policy.origin)}) at revision \`${incident.revision}\`.`,
  ];
}

/** What an open incident waits for. */
function presentLines(incident: Incident): string[] {
  const { phase } = incident;
  switch (phase.kind) {
    case 'fixing-forward':
      return ['## Now', '', `- To be mended until ${formatInstant(phase.deadlineAt)}, then the ladder begins`, ''];
    case 'awaiting-approval':
      return ['## Now', '', ...describeRequest(incident, phase).map((line) => `- ${line}`), ''];
    default:
      return [];
  }
}

function labelText(labels: Readonly<Record<string, string>>): string {
  const entries = Object.entries(labels);
  return entries.length === 0 ? '' : ` at ${entries.map(([name, value]) => `${name}="${value}"`).join(', ')}`;
}

/** Detection: breach to opening. Reaction: opening to the first finished step. Recovery: breach to resolution. */
function times({ incident, events }: ReportInput): string[] {
  const breachedAt = breachBegin(incident);
  const firstStep = events.find((event) => event.type === 'step.finished' && event.result.outcome === 'done');
  const lines = [
    `- Breached since: ${formatInstant(breachedAt)}`,
    `- Detected after: ${formatDuration(incident.openedAt - breachedAt)}`,
  ];
  if (firstStep !== undefined) {
    lines.push(`- First step done after: ${formatDuration(firstStep.at - incident.openedAt)} from detection`);
  }
  if (incident.phase.kind === 'closed' && incident.phase.outcome === 'resolved') {
    const recoveryMs = incident.phase.at - breachedAt;
    lines.push(`- Recovered after: ${formatDuration(recoveryMs)}${rtoText(incident, recoveryMs)}`);
  }
  return lines;
}

function rtoText({ policy: { rtoMs } }: Incident, recoveryMs: Millis): string {
  if (rtoMs === undefined) return '';
  const verdict = recoveryMs <= rtoMs ? 'within' : 'beyond';
  return `, ${verdict} the objective of ${formatDuration(rtoMs)}`;
}

export function breachBegin(incident: Incident): Millis {
  return Math.min(incident.openedAt, ...incident.openedBy.map((cause) => cause.breachedSince));
}

function readingLines({ key, trigger, readings }: TriggerReadings): string[] {
  const values = readings.flatMap(({ value }) => (value === null ? [] : [fromReadingValue(value)]));
  const finite = values.filter(Number.isFinite);
  if (finite.length === 0) return [`- \`${key}\` (${formatThreshold(trigger.threshold)}): no values`, ''];
  const range = `lowest ${shortNumber(Math.min(...finite))}, highest ${shortNumber(Math.max(...finite))}, last ${shortNumber(finite.at(-1) ?? 0)}`;
  return [
    `- \`${key}\`, threshold ${formatThreshold(trigger.threshold)}: ${range}`,
    '',
    '  ```text',
    `  ${sparkline(finite, trigger.threshold)}`,
    '  ```',
    '',
  ];
}

function timeline({ incident, events }: ReportInput): string[] {
  const breachedAt = breachBegin(incident);
  return events.flatMap((event) => {
    const text = describeEvent(event);
    if (text === null) return [];
    const time = formatInstant(event.at).slice(11, 23);
    return [`| ${time} | ${formatDuration(event.at - breachedAt)} | ${escapeCell(text)} | ${event.actor} |`];
  });
}

function escapeCell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll(/\s*\n\s*/g, ' ');
}

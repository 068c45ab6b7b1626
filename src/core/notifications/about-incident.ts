import { type Incident, type IncidentCause, type Phase, toldOf } from '../model/incident.ts';
import type { IncidentAbout } from '../model/notification.ts';
import { shortNumber } from '../model/trigger.ts';
import type { ReadingValue } from '../observed.ts';
import { formatDuration, formatInstant, type Millis } from '../units.ts';

/** An incident in the words that messages and templates are made of. */
export function aboutIncident(incident: Incident, now: Millis): IncidentAbout {
  const { phase, policy, openedAt, openedBy } = incident;
  const end = phase.kind === 'closed' ? phase.at : now;
  const breachedAt = Math.min(openedAt, ...openedBy.map((cause) => cause.breachedSince));
  const { levels } = toldOf(incident);
  return {
    id: incident.id,
    policy: policy.name,
    severity: 'critical',
    status: statusText(incident),
    rung: rungOf(incident),
    reason: openingText(incident),
    outcome: phase.kind === 'closed' ? phase.reason : '',
    startedAt: formatInstant(openedAt),
    endedAt: phase.kind === 'closed' ? formatInstant(phase.at) : '',
    duration: formatDuration(Math.max(0, end - openedAt)),
    breachedFor: formatDuration(Math.max(0, end - breachedAt)),
    rto: policy.rtoMs === undefined ? '' : formatDuration(policy.rtoMs),
    level: levels === 0 ? '' : String(levels),
    command: commandOf(incident.id, phase),
    triggers: openedBy.map((cause) => ({
      trigger: cause.trigger,
      value: readingText(cause.value),
      threshold: cause.threshold,
      labels: labelText(cause.labels),
      since: formatInstant(cause.breachedSince),
    })),
    walked: (incident.walked ?? []).map(({ rung, outcome, reason }) => ({ rung, outcome, reason })),
  };
}

/** `guard/latency = 0.9 > 0.5 for 30s`, for each trigger that opened it; or the person who began it. */
export function openingText({
  openedBy,
  openedAt,
  byHand,
}: Pick<Incident, 'openedBy' | 'openedAt' | 'byHand'>): string {
  if (byHand !== undefined) return `begun by ${byHand.actor}: ${byHand.reason}`;
  const lasted = (cause: IncidentCause): string => formatDuration(openedAt - cause.breachedSince);
  return openedBy
    .map((cause) => `${cause.trigger} = ${readingText(cause.value)} ${cause.threshold} for ${lasted(cause)}`)
    .join('; ');
}

/** With as many digits as people read. */
export function readingText(value: ReadingValue | null): string {
  if (value === null) return 'no value';
  return typeof value === 'number' ? shortNumber(value) : value;
}

export function labelText(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}="${value}"`)
    .join(', ');
}

function statusText(incident: Incident): string {
  const { phase } = incident;
  if (phase.kind === 'closed') return phase.outcome;
  const rung = `rung "${rungOf(incident)}"`;
  switch (phase.kind) {
    case 'fixing-forward':
      return `to be mended until ${formatInstant(phase.deadlineAt)}, else ${rung}`;
    case 'awaiting-approval':
      return `waiting for approval of ${rung}`;
    case 'entering':
      return `about to begin ${rung}`;
    case 'executing':
      return `${phase.part === 'do' ? 'executing' : 'undoing'} ${rung}`;
    case 'verifying':
      return `verifying ${rung}`;
    case 'asking':
      return `a person is asked at ${rung}`;
  }
}

/** Of a closed incident the last one that was walked. */
function rungOf({ phase, policy, walked }: Incident): string {
  if (phase.kind === 'closed') return walked?.at(-1)?.rung ?? '';
  return policy.ladder[phase.rung]?.name ?? walked?.at(-1)?.rung ?? '';
}

function commandOf(id: string, phase: Phase): string {
  if (phase.kind === 'awaiting-approval') return `revertd incidents approve ${id}`;
  if (phase.kind === 'fixing-forward') return `revertd incidents answer ${id} next|done`;
  if (phase.kind === 'asking') return `revertd incidents answer ${id} next|retry|done`;
  return phase.kind === 'closed' ? `revertd incidents report ${id}` : `revertd incidents show ${id}`;
}

import { formatThreshold } from '../model/trigger.ts';
import { formatInstant } from '../units.ts';
import { type Fact, type IncidentReport, ROOM_FOR_PEOPLE, type TriggerReadings } from './incident-report.ts';
import { markdownText } from './markdown-text.ts';
import { readingStatistics } from './reading-statistics.ts';
import type { RungReport } from './rung-reports.ts';
import { sparkline } from './sparkline.ts';

/** What happened, for the person who comes after the daemon; the last part is theirs. */
export function reportMarkdown(report: IncidentReport): string {
  return [
    `# ${report.id}: ${report.policy} on ${markdownText(report.host)}`,
    '',
    `**${report.state}** — ${markdownText(report.reason)}`,
    '',
    ...report.facts.map(factLine),
    '',
    '## What was breached',
    '',
    ...report.causes.map((cause) => `- ${markdownText(cause)}`),
    '',
    '## Times',
    '',
    ...report.times.map(factLine),
    '',
    '## What was done',
    '',
    ...(report.rungs.length === 0 ? ['Nothing.', ''] : report.rungs.flatMap(rungLines)),
    '## Readings',
    '',
    ...report.readings.flatMap(readingLines),
    '## Timeline',
    '',
    '| time (UTC) | since the breach | what | by |',
    '| --- | --- | --- | --- |',
    ...report.timeline.map(
      ({ at, since, text, actor }) =>
        `| ${formatInstant(at).slice(11, 23)} | ${since} | ${markdownText(text)} | ${markdownText(actor)} |`,
    ),
    '',
    '## Left to people',
    '',
    ...ROOM_FOR_PEOPLE.flatMap(({ heading, questions }) => [
      `### ${heading}`,
      '',
      ...questions.map((question) => `- ${question}:`),
      '',
    ]),
  ].join('\n');
}

function factLine({ name, value }: Fact): string {
  return `- ${name}: ${markdownText(value)}`;
}

function rungLines({ name, result, steps, verification }: RungReport): string[] {
  return [
    `- Rung **${markdownText(name)}**: ${result}`,
    ...steps.map(
      ({ text, outcome, took, detail }) =>
        `  - ${markdownText(text)}: ${outcome} in ${took}${detail === '' ? '' : ` (${markdownText(detail)})`}`,
    ),
    ...verification.map((reason) => `  - verification: ${markdownText(reason)}`),
    '',
  ];
}

function readingLines({ key, trigger, readings }: TriggerReadings): string[] {
  const head = `- ${markdownText(key)}, threshold ${markdownText(formatThreshold(trigger.threshold))}`;
  const values = readings.flatMap(({ mean }) => (mean === null || !Number.isFinite(mean) ? [] : [mean]));
  if (values.length === 0) return [`${head}: no values`, ''];
  return [
    `${head}: ${readingStatistics(readings)}`,
    '',
    '  ```text',
    `  ${sparkline(values, trigger.threshold)}`,
    '  ```',
    '',
  ];
}

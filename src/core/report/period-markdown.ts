import { formatDuration, formatInstant } from '../units.ts';
import { markdownText } from './markdown-text.ts';
import type { PeriodDrill, PeriodIncident, PeriodReport } from './period-report.ts';
import { periodRows, storageText } from './period-rows.ts';

/** The report over a period in Markdown. */
export function periodMarkdown(report: PeriodReport): string {
  const { host, from, to, now, before, storage, openHolds } = report;
  return [
    `# ${markdownText(host)}: ${formatInstant(from).slice(0, 16)} to ${formatInstant(to).slice(0, 16)} UTC`,
    '',
    ...table(
      ['', `last ${formatDuration(to - from)}`, 'before', 'trend'],
      periodRows(now, before).map((row) => [row.name, row.now, row.before, row.trend]),
    ),
    ...section(
      'Incidents',
      ['incident', 'policy', 'opened (UTC)', 'outcome', 'recovery', 'objective'],
      report.incidents.map(incidentRow),
    ),
    ...section(
      'Policies',
      ['policy', 'rollbacks', 'braked'],
      report.policies.map(({ policy, rollbacks, braked }) => [policy, String(rollbacks), String(braked)]),
    ),
    ...section(
      'Flags changed',
      ['flag', 'times', 'last', 'when (UTC)'],
      report.flags.map(({ flag, changes, last, lastAt }) => [flag, String(changes), last, minute(lastAt)]),
    ),
    ...section(
      'Refused',
      ['what', 'times', 'why, the last time'],
      report.refused.map(({ what, times, why }) => [what, String(times), why]),
    ),
    ...section(
      'Drills',
      ['drill', 'policy', 'ended (UTC)', 'outcome', 'took', 'objective', 'why'],
      report.drills.map(drillRow),
    ),
    ...section(
      'Holds now',
      ['kind', 'object', 'since (UTC)'],
      openHolds.map(({ kind, object, since }) => [kind, object, minute(since)]),
    ),
    '## Storage',
    '',
    storageText(storage),
    '',
  ].join('\n');
}

export function incidentRow({ id, policy, openedAt, outcome, recoveryMs, rtoMs }: PeriodIncident): string[] {
  const verdict = recoveryMs === null || rtoMs === null ? '' : recoveryMs <= rtoMs ? 'within ' : 'beyond ';
  return [
    id,
    policy,
    minute(openedAt),
    outcome,
    recoveryMs === null ? '–' : formatDuration(recoveryMs),
    rtoMs === null ? '–' : `${verdict}${formatDuration(rtoMs)}`,
  ];
}

export function drillRow({ drill, policy, mode, endedAt, outcome, durationMs, rtoMs, reason }: PeriodDrill): string[] {
  return [
    drill,
    `${policy} (${mode})`,
    minute(endedAt),
    outcome,
    formatDuration(durationMs),
    rtoMs === null ? '–' : formatDuration(rtoMs),
    reason,
  ];
}

export function minute(at: number): string {
  return formatInstant(at).slice(0, 16).replace('T', ' ');
}

function section(heading: string, head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  return [`## ${heading}`, '', ...(rows.length === 0 ? ['None.', ''] : table(head, rows))];
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]): string => `| ${cells.map(markdownText).join(' | ')} |`;
  return [line(head), `| ${head.map(() => '---').join(' | ')} |`, ...rows.map(line), ''];
}

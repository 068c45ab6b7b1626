import { writeFileSync } from 'node:fs';
import { periodHtml } from '../../core/report/period-html.ts';
import { incidentRow, minute, periodMarkdown } from '../../core/report/period-markdown.ts';
import type { PeriodReport } from '../../core/report/period-report.ts';
import { periodRows, storageText } from '../../core/report/period-rows.ts';
import { formatDuration, parseDuration } from '../../core/units.ts';
import type { PeriodAnswer } from '../../server/period.ts';
import { CliError, EXIT, type ExitCode } from '../exit-code.ts';
import { read } from '../host-access.ts';
import { configOf, type GlobalOptions } from '../setup.ts';
import { paint, type Terminal, table } from '../terminal.ts';

export type ReportOptions = GlobalOptions & {
  readonly period?: string;
  readonly markdown?: boolean;
  readonly html?: boolean;
  readonly out?: string;
};

/** What happened over a period: rollbacks, recovery times, flags, refusals, storage, each beside the period before. */
export async function report(options: ReportOptions, terminal: Terminal, version: string): Promise<ExitCode> {
  const period = options.period ?? '7d';
  const periodMs = parseDuration(period);
  if (periodMs === undefined)
    throw new CliError(`--period takes a duration such as 7d or 24h, not ${period}`, EXIT.usage);
  const config = configOf(options, terminal, process.env);
  const answer = await read<PeriodAnswer>(config, `report?periodMs=${periodMs}`, version);
  write(formatted(answer, options, terminal), options.out, terminal);
  return EXIT.done;
}

function formatted(answer: PeriodAnswer, options: ReportOptions, terminal: Terminal): string {
  if (options.json === true) return JSON.stringify(answer, null, 2);
  if (options.html === true) return periodHtml(answer);
  return options.markdown === true ? periodMarkdown(answer) : periodText(answer, terminal);
}

/** To a file, or to the terminal. @throws CliError if the file cannot be written. */
export function write(text: string, out: string | undefined, terminal: Terminal): void {
  if (out === undefined) {
    terminal.out(text.trimEnd());
    return;
  }
  try {
    writeFileSync(out, text.endsWith('\n') ? text : `${text}\n`);
  } catch (error) {
    throw new CliError(
      `${out} cannot be written: ${error instanceof Error ? error.message : String(error)}`,
      EXIT.error,
    );
  }
  terminal.err(`written: ${out}`);
}

function periodText(report: PeriodReport, terminal: Terminal): string {
  const { from, to, storage } = report;
  const rows = periodRows(report.now, report.before);
  const figures = table(
    [['', 'NOW', 'BEFORE', 'TREND'], ...rows.map((row) => [row.name, row.now, row.before, row.trend])],
    (cell, column, row) => {
      if (row === 0) return paint(terminal, 'dim', cell);
      const better = column === 3 ? (rows[row - 1]?.better ?? null) : null;
      return better === null ? cell : paint(terminal, better ? 'green' : 'red', cell);
    },
  );
  return [
    `${report.host}: ${minute(from)} to ${minute(to)} UTC (${formatDuration(to - from)}), beside the time before`,
    '',
    figures,
    ...part(
      terminal,
      'Incidents',
      ['INCIDENT', 'POLICY', 'OPENED', 'OUTCOME', 'RECOVERY', 'OBJECTIVE'],
      report.incidents.map(incidentRow),
    ),
    ...part(
      terminal,
      'Flags changed',
      ['FLAG', 'TIMES', 'LAST', 'WHEN'],
      report.flags.map(({ flag, changes, last, lastAt }) => [flag, String(changes), last, minute(lastAt)]),
    ),
    ...part(
      terminal,
      'Refused',
      ['WHAT', 'TIMES', 'WHY'],
      report.refused.map(({ what, times, why }) => [what, String(times), why]),
    ),
    ...part(
      terminal,
      'Holds now',
      ['KIND', 'OBJECT', 'SINCE'],
      report.openHolds.map(({ kind, object, since }) => [kind, object, minute(since)]),
    ),
    '',
    `Storage: ${storageText(storage)}`,
  ].join('\n');
}

function part(
  terminal: Terminal,
  heading: string,
  head: readonly string[],
  rows: readonly (readonly string[])[],
): string[] {
  if (rows.length === 0) return [];
  const lines = table([[...head], ...rows.map((row) => [...row])], (cell, _column, row) =>
    row === 0 ? paint(terminal, 'dim', cell) : cell,
  );
  return ['', heading, lines];
}

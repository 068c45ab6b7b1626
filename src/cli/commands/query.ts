import { fromReadingValue, type ReadingValue } from '../../core/observed.ts';
import { formatInstant, parseDuration } from '../../core/units.ts';
import type { QueryAnswer } from '../../daemon/observe/explore.ts';
import { CliError, EXIT, type ExitCode } from '../exit-code.ts';
import { daemonOf } from '../host-access.ts';
import { plot } from '../plot.ts';
import { configOf, type GlobalOptions } from '../setup.ts';
import { paint, type Terminal, table } from '../terminal.ts';

export type QueryOptions = GlobalOptions & { readonly range?: string; readonly step?: string; readonly plot?: boolean };

const DEFAULT_RANGE = '15m';
const POINTS_WANTED = 120;

/** Evaluates PromQL over the running daemon's samples. */
export async function query(expr: string, options: QueryOptions, terminal: Terminal): Promise<ExitCode> {
  const client = await daemonOf(configOf(options, terminal, process.env));
  const answer = await client.get<QueryAnswer>(`query?${parameters(expr, options)}`);
  if (options.json === true) terminal.out(JSON.stringify(answer, null, 2));
  else terminal.out(options.plot === true ? plotText(answer, terminal) : answerText(answer, terminal));
  for (const warning of answer.warnings) terminal.err(`${paint(terminal, 'yellow', 'warning')}: ${warning}`);
  return EXIT.done;
}

function parameters(expr: string, options: QueryOptions): string {
  const range = options.range ?? (options.plot === true ? DEFAULT_RANGE : undefined);
  if (range === undefined) return new URLSearchParams({ expr }).toString();
  const rangeMs = durationOf('--range', range);
  const stepMs =
    options.step === undefined
      ? Math.max(1_000, Math.round(rangeMs / POINTS_WANTED))
      : durationOf('--step', options.step);
  return new URLSearchParams({ expr, rangeMs: String(rangeMs), stepMs: String(stepMs) }).toString();
}

function durationOf(option: string, text: string): number {
  const span = parseDuration(text);
  if (span === undefined || span === 0)
    throw new CliError(`${option} ${text} is no duration; write 30s, 15m or 1h`, EXIT.usage);
  return span;
}

function answerText(answer: QueryAnswer, terminal: Terminal): string {
  if (answer.type === 'matrix') {
    if (answer.series.length === 0) return paint(terminal, 'dim', 'no data');
    return answer.series
      .map(({ labels, points }) =>
        [nameOf(labels), ...points.map(([at, value]) => `  ${formatInstant(at)}  ${value}`)].join('\n'),
      )
      .join('\n');
  }
  if (answer.elements.length === 0) return paint(terminal, 'dim', 'no data');
  return table(answer.elements.map(({ labels, value }) => [nameOf(labels), String(value)]));
}

function plotText({ series }: QueryAnswer, terminal: Terminal): string {
  const plotted = series.map(({ labels, points }) => ({
    name: nameOf(labels),
    points: points.map(([at, value]: readonly [number, ReadingValue]) => [at, fromReadingValue(value)] as const),
  }));
  return plot(plotted, Math.min(process.stdout.columns ?? 80, 120), terminal);
}

function nameOf(labels: Readonly<Record<string, string>>): string {
  const { __name__: name = '', ...rest } = labels;
  const pairs = Object.entries(rest).map(([key, value]) => `${key}=${JSON.stringify(value)}`);
  return pairs.length === 0 && name !== '' ? name : `${name}{${pairs.join(', ')}}`;
}

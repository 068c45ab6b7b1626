import { setTimeout as pause } from 'node:timers/promises';
import type { DrillResult, RehearsedItem, RungResult } from '../../core/model/drill.ts';
import { formatDuration, formatInstant, type Millis } from '../../core/units.ts';
import type { DrillStatus } from '../../server/drill-status.ts';
import type { Client } from '../client.ts';
import { CliError, EXIT, type ExitCode } from '../exit-code.ts';
import { daemonOf, read } from '../host-access.ts';
import { configOf, type GlobalOptions } from '../setup.ts';
import { paint, type Style, type Terminal, table } from '../terminal.ts';

const POLL_MS: Millis = 200;

/** Rehearses now, shows how it goes, and answers by its exit code how it went. */
export async function drill(name: string, options: GlobalOptions, terminal: Terminal): Promise<ExitCode> {
  const client = await daemonOf(configOf(options, terminal, process.env));
  const path = `drills/${encodeURIComponent(name)}`;
  const { run } = await client.post<{ run: string }>(path, {});
  const result = await follow(client, path, run, (rung, item) => {
    if (options.json !== true) terminal.err(itemText(rung, item, terminal));
  });
  terminal.out(options.json === true ? JSON.stringify(result, null, 2) : resultText(name, result, terminal));
  return exitCodeOf(result);
}

/** Looks again and again; each thing that was gone through is told once. */
async function follow(
  client: Client,
  path: string,
  run: string,
  tell: (rung: string, item: RehearsedItem) => void,
): Promise<DrillResult> {
  const told = new Map<string, number>();
  const tellNew = (rungs: readonly Pick<RungResult, 'rung' | 'items'>[]): void => {
    for (const { rung, items } of rungs) {
      for (const item of items.slice(told.get(rung) ?? 0)) tell(rung, item);
      told.set(rung, items.length);
    }
  };
  for (;;) {
    const { running, last } = await client.get<DrillStatus>(path);
    if (running?.id === run) tellNew(running.rungs);
    else if (last?.id === run) {
      tellNew(last.rungs);
      return last;
    } else
      throw new CliError(`${run} is not there any more; \`revertd explain Drill/…\` shows what happened`, EXIT.error);
    await pause(POLL_MS);
  }
}

/** An inconclusive drill has done a part of what was asked. */
function exitCodeOf({ outcome }: DrillResult): ExitCode {
  switch (outcome) {
    case 'successful':
      return EXIT.done;
    case 'inconclusive':
      return EXIT.partial;
    case 'failed':
    case 'aborted':
    case 'interrupted':
      return EXIT.error;
  }
}

const STYLES = {
  successful: 'green',
  inconclusive: 'yellow',
  failed: 'red',
  aborted: 'yellow',
  interrupted: 'yellow',
} as const satisfies Record<DrillResult['outcome'], Style>;

function itemText(rung: string, { outcome, summary, detail, durationMs }: RehearsedItem, terminal: Terminal): string {
  const shown = paint(terminal, STYLES[outcome], outcome.padEnd('inconclusive'.length));
  const lines = detail === '' ? [] : detail.split('\n').map((line) => `    ${line}`);
  return [`${shown}  ${rung}: ${summary} (${formatDuration(durationMs)})`, ...lines].join('\n');
}

function resultText(name: string, result: DrillResult, terminal: Terminal): string {
  const { outcome, durationMs, rtoMs, beforeMs, reason, rungs, mode } = result;
  const rows = rungs.map((one) => [one.rung, one.outcome, formatDuration(one.durationMs)]);
  return [
    `Drill ${name} (${mode}): ${paint(terminal, STYLES[outcome], outcome)}${reason === '' ? '' : `: ${reason}`}`,
    `  took       ${formatDuration(durationMs)}${rtoMs === null ? '' : `, objective ${formatDuration(rtoMs)}`}`,
    ...(beforeMs === null ? [] : [`  before     ${formatDuration(beforeMs)}`]),
    ...(rows.length === 0
      ? []
      : table(rows)
          .split('\n')
          .map((line) => `  ${line}`)),
  ].join('\n');
}

export async function drillsList(options: GlobalOptions, terminal: Terminal, version: string): Promise<ExitCode> {
  const config = configOf(options, terminal, process.env);
  const answer = await read<{ drills: DrillStatus[] }>(config, 'drills', version);
  if (options.json === true) terminal.out(JSON.stringify(answer, null, 2));
  else if (answer.drills.length === 0) terminal.err('The policies have no drill.');
  else {
    const rows = answer.drills.map((one) => [
      one.drill,
      one.policy,
      one.mode,
      nextText(one),
      one.lastText ?? 'never yet',
    ]);
    terminal.out(
      table([['DRILL', 'POLICY', 'MODE', 'NEXT', 'LAST'], ...rows], (cell, _column, row) =>
        row === 0 ? paint(terminal, 'dim', cell) : cell,
      ),
    );
  }
  return EXIT.done;
}

export function nextText({ running, suspended, schedule, dueAt, nextAt }: DrillStatus): string {
  if (running !== null) return 'under way';
  if (suspended) return 'suspended';
  if (dueAt !== null) return `due since ${formatInstant(dueAt).slice(0, 16)}`;
  if (schedule === null) return 'by hand';
  return nextAt === null ? 'never' : formatInstant(nextAt).slice(0, 16);
}

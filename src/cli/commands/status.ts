import { shortRevision } from '../../core/model/revision.ts';
import { formatDuration, type Millis } from '../../core/units.ts';
import type { DrillStatus } from '../../server/drill-status.ts';
import type { IncidentStatus, Status, TriggerStatus } from '../../server/status.ts';
import { shownCommit, type TargetStatus } from '../../server/target-status.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { read } from '../host-access.ts';
import { configOf, type GlobalOptions } from '../setup.ts';
import { paint, type Style, type Terminal, table } from '../terminal.ts';
import { nextText } from './drills.ts';
import { newestText, pointRows } from './status-points.ts';

/** How the host stands: policies, triggers, flags, incidents, holds, and what needs attention. */
export async function status(options: GlobalOptions, terminal: Terminal, version: string): Promise<ExitCode> {
  const config = configOf(options, terminal, process.env);
  const found = await read<Status>(config, 'status', version);
  terminal.out(options.json === true ? JSON.stringify(found, null, 2) : statusText(found, terminal, Date.now()));
  return EXIT.done;
}

export function statusText(found: Status, terminal: Terminal, now: Millis): string {
  return [
    ...headLines(found, terminal, now),
    ...section('Needs attention', attentionLines(found, terminal)),
    ...section('Incidents', incidentRows(found, now)),
    ...section('Triggers', triggerRows(found.triggers, terminal, now)),
    ...section('Flags', flagRows(found, terminal)),
    ...section('Targets', targetRows(found, now)),
    ...section('Points', pointRows(found.points, now)),
    ...section('Drills', drillRows(found.drills)),
    ...section(
      'Holds',
      found.holds.map((hold) => `${hold.id}: ${JSON.stringify(hold.value)}, ${hold.cause}; lifts when ${hold.lifts}`),
    ),
    ...section('Sources', sourceRows(found, terminal, now)),
  ].join('\n');
}

function headLines(found: Status, terminal: Terminal, now: Millis): string[] {
  const running = found.live
    ? `${paint(terminal, 'green', 'running')}${found.startedAt === null ? '' : ` for ${formatDuration(now - found.startedAt)}`}`
    : paint(terminal, 'yellow', 'no daemon runs; this is what it left');
  const lines = [
    `${paint(terminal, 'bold', found.host)}  revertd ${found.version}, ${running}`,
    `Policies: ${found.policies?.source ?? 'as stored'} at ${found.revision === null ? 'no revision yet' : shortRevision(found.revision)}`,
  ];
  const trouble = found.policies?.trouble;
  if (trouble) {
    const subject =
      trouble.kind === 'refused'
        ? `revision ${shortRevision(trouble.revision ?? '')} was refused`
        : 'cannot be reached';
    lines.push(paint(terminal, 'red', `          ${subject} (${trouble.code}): ${trouble.message}`));
    lines.push(...trouble.diagnostics.map((line) => `          ${line}`));
  }
  return lines;
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0
    ? []
    : ['', `${title}:`, ...lines.flatMap((line) => line.split('\n')).map((line) => `  ${line}`)];
}

function attentionLines(found: Status, terminal: Terminal): string[] {
  return found.conditions
    .filter((condition) => condition.needsAttention)
    .map(({ type, object, message }) => `${paint(terminal, 'red', type)} ${object}: ${message}`);
}

function incidentRows(found: Status, now: Millis): string[] {
  if (found.incidents.length === 0) return [];
  return [
    table(
      found.incidents.map((one) => [
        one.id,
        one.policy,
        `${one.state}${one.rung === null ? '' : ` rung "${one.rung}"`}${countdown(one, now)}`,
        `opened ${formatDuration(now - one.openedAt)} ago`,
        one.reason,
      ]),
    ),
  ];
}

/** How long the state may still last. */
function countdown({ deadlineAt }: IncidentStatus, now: Millis): string {
  if (deadlineAt === null) return '';
  return deadlineAt > now ? `, ${formatDuration(deadlineAt - now)} left` : ', its time is up';
}

const STATE_STYLES = {
  firing: 'red',
  pending: 'yellow',
  unknown: 'magenta',
  inactive: 'green',
} as const satisfies Record<TriggerStatus['state'], Style>;

function triggerRows(triggers: readonly TriggerStatus[], terminal: Terminal, now: Millis): string[] {
  if (triggers.length === 0) return [];
  const rows = triggers.map((trigger) => [
    trigger.trigger,
    trigger.state,
    `${shown(trigger.value)} (${trigger.threshold})`,
    trigger.state === 'pending'
      ? `fires in ${formatDuration(Math.max(0, trigger.forMs - trigger.breachedMs))}`
      : trigger.since === null
        ? 'not evaluated yet'
        : `for ${formatDuration(Math.max(0, now - trigger.since))}`,
  ]);
  return [
    table(rows, (cell, column, row) => {
      const state = triggers[row]?.state;
      return column === 1 && state !== undefined ? paint(terminal, STATE_STYLES[state], cell) : cell;
    }),
  ];
}

export function shown(value: TriggerStatus['value']): string {
  if (typeof value !== 'number') return typeof value === 'string' ? value : 'no value';
  return Number.isInteger(value) ? String(value) : value.toPrecision(4);
}

function flagRows(found: Status, terminal: Terminal): string[] {
  if (found.flags.length === 0) return [];
  const rows = found.flags.map((flag) => [
    flag.flag,
    flag.effective,
    flag.because === null ? `as git says (${flag.origin})` : `git says ${flag.git}, but ${flag.because}`,
    flag.places.map((place) => place.state).join(', '),
  ]);
  return [
    table(rows, (cell, column, row) =>
      column === 1 && found.flags[row]?.because !== null ? paint(terminal, 'yellow', cell) : cell,
    ),
  ];
}

function sourceRows(found: Status, terminal: Terminal, now: Millis): string[] {
  if (found.sources.length === 0) return [];
  const rows = found.sources.map((source) => [
    source.source,
    source.target,
    source.state,
    source.lastAt === undefined
      ? ''
      : `${source.samples} samples ${formatDuration(Math.max(0, now - source.lastAt))} ago`,
    source.lastError?.message ?? '',
  ]);
  return [
    table(rows, (cell, column, row) =>
      column === 2 ? paint(terminal, found.sources[row]?.state === 'up' ? 'green' : 'red', cell) : cell,
    ),
  ];
}

function targetRows({ targets, points }: Status, now: Millis): string[] {
  if (targets.length === 0) return [];
  return [
    table(
      targets.map((target) => {
        const newest = points.targets.find((one) => one.target === target.target);
        const texts = newest === undefined ? targetText(target, now) : [newestText(newest)];
        return [target.target, target.state, ...texts];
      }),
    ),
  ];
}

/** What it is at, and how that stands. */
export function targetText(target: TargetStatus, now: Millis): string[] {
  const since = target.since === null ? '' : ` for ${formatDuration(Math.max(0, now - target.since))}`;
  const tracks = target.tracks === null ? '' : `${target.tracks.ref} is at ${shownCommit(target.tracks.revision)}`;
  return [
    `at ${shownCommit(target.revision)}${since}${target.changed ? ', with changes by hand' : ''}`,
    goodText(target, now),
    tracks,
  ];
}

function goodText(target: TargetStatus, now: Millis): string {
  if (target.good) return 'good';
  const back = target.lastGood === null ? 'nothing good to go back to' : `last good ${shownCommit(target.lastGood)}`;
  if (target.goodAt === null) return `not good yet; ${back}`;
  return `good in ${formatDuration(Math.max(0, target.goodAt - now))}; ${back}`;
}

function drillRows(drills: readonly DrillStatus[]): string[] {
  if (drills.length === 0) return [];
  return [table(drills.map((one) => [one.drill, one.policy, nextText(one), one.lastText ?? 'never yet']))];
}

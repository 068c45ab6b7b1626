import { formatBytes } from '../../core/report/period-rows.ts';
import type { CalendarSpan } from '../../core/retention/local-time.ts';
import { formatDuration, formatInstant } from '../../core/units.ts';
import type { PointPolicyStatus, ScheduleStatus } from '../../server/point-policy-status.ts';
import type { PointDetail, PointStatus } from '../../server/point-status.ts';
import type { TargetStatus } from '../../server/target-status.ts';
import { paint, type Terminal, table } from '../terminal.ts';

export type TargetPoints = {
  readonly policies: readonly string[];
  readonly count: number;
  readonly valid: number;
  readonly newestValid: PointStatus | null;
  readonly ageMs: number | null;
  readonly holds: readonly { readonly id: string; readonly cause: string }[];
};

/** More are counted, and listed by `points list`. */
const POINTS_SHOWN = 30;

export function pointPolicyLines(policy: PointPolicyStatus, terminal: Terminal): string[] {
  const { points, valid, storedBytes, wouldPrune, failures } = policy;
  const more = points.length - POINTS_SHOWN;
  return [
    `  defined in  ${policy.origin}${policy.suspended ? ', suspended' : ''}`,
    `  captures    ${policy.targets.join(', ')} (${policy.consistency}, ${policy.compression})`,
    `  takes       ${takesText(policy)}`,
    `  reads again ${policy.verify === null ? 'only by hand' : `${scheduleText(policy.verify)}${policy.verify.restoreTest ? ', restored beside the live system' : ''}`}`,
    `  keeps       ${keepsText(policy)}`,
    `  has         ${points.length} point(s), ${valid} of them valid, ${formatBytes(storedBytes)} in the store`,
    `  prune       ${pruneText(wouldPrune)}`,
    ...failures.map(
      ({ point, state, failure }) => `  ${paint(terminal, 'red', state.padEnd(11))} ${point}: ${failure}`,
    ),
    ...(points.length === 0 ? [] : ['', 'Points:', ...indented(table(points.slice(0, POINTS_SHOWN).map(pointRow)))]),
    ...(more > 0 ? [`  and ${more} more; \`revertd points list\` shows all`] : []),
  ];
}

function takesText({ take, before, after, timezone }: PointPolicyStatus): string {
  const when = [
    ...(take === null ? [] : [`${scheduleText(take)} (${timezone})`]),
    ...before.map((what) => `before a ${what}`),
    ...after.map((what) => `after a ${what}`),
  ];
  return when.join(', ') || 'only by hand, or by a rung';
}

function scheduleText({ schedule, dueAt, nextAt }: ScheduleStatus): string {
  if (dueAt !== null) return `${schedule}: due since ${formatInstant(dueAt)}`;
  return nextAt === null ? schedule : `${schedule}: next at ${formatInstant(nextAt)}`;
}

function keepsText({ retain, ttlMs }: PointPolicyStatus): string {
  const rules = Object.entries(retain).flatMap(([rule, value]) =>
    value === undefined ? [] : [`${rule} ${valueText(rule, value)}`],
  );
  return [...rules, ...(ttlMs === null ? [] : [`at most ${formatDuration(ttlMs)}`])].join(', ') || 'everything';
}

function valueText(rule: string, value: number | CalendarSpan): string {
  if (typeof value === 'number') return rule === 'maxBytes' ? formatBytes(value) : String(value);
  const { years, months, days, ms } = value;
  const parts = [years > 0 ? `${years}y` : '', months > 0 ? `${months}mo` : '', days > 0 ? `${days}d` : ''];
  return [...parts, ms > 0 ? formatDuration(ms) : ''].filter((part) => part !== '').join(' ');
}

function pruneText(run: PointPolicyStatus['wouldPrune']): string {
  if (run === null) return 'nothing would go now';
  const held = run.isTooMuch
    ? `; that is more than ${run.maxFraction} of ${run.of} at once, so a person has to confirm it`
    : '';
  return `${run.points.map(({ id, reason }) => `${id} (${reason})`).join(', ')} would go now${held}`;
}

function pointRow(point: PointStatus): string[] {
  const verdict = `${point.kept ? 'kept' : 'goes'}: ${point.reasons.join('; ')}`;
  return [point.point, point.state, point.guarded ? 'protected' : '', `${verdict}${changesText(point)}`];
}

function changesText({ changesAt }: PointStatus): string {
  return changesAt === null ? '' : ` (until ${formatInstant(changesAt)})`;
}

/** Why it is there, what keeps it, and until when. */
export function pointLines(point: PointDetail): string[] {
  const changes = point.changesAt === null ? 'not by time alone' : `at ${formatInstant(point.changesAt)}`;
  return [
    `  taken       ${formatInstant(point.createdAt)} ${point.cause}`,
    `  policy      ${point.policy ?? 'none'}`,
    `  state       ${point.state}${point.failure === null ? '' : `: ${point.failure}`}`,
    `  ${point.kept ? 'kept' : 'goes'}        ${point.reasons.join('; ') || 'nothing is decided of it'}${point.guarded ? ' (protected)' : ''}`,
    `  changes     ${changes}`,
    ...(point.expiresAt === null ? [] : [`  expires     ${formatInstant(point.expiresAt)}`]),
    ...(point.deleteAt === null ? [] : [`  deleted     ${formatInstant(point.deleteAt)}; brought back until then`]),
    `  verified    ${point.verifiedAt === null ? 'never' : formatInstant(point.verifiedAt)}`,
    ...point.snapshots.map(
      ({ target, type, bytes, from, to }) =>
        `  holds       ${target} (${type}), ${formatBytes(bytes)}, ${formatInstant(from)} to ${formatInstant(to)}`,
    ),
  ];
}

export function targetPointLines(target: TargetStatus, points: TargetPoints): string[] {
  const { newestValid, ageMs, policies, count, valid, holds } = points;
  return [
    `  defined in  ${target.origin}${target.suspended ? ', suspended' : ''}`,
    `  ${target.type.padEnd(11)} ${target.path}: ${target.state}`,
    `  captured by ${policies.length === 0 ? 'no PointPolicy' : policies.join(', ')}`,
    `  points      ${count}, ${valid} of them valid`,
    ...(newestValid === null
      ? ['  newest      no valid point yet']
      : [
          `  newest      ${newestValid.point}, ${formatDuration(ageMs ?? 0)} old`,
          `  kept        ${newestValid.reasons.join('; ')}`,
        ]),
    ...holds.map(({ id, cause }) => `  held        ${id}: ${cause}`),
    ...(target.owed === 0 ? [] : [`  owed        ${target.owed} step(s) until it is effective`]),
  ];
}

function indented(text: string): string[] {
  return text.split('\n').map((line) => `  ${line}`);
}

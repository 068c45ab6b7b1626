import type { PointPolicy, RetainRules } from '../core/model/point-policy.ts';
import type { CalendarSpan } from '../core/retention/local-time.ts';
import { formatDuration, type Millis, parseDuration } from '../core/units.ts';
import { type BuildContext, durationAt, fault, faultAtKey, valueOrigin } from './build-context.ts';
import { buildPointCopies } from './build-point-copies.ts';
import { dueTimes } from './due-times.ts';
import { hasVariable } from './host-variables.ts';
import type { Path } from './path.ts';
import type { RawDocument, RawPointPolicy, RawRetain } from './raw-documents.ts';
import { isTimezone, scheduleFault } from './schedule.ts';
import { parseSize } from './size-text.ts';

const DEFAULT_MAX_FRACTION = 0.5;
const DEFAULT_GRACE_MS: Millis = 24 * 3_600_000;
const SHORTEST_TTL = { ms: 60_000, text: '1m' } as const;
const DAY_MS: Millis = 86_400_000;

/** How far each counted rule reaches back for each of its periods, at most. */
const REACH_MS = {
  hourly: 3_600_000,
  daily: DAY_MS,
  weekly: 7 * DAY_MS,
  monthly: 31 * DAY_MS,
  yearly: 366 * DAY_MS,
} as const;

export function buildPointPolicy(context: BuildContext, { metadata, spec }: RawDocument<RawPointPolicy>): PointPolicy {
  for (const [index, name] of spec.targets.entries()) {
    const origin = valueOrigin(context, ['spec', 'targets', index]);
    context.references.push({ kind: 'Target', name, origin });
  }
  const timezone = spec.timezone ?? 'UTC';
  const policy: PointPolicy = {
    name: metadata.name,
    origin: valueOrigin(context, []),
    suspend: spec.suspend ?? false,
    targets: spec.targets,
    consistency: spec.consistency ?? 'live',
    timezone,
    take: {
      schedule: spec.take?.schedule ?? null,
      before: spec.take?.before ?? [],
      after: spec.take?.after ?? [],
    },
    ttlMs: spec.ttl === undefined ? null : durationAt(context, ['spec', 'ttl'], spec.ttl, DAY_MS, SHORTEST_TTL),
    retain: buildRetain(context, spec.retain ?? {}),
    prune: {
      maxFraction: spec.prune?.maxFraction ?? DEFAULT_MAX_FRACTION,
      graceMs: durationAt(context, ['spec', 'prune', 'grace'], spec.prune?.grace, DEFAULT_GRACE_MS),
    },
    compression: spec.compression ?? 'zstd',
    verify:
      spec.verify === undefined
        ? null
        : { schedule: spec.verify.schedule, restoreTest: spec.verify.restoreTest ?? false },
    copies: buildPointCopies(context, spec.copies ?? []),
  };
  checkCalendar(context, spec, timezone);
  checkRetention(context, spec, policy);
  return policy;
}

function buildRetain(context: BuildContext, raw: RawRetain): RetainRules {
  const { within, maxBytes, ...counts } = raw;
  const span = within === undefined ? undefined : spanAt(context, ['spec', 'retain', 'within'], within);
  const bytes = maxBytes === undefined || hasVariable(maxBytes) ? undefined : parseSize(maxBytes);
  if (maxBytes !== undefined && !hasVariable(maxBytes) && (bytes === undefined || bytes === 0)) {
    const message = `\`maxBytes\` is not a size such as 10GiB: found "${maxBytes}"`;
    fault(context, ['spec', 'retain', 'maxBytes'], 'E-UNIT', { message, found: maxBytes });
  }
  return {
    ...counts,
    ...(span === undefined ? {} : { within: span }),
    ...(bytes === undefined ? {} : { maxBytes: bytes }),
  };
}

const WITHIN_PART = /(\d+(?:\.\d+)?)(ms|s|m|h|d|w)/g;

/** Whole days and weeks are those of the calendar, as restic takes them; everything else is time that passes. */
function spanAt(context: BuildContext, path: Path, text: string): CalendarSpan | undefined {
  const spanMs = durationAt(context, path, text, DAY_MS, { ms: 1_000, text: '1s' });
  if (hasVariable(text) || parseDuration(text) === undefined) return undefined;
  let days = 0;
  for (const [, amount, unit] of text.matchAll(WITHIN_PART)) {
    const count = Number(amount);
    if ((unit === 'd' || unit === 'w') && Number.isInteger(count)) days += unit === 'w' ? 7 * count : count;
  }
  return { years: 0, months: 0, days, ms: spanMs - days * DAY_MS };
}

function checkCalendar(context: BuildContext, spec: RawPointPolicy, timezone: string): void {
  if (hasVariable(timezone)) return;
  if (!isTimezone(timezone)) {
    const message = `there is no time zone "${timezone}"; write an IANA name`;
    fault(context, ['spec', 'timezone'], 'E-SCHEDULE', { message, found: timezone });
    return;
  }
  const places = [
    [['spec', 'take', 'schedule'], spec.take?.schedule],
    [['spec', 'verify', 'schedule'], spec.verify?.schedule],
  ] as const;
  for (const [path, schedule] of places) {
    if (schedule !== undefined && !hasVariable(schedule)) checkSchedule(context, path, schedule, timezone);
  }
}

function checkSchedule(context: BuildContext, path: Path, schedule: string, timezone: string): void {
  const message = scheduleFault({ schedule, timezone });
  if (message !== null) fault(context, path, 'E-SCHEDULE', { message, found: schedule });
  else if (dueTimes({ schedule, timezone }, 0).next === null) {
    fault(context, path, 'E-SCHEDULE', { message: `the schedule "${schedule}" never comes`, found: schedule });
  }
}

/** A policy that keeps nothing on purpose does not exist; one that promises more than its ceiling allows misleads. */
function checkRetention(context: BuildContext, spec: RawPointPolicy, { ttlMs }: PointPolicy): void {
  const rules = Object.keys(spec.retain ?? {});
  if (spec.retain !== undefined && rules.length === 0) {
    const message = '`retain` is empty: it says nothing; write a rule such as `daily: 30`, or leave it out';
    faultAtKey(context, ['spec', 'retain'], 'E-RETAIN', message);
    return;
  }
  if (spec.retain === undefined && spec.ttl === undefined) {
    const message = 'it is not said how long points live: write `ttl`, or rules such as `retain: {daily: 30}`';
    faultAtKey(context, ['spec'], 'E-RETAIN', message);
    return;
  }
  if (ttlMs === null || spec.ttl === undefined || hasVariable(spec.ttl)) return;
  for (const [rule, text, reachMs] of reachesOf(spec.retain ?? {})) {
    if (reachMs <= ttlMs) continue;
    const message = `\`${rule}: ${text}\` keeps points for up to ${formatDuration(reachMs)}, beyond \`ttl: ${spec.ttl}\`, which ends them before; raise \`ttl\`, or keep fewer`;
    fault(context, ['spec', 'retain', rule], 'E-RETAIN', {
      message,
      found: String(text),
      expected: `at most ${spec.ttl}`,
    });
  }
}

function reachesOf(retain: RawRetain): [rule: string, text: string | number, reachMs: Millis][] {
  const counted = (['hourly', 'daily', 'weekly', 'monthly', 'yearly'] as const).flatMap(
    (rule): [string, number, Millis][] => {
      const count = retain[rule];
      return count === undefined ? [] : [[rule, count, count * REACH_MS[rule]]];
    },
  );
  const withinMs = retain.within === undefined ? undefined : parseDuration(retain.within);
  return withinMs === undefined || retain.within === undefined
    ? counted
    : [...counted, ['within', retain.within, withinMs]];
}

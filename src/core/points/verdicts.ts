import type { Point, PointId } from '../model/point.ts';
import { isRecovered, isUnderWay, isValid } from '../model/point.ts';
import type { PointPolicy } from '../model/point-policy.ts';
import { reasonsToKeep } from '../retention/keep-rules.ts';
import { formatDuration, formatInstant, type Millis } from '../units.ts';
import { describeKeepReason, zoneCalled } from './keep-words.ts';

/** What becomes of a point, and why, in words. */
export type Verdict =
  /** `guarded`: whatever its policy says. */
  | { readonly kind: 'keep'; readonly reasons: readonly string[]; readonly guarded: boolean }
  | { readonly kind: 'prune'; readonly reason: string };

export type Judged = {
  readonly verdicts: ReadonlyMap<PointId, Verdict>;
  /** Those that are to be pruned, each with the reason. */
  readonly doomed: readonly (readonly [PointId, reason: string])[];
  /** Until when time alone changes none of it; null: it never does. */
  readonly until: Millis | null;
};

/** Why points that the retention would prune are kept all the same; see `protections.ts`. */
export type Protections = ReadonlyMap<PointId, readonly string[]>;

/** A point that failed or is invalid is shown for so long, for people to look at. */
export const FAILED_SHOWN_MS: Millis = 7 * 86_400_000;

/**
 * What is to be kept of the points that are not pruned yet. A point is kept if its time lies in the future, if nobody
 * knows yet what becomes of it, if it is protected, or if its policy keeps it. Depends on nothing but its arguments, and
 * not on the order of points. An earlier `now` never prunes more. `mostOfNoPolicy`: beyond so many points that belong to no
 * policy the oldest go.
 */
export function judgePoints(
  points: readonly Point[],
  policies: Readonly<Record<string, PointPolicy>>,
  protections: Protections,
  now: Millis,
  mostOfNoPolicy = Infinity,
): Judged {
  const live = points.filter(({ state }) => state !== 'pruned').sort(newestFirst);
  const newest = newestOfTargets(live, now);
  const kept = keptByPolicies(live, policies, now);
  const verdicts = new Map<PointId, Verdict>();
  for (const point of live) {
    const guards = [...guardsOf(point, now), ...(newest.get(point.id) ?? []), ...(protections.get(point.id) ?? [])];
    verdicts.set(
      point.id,
      guards.length > 0 ? { kind: 'keep', reasons: guards, guarded: true } : verdictOf(point, policies, kept, now),
    );
  }
  limit(live, policies, verdicts, now, mostOfNoPolicy);
  const doomed = [...verdicts].flatMap(([id, verdict]) =>
    verdict.kind === 'prune' ? [[id, verdict.reason] as const] : [],
  );
  return { verdicts, doomed, until: nextBoundary(live, policies, now) };
}

/** The same order for the same points, also where two were begun at the same instant. */
export function newestFirst(a: Point, b: Point): number {
  if (a.createdAt !== b.createdAt) return b.createdAt - a.createdAt;
  return a.id < b.id ? 1 : a.id > b.id ? -1 : 0;
}

function guardsOf({ createdAt, pinned, state }: Point, now: Millis): string[] {
  const guards: string[] = [];
  if (pinned !== null) guards.push(`pinned by ${pinned.by}${pinned.reason === undefined ? '' : `: ${pinned.reason}`}`);
  if (createdAt > now) guards.push('its time lies in the future');
  if (isUnderWay({ state })) guards.push(`it is ${state}`);
  return guards;
}

/** By target, its newest valid point that is whole and not in the future; `points` come newest first. */
export function newestValidPoints(points: Iterable<Point>, now: Millis): ReadonlyMap<string, Point> {
  const newest = new Map<string, Point>();
  for (const point of points) {
    if (!isValid(point) || point.createdAt > now) continue;
    for (const { target, recovered } of point.snapshots) {
      if (recovered === undefined && !newest.has(target)) newest.set(target, point);
    }
  }
  return newest;
}

/** The newest valid point of each target is never pruned, whatever a policy says. */
function newestOfTargets(live: readonly Point[], now: Millis): ReadonlyMap<PointId, readonly string[]> {
  const reasons = new Map<PointId, string[]>();
  for (const [target, { id }] of newestValidPoints(live, now)) {
    reasons.set(id, [...(reasons.get(id) ?? []), `the newest valid point of ${target}`]);
  }
  return reasons;
}

/**
 * By point, what rules of its policy keep it. Only valid points count; those in the future take nobody's place, and what
 * was only recovered takes none either.
 */
function keptByPolicies(
  live: readonly Point[],
  policies: Readonly<Record<string, PointPolicy>>,
  now: Millis,
): ReadonlyMap<PointId, readonly string[]> {
  const kept = new Map<PointId, readonly string[]>();
  const counted = live.filter((point) => isCounted(point, now));
  for (const [name, group] of Map.groupBy(counted, ({ policy }) => policy)) {
    const policy = name === null ? undefined : policies[name];
    if (policy === undefined) continue;
    const zone = zoneCalled(policy.timezone);
    const times = group.map(({ createdAt }) => createdAt);
    // The newest one is itself not in the future, and `within` counts from what is strictly before.
    const reasons = reasonsToKeep(times, policy.retain, zone, now + 1);
    for (const [index, point] of group.entries()) {
      const found = reasons.get(index);
      if (found !== undefined) {
        kept.set(
          point.id,
          found.map((reason) => describeKeepReason(reason, zone, point.createdAt)),
        );
      }
    }
  }
  return kept;
}

function verdictOf(
  point: Point,
  policies: Readonly<Record<string, PointPolicy>>,
  kept: ReadonlyMap<PointId, readonly string[]>,
  now: Millis,
): Verdict {
  if (!isValid(point)) return verdictOfFailed(point, now);
  const policy = point.policy === null ? undefined : policies[point.policy];
  if (point.policy !== null && policy === undefined) {
    return keep(`orphaned: git no longer has PointPolicy ${point.policy}, and prunes none of its points`);
  }
  if (policy?.suspend === true) return keep(`PointPolicy ${policy.name} is suspended`);
  const expiresAt = expiryOf(point, policy);
  if (expiresAt !== null && now >= expiresAt) return prune(`its time to live ended at ${formatInstant(expiresAt)}`);
  const until = expiresAt === null ? 'it has no end' : `it lives until ${formatInstant(expiresAt)}`;
  if (isRecovered(point)) return keep(`it is what could be recovered of a damaged database; ${until}`);
  if (policy === undefined || !hasKeepRules(policy)) return keep(until);
  const reasons = kept.get(point.id);
  return reasons === undefined
    ? prune(`no rule of PointPolicy ${policy.name} keeps it`)
    : { kind: 'keep', reasons, guarded: false };
}

function verdictOfFailed({ state, createdAt }: Point, now: Millis): Verdict {
  const shown = formatDuration(FAILED_SHOWN_MS);
  return now >= createdAt + FAILED_SHOWN_MS
    ? prune(`it is ${state}, and was shown for ${shown}`)
    : keep(`it is ${state}; it is shown for ${shown}`);
}

function isCounted(point: Point, now: Millis): boolean {
  return isValid(point) && point.createdAt <= now && !isRecovered(point);
}

/** When its time to live ends, counted from completion; null without one. Its policy's is a ceiling for all its points. */
export function expiryOf({ completedAt, ttlMs }: Point, policy: PointPolicy | undefined): Millis | null {
  const spans = [ttlMs, policy?.ttlMs ?? null].filter((span) => span !== null);
  return completedAt === null || spans.length === 0 ? null : completedAt + Math.min(...spans);
}

export function hasKeepRules({ retain }: PointPolicy): boolean {
  const { maxPoints: _points, maxBytes: _bytes, ...rules } = retain;
  return Object.values(rules).some((rule) => rule !== undefined);
}

/** Beyond a policy's limits the oldest go, of what its rules keep. What is guarded counts, and stays. */
function limit(
  live: readonly Point[],
  policies: Readonly<Record<string, PointPolicy>>,
  verdicts: Map<PointId, Verdict>,
  now: Millis,
  mostOfNoPolicy: number,
): void {
  const used = new Map<string | null, { readonly points: number; readonly bytes: number }>();
  for (const point of live) {
    const limits = limitsOf(point, policies, mostOfNoPolicy);
    const verdict = verdicts.get(point.id);
    if (limits === null || !isCounted(point, now)) continue;
    if (verdict?.kind !== 'keep') continue;
    const before = used.get(point.policy) ?? { points: 0, bytes: 0 };
    const after = { points: before.points + 1, bytes: before.bytes + storedBytesOf(point) };
    used.set(point.policy, after);
    const over = exceeded(limits, after);
    if (over !== null && !verdict.guarded) verdicts.set(point.id, prune(over));
  }
}

/** `whose`: who says so. */
type Limits = { readonly whose: string; readonly maxPoints: number; readonly maxBytes: number };

function limitsOf(
  { policy: name }: Point,
  policies: Readonly<Record<string, PointPolicy>>,
  mostOfNoPolicy: number,
): Limits | null {
  if (name === null) return { whose: 'the host', maxPoints: mostOfNoPolicy, maxBytes: Infinity };
  const policy = policies[name];
  if (policy === undefined || policy.suspend) return null;
  const { maxPoints = Infinity, maxBytes = Infinity } = policy.retain;
  return { whose: `PointPolicy ${name}`, maxPoints, maxBytes };
}

function exceeded(
  { whose, maxPoints, maxBytes }: Limits,
  used: { readonly points: number; readonly bytes: number },
): string | null {
  if (used.points > maxPoints) return `${whose} keeps at most ${maxPoints} points, and newer ones go before it`;
  if (used.bytes > maxBytes) return `${whose} keeps at most ${maxBytes} bytes, and newer ones go before it`;
  return null;
}

/** What it added to the store. Content that later points share is counted with the point that brought it. */
export function storedBytesOf({ snapshots }: Pick<Point, 'snapshots'>): number {
  return snapshots.reduce((sum, { storedBytes }) => sum + storedBytes, 0);
}

/** The next instant after `now` at which time alone changes a verdict. */
function nextBoundary(
  live: readonly Point[],
  policies: Readonly<Record<string, PointPolicy>>,
  now: Millis,
): Millis | null {
  let next = Number.POSITIVE_INFINITY;
  for (const point of live) next = Math.min(next, boundaryOf(point, policies, now) ?? next);
  return Number.isFinite(next) ? next : null;
}

/** When time alone changes the verdict over this point next, after `now`; null: it never does. */
export function boundaryOf(point: Point, policies: Readonly<Record<string, PointPolicy>>, now: Millis): Millis | null {
  if (point.createdAt > now) return point.createdAt;
  if (point.state === 'pruned' || isUnderWay(point)) return null;
  const policy = point.policy === null ? undefined : policies[point.policy];
  const at = isValid(point) ? expiryOf(point, policy) : point.createdAt + FAILED_SHOWN_MS;
  return at !== null && at > now ? at : null;
}

function keep(reason: string): Verdict {
  return { kind: 'keep', reasons: [reason], guarded: false };
}

function prune(reason: string): Verdict {
  return { kind: 'prune', reason };
}

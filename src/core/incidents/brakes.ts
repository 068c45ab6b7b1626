import type { Brake, Memory, RollbackRecord } from '../memory.ts';
import type { RollbackPolicy } from '../model/policy.ts';
import { formatDuration, formatInstant, type Millis } from '../units.ts';
import { overlaps } from './conflict-set.ts';

/**
 * Why the policy may not act now although it fires; null if it may. Cooldown and limit count every incident that
 * touched the same things, whichever policy's it was; the cooldown is that of the policy which acted. A clock that was
 * set back cannot lengthen it. With a `delayMs` nothing is touched yet, and an incident that a person ended before
 * anything was touched counts for the cooldown too.
 */
export function brakeOf(
  policy: RollbackPolicy,
  touched: readonly string[],
  memory: Pick<Memory, 'rollbacks'>,
  now: Millis,
  delayMs: Millis = 0,
): Brake | null {
  const related = memory.rollbacks
    .filter((one) => one.acted || delayMs > 0)
    .filter((one) => one.policy === policy.name || overlaps(one.conflictSet, touched));
  return cooldown(related, now) ?? limit(policy, related, now);
}

/** How a person has a braked policy act all the same. */
export function overrideCommand(policy: string): string {
  return `revertd rollback ${policy} --force`;
}

function cooldown(related: readonly RollbackRecord[], now: Millis): Brake | null {
  let until = Number.NEGATIVE_INFINITY;
  let last: RollbackRecord | undefined;
  for (const one of related) {
    // Even without a cooldown an incident that ended in this decision is not followed by another one within it.
    const end = Math.min(one.endedAt ?? now, now) + Math.max(1, one.cooldownMs);
    if (end > until) [until, last] = [end, one];
  }
  if (last === undefined || now >= until) return null;
  const reason = `cooldown of ${formatDuration(last.cooldownMs)} after ${last.incident}, until ${formatInstant(until)}`;
  return { kind: 'cooldown', until, reason };
}

function limit(policy: RollbackPolicy, related: readonly RollbackRecord[], now: Millis): Brake | null {
  if (policy.limit === undefined) return null;
  const { rollbacks, perMs } = policy.limit;
  const acted = related.filter((one) => one.acted).map((one) => Math.min(one.at, now));
  const recent = acted.filter((at) => now - at < perMs);
  if (recent.length < rollbacks) return null;
  const until = (recent.sort((a, b) => b - a)[rollbacks - 1] ?? now) + perMs;
  const reason = `limit of ${rollbacks} rollbacks per ${formatDuration(perMs)} is reached, until ${formatInstant(until)}`;
  return { kind: 'limit', until, reason };
}

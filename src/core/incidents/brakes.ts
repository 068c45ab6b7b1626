import type { Brake, Memory, RollbackRecord } from '../memory.ts';
import type { RollbackPolicy } from '../model/policy.ts';
import { formatDuration, formatInstant, type Millis } from '../units.ts';
import { overlaps } from './conflict-set.ts';

/**
 * Why the policy may not act now although it fires; null if it may. Cooldown and limit count every incident that
 * touched the same things, whichever policy's it was. A clock that was set back cannot lengthen a cooldown.
 */
export function brakeOf(
  policy: RollbackPolicy,
  touched: readonly string[],
  memory: Pick<Memory, 'rollbacks'>,
  now: Millis,
): Brake | null {
  const related = memory.rollbacks.filter((one) => one.policy === policy.name || overlaps(one.conflictSet, touched));
  return cooldown(policy, related, now) ?? limit(policy, related, now);
}

function cooldown(policy: RollbackPolicy, related: readonly RollbackRecord[], now: Millis): Brake | null {
  let until = Number.NEGATIVE_INFINITY;
  let after = '';
  for (const one of related) {
    // Even without a cooldown an incident that ended in this decision is not followed by another one within it.
    const end = Math.min(one.endedAt ?? now, now) + Math.max(1, policy.cooldownMs);
    if (end > until) [until, after] = [end, one.incident];
  }
  if (now >= until) return null;
  const reason = `cooldown of ${formatDuration(policy.cooldownMs)} after ${after}, until ${formatInstant(until)}`;
  return { kind: 'cooldown', until, reason };
}

function limit(policy: RollbackPolicy, related: readonly RollbackRecord[], now: Millis): Brake | null {
  if (policy.limit === undefined) return null;
  const { rollbacks, perMs } = policy.limit;
  const recent = related.map((one) => Math.min(one.at, now)).filter((at) => now - at < perMs);
  if (recent.length < rollbacks) return null;
  const until = (recent.sort((a, b) => b - a)[rollbacks - 1] ?? now) + perMs;
  const reason = `limit of ${rollbacks} rollbacks per ${formatDuration(perMs)} is reached, until ${formatInstant(until)}`;
  return { kind: 'limit', until, reason };
}

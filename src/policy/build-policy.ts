import type { EscalationLevel, Match, Release, RollbackPolicy } from '../core/model/policy.ts';
import { type BuildContext, durationAt, fault, valueOrigin } from './build-context.ts';
import { namedNotifiers } from './build-parts.ts';
import { buildRung } from './build-rung.ts';
import { buildTrigger } from './build-trigger.ts';
import { checkPolicySense } from './policy-sense.ts';
import type { RawDocument, RawRollbackPolicy } from './raw-documents.ts';

/** A policy that does not say leaves the system half an hour to prove that it is stable. */
/** Without a pause a policy whose ladder does not help would walk it again and again. */
const SHORTEST_COOLDOWN = { ms: 10_000, text: '10s' };
const DEFAULT_COOLDOWN_MS = 30 * 60_000;

export function buildRollbackPolicy(context: BuildContext, raw: RawDocument<RawRollbackPolicy>): RollbackPolicy {
  const { spec, metadata } = raw;
  const policy: RollbackPolicy = {
    name: metadata.name,
    origin: valueOrigin(context, []),
    suspend: spec.suspend ?? false,
    triggers: (spec.triggers ?? []).map((trigger, index) =>
      buildTrigger(context, ['spec', 'triggers', index], trigger),
    ),
    match: buildMatch(spec.match),
    ladder: (spec.ladder ?? []).map((rung, index) => buildRung(context, ['spec', 'ladder', index], rung)),
    cooldownMs: durationAt(context, ['spec', 'cooldown'], spec.cooldown, DEFAULT_COOLDOWN_MS, SHORTEST_COOLDOWN),
    ...buildLimit(context, spec.limit),
    ...(spec.rto === undefined ? {} : { rtoMs: durationAt(context, ['spec', 'rto'], spec.rto, 0, POSITIVE) }),
    notify: namedNotifiers(context, ['spec', 'notify'], spec.notify ?? []),
    ...buildEscalation(context, spec),
    release: buildRelease(context, spec.release),
  };
  checkPolicySense(context, spec, policy);
  return policy;
}

/** Nobody reads more often than that. */
const SHORTEST_UPDATE = { ms: 60_000, text: '1m' } as const;

function buildEscalation(
  context: BuildContext,
  { escalate, updates }: RawRollbackPolicy,
): Pick<RollbackPolicy, 'escalate' | 'updates'> {
  const levels = escalate?.map(({ after, notify }, index) => {
    const path = ['spec', 'escalate', index];
    return {
      afterMs: durationAt(context, [...path, 'after'], after, 0, POSITIVE),
      notify: namedNotifiers(context, [...path, 'notify'], notify),
    };
  });
  checkOrder(context, escalate ?? [], levels ?? []);
  const path = ['spec', 'updates', 'every'];
  return {
    ...(levels === undefined ? {} : { escalate: levels }),
    ...(updates === undefined
      ? {}
      : { updates: { everyMs: durationAt(context, path, updates.every, SHORTEST_UPDATE.ms, SHORTEST_UPDATE) } }),
  };
}

function checkOrder(
  context: BuildContext,
  raw: NonNullable<RawRollbackPolicy['escalate']>,
  levels: readonly EscalationLevel[],
): void {
  for (const [index, { afterMs }] of levels.entries()) {
    const before = levels[index - 1];
    if (before === undefined || afterMs > before.afterMs || before.afterMs === 0 || afterMs === 0) continue;
    const message = `levels stand in the order of their times, each counted from the incident's opening: ${raw[index]?.after} comes after ${raw[index - 1]?.after}`;
    fault(context, ['spec', 'escalate', index, 'after'], 'E-ORDER', { message, found: raw[index]?.after ?? '' });
  }
}

const POSITIVE = { ms: 1000, text: '1s' } as const;

function buildMatch(raw: RawRollbackPolicy['match']): Match {
  if (raw === undefined) return { kind: 'any' };
  return typeof raw === 'string' ? { kind: raw } : { kind: 'atLeast', count: raw.atLeast };
}

function buildLimit(context: BuildContext, raw: RawRollbackPolicy['limit']): Pick<RollbackPolicy, 'limit'> {
  if (raw === undefined) return {};
  const perMs = durationAt(context, ['spec', 'limit', 'per'], raw.per, 0, POSITIVE);
  return { limit: { rollbacks: raw.rollbacks, perMs } };
}

function buildRelease(context: BuildContext, raw: RawRollbackPolicy['release']): Release {
  const flags = raw?.flags ?? 'onFlagChange';
  if (typeof flags === 'string') return { kind: flags };
  if ('onFix' in flags) {
    const path = ['spec', 'release', 'flags', 'onFix'];
    context.references.push({ kind: 'Target', name: flags.onFix, origin: valueOrigin(context, path) });
    return { kind: 'onFix', target: flags.onFix };
  }
  return { kind: 'after', spanMs: durationAt(context, ['spec', 'release', 'flags', 'after'], flags.after, 0) };
}

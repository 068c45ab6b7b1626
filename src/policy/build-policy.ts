import type { Match, Release, RollbackPolicy } from '../core/model/policy.ts';
import { type BuildContext, durationAt, valueOrigin } from './build-context.ts';
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
    notify: spec.notify ?? [],
    release: buildRelease(context, spec.release),
  };
  for (const [index, name] of policy.notify.entries()) {
    context.references.push({ kind: 'Notifier', name, origin: valueOrigin(context, ['spec', 'notify', index]) });
  }
  checkPolicySense(context, spec, policy);
  return policy;
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

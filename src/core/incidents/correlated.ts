import { triggersInForce } from '../effective-policies.ts';
import { type Brake, OWN_SAMPLER } from '../memory.ts';
import type { RollbackPolicy } from '../model/policy.ts';
import { type Trigger, type TriggerKey, triggerKey } from '../model/trigger.ts';
import { leadingElement, viewTrigger } from '../triggers/trigger-view.ts';
import type { Turn } from '../turn.ts';
import { formatInstant, type Millis } from '../units.ts';
import { firingTriggers, verdictFrom } from './verdict.ts';

/** So long after its own trouble a sampler is under suspicion, or for four of its intervals if that is longer. */
const SUSPICION_MS: Millis = 60_000;
const SUSPICION_INTERVALS = 4;
/** Of fewer triggers "most" says nothing. */
const LEAST_TRIGGERS = 3;

/**
 * Holds a policy that fires only by triggers of a sampler of which most breach at once since that sampler was itself in
 * trouble: a restart, a stalled loop, a clock that was set, a server that could not be reached. It ends by itself. What
 * a source says of itself is data: triggers on `up`, `probe_…` and absence are never held, and never counted.
 */
export function correlatedBrake(turn: Turn, policy: RollbackPolicy): Brake | null {
  if (Object.keys(turn.memory.troubles).length === 0) return null;
  const firing = firingTriggers(turn, policy);
  const samplers = [...new Set(firing.map(samplerOf))];
  const suspects = new Map(samplers.flatMap((sampler) => suspicion(turn, sampler)));
  if (suspects.size === 0) return null;
  const trusted = firing.filter((trigger) => {
    const suspect = suspects.get(samplerOf(trigger));
    return suspect === undefined || !suspect.keys.has(triggerKey(policy.name, trigger.name));
  });
  if (verdictFrom(policy, trusted) !== null) return null;
  const until = Math.max(...[...suspects.values()].map((suspect) => suspect.until));
  const names = [...suspects.keys()].map((name) => (name === OWN_SAMPLER ? 'revertd' : name)).join(', ');
  const reason = `most triggers breach at once since ${names} itself was in trouble; held until ${formatInstant(until)}`;
  return { kind: 'correlated', until, reason };
}

/** Who samples what the trigger reads. */
export function samplerOf(trigger: Trigger): string {
  return trigger.source ?? OWN_SAMPLER;
}

type Suspicion = { readonly until: Millis; readonly keys: ReadonlySet<TriggerKey> };

/** The triggers that began to breach after the sampler's trouble, if they are most of it; none while there is no suspicion. */
function suspicion(turn: Turn, sampler: string): (readonly [string, Suspicion])[] {
  const troubledAt = turn.memory.troubles[sampler];
  if (troubledAt === undefined) return [];
  const own = [...triggersInForce(turn.desired, turn.memory)].filter(
    ([, trigger]) => samplerOf(trigger) === sampler && trigger.watchesAbsence !== true,
  );
  const intervals = own.map(([key]) => turn.memory.triggers[key]?.intervalMs ?? 0);
  const until = troubledAt + Math.max(SUSPICION_MS, SUSPICION_INTERVALS * Math.max(0, ...intervals));
  if (turn.now >= until || own.length < LEAST_TRIGGERS) return [];
  const keys = own.filter(([key, trigger]) => breachedSince(turn, key, trigger) >= troubledAt).map(([key]) => key);
  return keys.length * 2 > own.length ? [[sampler, { until, keys: new Set(keys) }]] : [];
}

function breachedSince(turn: Turn, key: TriggerKey, trigger: Trigger): Millis {
  const { state, memory } = viewTrigger(turn.memory, key, trigger, turn.now);
  const breaching = state === 'pending' || state === 'firing';
  const element = breaching && memory !== undefined ? leadingElement(memory) : undefined;
  return element?.breachedSince ?? Number.NEGATIVE_INFINITY;
}

import type { Memory } from './memory.ts';
import type { Desired } from './model/desired.ts';
import { isOpen } from './model/incident.ts';
import type { RollbackPolicy } from './model/policy.ts';
import { type Trigger, type TriggerKey, triggerKey } from './model/trigger.ts';

/**
 * The policies that are in force: git's, except that an open incident keeps the policy, and those that joined it, as
 * they were, even when a commit changed or removed them.
 */
export function effectivePolicies(
  desired: Pick<Desired, 'policies'>,
  memory: Pick<Memory, 'incidents'>,
): Record<string, RollbackPolicy> {
  const policies: Record<string, RollbackPolicy> = { ...desired.policies };
  for (const incident of Object.values(memory.incidents)) {
    if (!isOpen(incident)) continue;
    for (const { policy } of incident.joined) policies[policy.name] = policy;
    policies[incident.policy.name] = incident.policy;
  }
  return policies;
}

type InForce = {
  readonly incidents: Memory['incidents'];
  readonly triggers: ReadonlyMap<TriggerKey, Trigger>;
};

/** The newest answer for each set of policies; a decision asks several times, and between commits it stays the same. */
const known = new WeakMap<Desired['policies'], InForce>();

/** Every trigger of the policies in force; the same map as before for the same policies and incidents. */
export function triggersInForce(
  desired: Pick<Desired, 'policies'>,
  memory: Pick<Memory, 'incidents'>,
): ReadonlyMap<TriggerKey, Trigger> {
  const { incidents } = memory;
  const before = known.get(desired.policies);
  if (before?.incidents === incidents) return before.triggers;
  const triggers = new Map<TriggerKey, Trigger>();
  for (const policy of Object.values(effectivePolicies(desired, memory))) {
    for (const trigger of policy.triggers) triggers.set(triggerKey(policy.name, trigger.name), trigger);
  }
  known.set(desired.policies, { incidents, triggers });
  return triggers;
}

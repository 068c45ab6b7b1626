import type { Event, EventType } from '../../../src/core/event.ts';
import type { RollbackPolicy } from '../../../src/core/model/policy.ts';
import type { Trigger } from '../../../src/core/model/trigger.ts';
import { triggerKey } from '../../../src/core/model/trigger.ts';
import { TICK_MS } from '../model/small-world.ts';
import type { Transition } from '../model/state.ts';
import { saysClear, type TriggerWitness } from '../model/trigger-witness.ts';
import { testify, type Witness } from '../model/witness.ts';
import { watchKey } from '../model/world-facts.ts';

/** What was decided, event by event, each with what the witness knew just before it. */
export function* decided<T extends EventType>(
  { plan, known, after, desired }: Transition,
  type: T,
): Generator<{ readonly event: Extract<Event, { readonly type: T }>; readonly known: Witness }> {
  if (!plan.events.some((event) => event.type === type)) return;
  const scene = {
    elapsedMs: after.host.elapsedMs,
    digestOf: (flag: string) => desired.flags[flag]?.digest ?? null,
  };
  let witness = known;
  for (const event of plan.events) {
    if (isOfType(event, type)) yield { event, known: witness };
    witness = testify(witness, event, scene);
  }
}

function isOfType<T extends EventType>(event: Event, type: T): event is Extract<Event, { readonly type: T }> {
  return event.type === type;
}

/** The critical triggers of a policy, each as the witness follows it; undefined where it was never evaluated. */
export function watched(
  policy: RollbackPolicy,
  witness: Witness,
): { readonly trigger: Trigger; readonly seen: TriggerWitness | undefined }[] {
  return policy.triggers
    .filter(({ severity }) => severity === 'critical')
    .map((trigger) => ({ trigger, seen: witness.triggers[watchKey(triggerKey(policy.name, trigger.name), trigger)] }));
}

/** Evaluated in this life of the daemon, and not longer ago than three intervals. */
export function isFresh({ after }: Transition, seen: TriggerWitness | undefined): seen is TriggerWitness {
  const { elapsedMs, startedMs } = after.host;
  return seen !== undefined && seen.atMs > startedMs && elapsedMs - seen.atMs <= 3 * TICK_MS;
}

/** Every critical trigger of the policy was evaluated of late, with data, and was good. */
export function isAllClear(transition: Transition, policy: RollbackPolicy, witness: Witness): boolean {
  return watched(policy, witness).every(({ trigger, seen }) => isFresh(transition, seen) && saysClear(trigger, seen));
}

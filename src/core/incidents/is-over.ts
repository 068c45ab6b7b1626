import type { Incident } from '../model/incident.ts';
import { triggerKey } from '../model/trigger.ts';
import { isClearSince, viewTrigger } from '../triggers/trigger-view.ts';
import type { Turn } from '../turn.ts';
import { criticalTriggers, firingTriggers, matches } from './open-incidents.ts';

/** Whether an incident still has its reason: `no` while a policy of it fires, `yes` if every trigger is clear with data. */
export function isOver(turn: Turn, incident: Incident): 'yes' | 'no' | 'unknown' {
  const policies = [incident.policy, ...incident.joined.map(({ policy }) => policy)];
  if (policies.some((policy) => matches(policy, firingTriggers(turn, policy).length))) return 'no';
  const isClear = policies.every((policy) =>
    criticalTriggers(policy).every((trigger) => {
      const view = viewTrigger(turn.memory, triggerKey(policy.name, trigger.name), trigger, turn.now);
      return isClearSince(view, Number.NEGATIVE_INFINITY);
    }),
  );
  return isClear ? 'yes' : 'unknown';
}

import type { Event, IncidentEvent } from '../event.ts';
import type { Memory } from '../memory.ts';
import type { Incident } from '../model/incident.ts';
import { without } from '../record.ts';
import type { Millis } from '../units.ts';

/** How many past incidents cooldown and limit can look back on. */
const ROLLBACKS_KEPT = 1_000;

export type ClosedEvent = Extract<IncidentEvent, { type: 'incident.closed' }> & Pick<Event, 'at'>;

/** The incident's ladder may touch things from now on: cooldown and limit count it. */
export function noteRollback(memory: Memory, incident: Incident, at: Millis): Memory {
  const rollback = {
    incident: incident.id,
    policy: incident.policy.name,
    conflictSet: incident.conflictSet,
    cooldownMs: incident.policy.cooldownMs,
    acted: true,
    at,
    endedAt: null,
  };
  return {
    ...memory,
    rollbacks: [...memory.rollbacks.slice(1 - ROLLBACKS_KEPT), rollback],
    // It acts, perhaps because a person wants so: nothing holds it back any more.
    brakes: without(memory.brakes, [incident.policy.name]),
  };
}

/** A person who ends an incident that only mends does not want the next one at once. */
export function endedRollbacks(memory: Memory, incident: Incident, { at, byHand }: ClosedEvent): Memory['rollbacks'] {
  const acted = memory.rollbacks.some((one) => one.incident === incident.id);
  if (!acted && byHand !== true) return memory.rollbacks;
  const { rollbacks } = acted ? memory : noteRollback(memory, incident, at);
  return rollbacks.map((one) => (one.incident === incident.id ? { ...one, acted, endedAt: at } : one));
}

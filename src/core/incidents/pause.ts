import { type Incident, isOpen } from '../model/incident.ts';
import type { Turn } from '../turn.ts';

/** `suspend` is read from git before each step, although the rest of the policy is as it was. */
export function isPaused(turn: Pick<Turn, 'desired'>, incident: Incident): boolean {
  return turn.desired.policies[incident.policy.name]?.suspend === true;
}

/** A suspended policy's incident stands still like everything in a halt: no step is begun, and no deadline passes. */
export function noticePauses(turn: Turn): void {
  for (const incident of Object.values(turn.memory.incidents)) {
    if (!isOpen(incident)) continue;
    const paused = isPaused(turn, incident);
    if (paused && incident.pausedAt === null) turn.emit({ type: 'incident.paused', incident: incident.id });
    if (!paused && incident.pausedAt !== null) {
      // What a halt covers besides is counted when that ends.
      const until = Math.min(turn.now, turn.memory.halt?.noticedAt ?? turn.now);
      const lastedMs = Math.max(0, until - incident.pausedAt);
      turn.emit({ type: 'incident.unpaused', incident: incident.id, lastedMs });
    }
  }
}

import type { Event, IncidentEvent } from '../event.ts';
import type { BrakeMemory, Memory } from '../memory.ts';
import { without } from '../record.ts';

type BrakeEvent = Extract<IncidentEvent, { type: 'policy.braked' | 'policy.unbraked' }> & Pick<Event, 'at'>;

/** A brake outlives the firing for as long as it holds, so that a trigger that comes and goes is told of once. */
export function evolveBrakes(memory: Memory, event: BrakeEvent): Memory {
  if (event.type === 'policy.braked') {
    return { ...memory, brakes: { ...memory.brakes, [event.policy]: event.brake } };
  }
  const brake = memory.brakes[event.policy];
  if (brake === undefined || brake.quiet === true || event.gone === true || event.at >= brake.until) {
    return { ...memory, brakes: without(memory.brakes, [event.policy]) };
  }
  const quiet: BrakeMemory = { ...brake, quiet: true };
  return { ...memory, brakes: { ...memory.brakes, [event.policy]: quiet } };
}

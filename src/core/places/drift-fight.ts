import type { PlaceMemory } from '../memory.ts';
import { backOff } from '../operations/back-off.ts';
import type { Millis } from '../units.ts';
import { asText, type WantedPlace } from './flag-places.ts';

/** So often in a row a place is set back at once; whoever goes on after that is another program, or means it. */
export const REPAIRS_AT_ONCE = 3;
const FIRST_WAIT_MS: Millis = 30_000;
const LONGEST_WAIT_MS: Millis = 3_600_000;
/** Left alone for so long, a place is not fought over any more. */
const FORGIVEN_AFTER_MS: Millis = 2 * LONGEST_WAIT_MS;

type Repairs = NonNullable<PlaceMemory['repairs']>;

/** What is remembered of a place that was changed by somebody once more and is to be set back. */
export function nextRepair(before: Repairs | undefined, at: Millis): Repairs {
  const isNew = before === undefined || at - before.lastAt > FORGIVEN_AFTER_MS;
  const attempts = isNew ? 1 : before.attempts + 1;
  if (attempts <= REPAIRS_AT_ONCE) return { attempts, retryAt: at, lastAt: at };
  const past = { attempts: attempts - REPAIRS_AT_ONCE - 1, retryAt: at };
  return { ...backOff(past, at, FIRST_WAIT_MS, LONGEST_WAIT_MS), attempts, lastAt: at };
}

/** When the place may be set back. Anything else than a repair is not made to wait. */
export function repairAt(memory: PlaceMemory, place: WantedPlace): Millis {
  const isRepair = memory.drift !== null && memory.delivered === asText(place.value);
  return isRepair ? (memory.repairs?.retryAt ?? Number.NEGATIVE_INFINITY) : Number.NEGATIVE_INFINITY;
}

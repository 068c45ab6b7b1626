import { placeKey } from '../model/flag.ts';
import type { JsonValue } from '../model/step.ts';
import { isSame } from '../record.ts';
import type { Turn } from '../turn.ts';
import { nextRepair } from './drift-fight.ts';
import { asText, type WantedPlace, wantedPlaces } from './flag-places.ts';
import { lookAt } from './live-entry.ts';

/** Adopts what is seen for the first time, notices what somebody else changed, and lets go of what git no longer has. */
export function settlePlaces(turn: Turn): void {
  const wanted = wantedPlaces(turn.desired, turn.memory);
  releaseOthers(turn, wanted);
  for (const place of wanted) {
    const seen = lookAt(turn, place);
    if (seen === null) continue;
    if (Object.hasOwn(turn.memory.places, place.key)) noticeDrift(turn, place, seen.live);
    else meet(turn, place, seen.live);
  }
}

/** First sight. What equals git, or is not there yet, is ours at once; what differs waits for a person. */
function meet(turn: Turn, place: WantedPlace, live: JsonValue | undefined): void {
  const id = adoptionId(place);
  const waiting = Object.hasOwn(turn.memory.holds, id);
  const reason = adoptionReason(turn, place, live);
  if (reason !== null) {
    const liveText = live === undefined ? null : asText(live);
    if (waiting) turn.emit({ type: 'hold.lifted', id, object: `Flag/${place.flag.name}`, reason });
    turn.emit({ type: 'place.adopted', place: place.key, flag: place.flag.name, live: liveText });
  } else if (!waiting && live !== undefined) {
    turn.emit({ type: 'hold.placed', hold: adoptionHold(turn, place, live) });
  }
}

function adoptionReason(turn: Turn, place: WantedPlace, live: JsonValue | undefined): string | null {
  if (live === undefined) return 'there is nothing to take over';
  if (isSame(live, place.value)) return 'live equals git';
  // A rollback or a person's override is not made to wait for a question about who owns the value.
  if (place.effective.because !== null) return `superseded by ${place.effective.because.id}`;
  return turn.desired.adopt === 'git' ? 'the host takes over git’s values' : null;
}

function adoptionHold(turn: Turn, place: WantedPlace, live: JsonValue) {
  return {
    kind: 'adoption',
    id: adoptionId(place),
    object: `Flag/${place.flag.name}`,
    since: turn.now,
    cause: `seen for the first time: ${place.key} shows ${asText(live)}, git wants ${asText(place.value)}`,
    flag: place.flag.name,
    place: place.key,
    live,
  } as const;
}

export function adoptionId(place: Pick<WantedPlace, 'key'>): string {
  return `adoption:${place.key}`;
}

function noticeDrift(turn: Turn, place: WantedPlace, live: JsonValue | undefined): void {
  const memory = turn.memory.places[place.key];
  if (memory === undefined) return;
  const found = live === undefined ? null : asText(live);
  const wanted = asText(place.value);
  if (found === wanted) {
    if (memory.drift !== null) turn.emit({ type: 'drift.gone', place: place.key, flag: place.flag.name });
    // Somebody else wrote what was wanted: from now on that is what a difference is measured against.
    if (memory.delivered !== wanted) {
      turn.emit({ type: 'place.adopted', place: place.key, flag: place.flag.name, live: wanted });
    }
    return;
  }
  if (memory.delivered === null || found === memory.delivered || memory.drift === (found ?? '')) return;
  const repair = isRepaired(place, memory.delivered);
  const { retryAt } = nextRepair(memory.repairs, turn.now);
  turn.emit({
    type: 'drift.seen',
    place: place.key,
    flag: place.flag.name,
    expected: memory.delivered,
    found,
    repair,
    ...(repair && retryAt > turn.now ? { repairAt: retryAt } : {}),
  });
}

/** A reported drift is left alone until git or a hold wants something else than what was there before. */
export function isRepaired(place: WantedPlace, delivered: string | null): boolean {
  return place.flag.drift === 'repair' || place.effective.because !== null || asText(place.value) !== delivered;
}

function releaseOthers(turn: Turn, wanted: readonly WantedPlace[]): void {
  const keys = new Set(wanted.map((place) => place.key));
  const suspended = new Set(
    Object.values(turn.desired.flags).flatMap((flag) => (flag.suspend ? flag.deliver.map(placeKey) : [])),
  );
  for (const key of Object.keys(turn.memory.places)) {
    if (!keys.has(key) && !suspended.has(key)) {
      turn.emit({ type: 'place.released', place: key, reason: 'git no longer has it; it is left as it is' });
    }
  }
  for (const hold of Object.values(turn.memory.holds)) {
    if (hold.kind === 'adoption' && !keys.has(hold.place)) {
      turn.emit({ type: 'hold.lifted', id: hold.id, object: hold.object, reason: 'git no longer has the place' });
    }
  }
}

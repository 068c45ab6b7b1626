import { documentKey } from '../model/flag.ts';
import type { JsonValue } from '../model/step.ts';
import type { Turn } from '../turn.ts';
import type { Millis } from '../units.ts';
import type { WantedPlace } from './flag-places.ts';

/** A place as it was seen: when, and what it showed; `live` is undefined where the entry is not there. */
export type LiveEntry = { readonly at: Millis; readonly live: JsonValue | undefined };

/**
 * The newest sight of a place, or null while there is none to rely on: the document was not read, cannot be read, was
 * not searched for this entry, or was seen before our own last write, or while we write. To take an entry that nobody
 * looked for as absent would overwrite it.
 */
export function lookAt(turn: Pick<Turn, 'memory' | 'observed'>, place: WantedPlace): LiveEntry | null {
  const sight = turn.observed.documents[place.document];
  if (sight?.kind !== 'read' || !sight.entries.includes(place.place.entry)) return null;
  if (sight.at < (turn.memory.documents[place.document]?.writtenAt ?? Number.NEGATIVE_INFINITY)) return null;
  if (isBeingWritten(turn, place.document)) return null;
  return { at: sight.at, live: sight.values[place.place.entry] };
}

function isBeingWritten(turn: Pick<Turn, 'memory'>, document: string): boolean {
  return Object.values(turn.memory.operations).some(
    ({ action }) => action.kind === 'deliver' && documentKey(action.document) === document,
  );
}

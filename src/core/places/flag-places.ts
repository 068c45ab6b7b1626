import { type EffectiveFlag, effectiveFlag } from '../holds/effective.ts';
import type { Memory } from '../memory.ts';
import type { Desired } from '../model/desired.ts';
import { type DocumentKey, documentKey, type Flag, type FlagPlace, type PlaceKey, placeKey } from '../model/flag.ts';
import type { JsonValue } from '../model/step.ts';

/** A place together with what it should show. */
export type WantedPlace = {
  readonly key: PlaceKey;
  readonly flag: Flag;
  readonly place: FlagPlace;
  readonly document: DocumentKey;
  readonly effective: EffectiveFlag;
  /** As the document shows it: text in an environment file. */
  readonly value: JsonValue;
};

/** Every place of every flag that is not suspended. */
export function wantedPlaces(desired: Pick<Desired, 'flags'>, memory: Pick<Memory, 'holds'>): WantedPlace[] {
  return Object.values(desired.flags)
    .filter((flag) => !flag.suspend)
    .flatMap((flag) => placesOf(flag, memory));
}

export function placesOf(flag: Flag, memory: Pick<Memory, 'holds'>): WantedPlace[] {
  const effective = effectiveFlag(flag, memory.holds);
  const variant = flag.variants[effective.variant] ?? null;
  return flag.deliver.map((place) => ({
    key: placeKey(place),
    flag,
    place,
    document: documentKey(place.document),
    effective,
    value: shownAs(place.document, variant),
  }));
}

/** How a document shows a value: environment files and Java's properties know only text. */
export function shownAs({ kind, path }: FlagPlace['document'], value: JsonValue): JsonValue {
  switch (kind) {
    case 'envFile':
      return typeof value === 'string' ? value : JSON.stringify(value);
    case 'file':
      return path.toLowerCase().endsWith('.properties') && typeof value !== 'string' ? JSON.stringify(value) : value;
  }
}

/** A value in one line for people and for comparison with what was delivered. */
export function asText(value: JsonValue): string {
  return JSON.stringify(value);
}

import type { DocumentMemory, Owed } from '../memory.ts';
import { type DocumentKey, documentKey, type FlagPlace, placeKey } from '../model/flag.ts';
import type { Step } from '../model/step.ts';
import type { Turn } from '../turn.ts';
import { differing, distinct, doTheSame, isTakingUp } from './deliveries.ts';
import { wantedPlaces } from './flag-places.ts';
import { lookAt } from './live-entry.ts';

/** Lets go of what documents no longer need, so that no failure is told, and no step repeated, for ever. */
export function settleDocuments(turn: Turn): void {
  const places = Object.values(turn.desired.flags).flatMap((flag) => flag.deliver);
  for (const [key, memory] of Object.entries(turn.memory.documents)) {
    const own = places.filter((place) => documentKey(place.document) === key);
    if (memory.failing !== null && isAsWanted(turn, key)) turn.emit({ type: 'delivery.settled', document: key });
    if (own.length === 0) forget(turn, key, memory);
    else if (memory.owed !== null && !isTakingUp(turn, key)) revise(turn, key, memory.owed, own);
  }
}

/** Every place that is to be written was seen, and none differs; also where there is none. */
function isAsWanted(turn: Turn, document: DocumentKey): boolean {
  const places = wantedPlaces(turn.desired, turn.memory).filter((place) => place.document === document);
  return places.every((place) => lookAt(turn, place) !== null) && !differing(turn).has(document);
}

/** What is owed to a document that git no longer has is still tried, but not again and again. */
function forget(turn: Turn, document: DocumentKey, { owed }: DocumentMemory): void {
  const isBusy = Object.values(turn.memory.operations).some(
    ({ action }) => action.kind === 'deliver' && documentKey(action.document) === document,
  );
  if (isBusy || isTakingUp(turn, document)) return;
  if (owed === null || owed.retry !== null) turn.emit({ type: 'document.forgotten', document });
}

/** A `then` that git corrected replaces the wrong one, which might never succeed. */
function revise(turn: Turn, document: DocumentKey, owed: Owed, own: readonly FlagPlace[]): void {
  const waiting = own.filter((place) => owed.places.includes(placeKey(place)));
  if (waiting.length === 0) return;
  const steps = distinct(waiting.flatMap((place) => place.takeUp));
  if (!areTheSame(steps, owed.steps)) turn.emit({ type: 'takeUp.revised', document, steps });
}

function areTheSame(a: readonly Step[], b: readonly Step[]): boolean {
  const within = (some: readonly Step[], all: readonly Step[]): boolean =>
    some.every((step) => all.some((one) => doTheSame(one, step)));
  return within(a, b) && within(b, a);
}

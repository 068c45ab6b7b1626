import { fingerprint } from '../fingerprint.ts';
import type { Action, EntryChange } from '../model/action.ts';
import type { DocumentKey } from '../model/flag.ts';
import { formatOrigin } from '../model/origin.ts';
import { describeStep, type Step } from '../model/step.ts';
import { isSame } from '../record.ts';
import type { Turn } from '../turn.ts';
import { type Blocking, blockingWindow } from '../windows/blocking-window.ts';
import { repairAt } from './drift-fight.ts';
import { asText, shownAs, type WantedPlace, wantedPlaces } from './flag-places.ts';
import { lookAt } from './live-entry.ts';
import { isRepaired } from './settle-places.ts';

/** The writes that bring documents to what they should show: one a document, however many flags it holds. */
export function deliveries(turn: Turn): Action[] {
  const actions: Action[] = [];
  for (const [document, places] of differing(turn)) {
    const action = delivery(places);
    const failing = turn.memory.documents[document]?.failing;
    const waits = failing?.key === action.key && turn.now < failing.retryAt;
    if (!waits) actions.push(action);
  }
  return actions;
}

type Differing = Pick<Turn, 'desired' | 'observed' | 'memory' | 'now'>;
type Difference = WantedPlace & { readonly change: EntryChange };

/** By document, the places that show something else than they should and that revertd may write. */
export function differing(turn: Differing): Map<DocumentKey, Difference[]> {
  const documents = new Map<DocumentKey, Difference[]>();
  for (const place of wantedPlaces(turn.desired, turn.memory)) {
    const change = changeOf(turn, place);
    if (change === null || windowFor(turn, place) !== null) continue;
    documents.set(place.document, [...(documents.get(place.document) ?? []), { ...place, change }]);
  }
  return documents;
}

/** The places that would be written, were it not for a window. */
export function windowedPlaces(turn: Differing): (WantedPlace & { readonly blocking: Blocking })[] {
  return wantedPlaces(turn.desired, turn.memory).flatMap((place) => {
    const blocking = changeOf(turn, place) === null ? null : windowFor(turn, place);
    return blocking === null ? [] : [{ ...place, blocking }];
  });
}

/**
 * A window waits with what git wants, and with nothing that a rollback or a person does. To set back what somebody else
 * changed is no move, unless that would leave the safe variant.
 */
function windowFor(turn: Differing, place: WantedPlace): Blocking | null {
  const { flag, effective } = place;
  if (effective.because !== null) return null;
  const isRepair = turn.memory.places[place.key]?.delivered === asText(place.value);
  if (isRepair && !showsSafe(turn, place)) return null;
  // A place shows the default alone, whatever targeting gives to those who ask.
  return blockingWindow(turn, flag, { variant: effective.variant, forEverybody: true });
}

function showsSafe(turn: Differing, { flag, place, ...rest }: WantedPlace): boolean {
  const live = lookAt(turn, { flag, place, ...rest })?.live;
  if (flag.safeVariant === undefined || live === undefined) return false;
  return isSame(live, shownAs(place.document, flag.variants[flag.safeVariant] ?? null));
}

function changeOf(turn: Pick<Turn, 'observed' | 'memory' | 'now'>, place: WantedPlace): EntryChange | null {
  const memory = turn.memory.places[place.key];
  const seen = lookAt(turn, place);
  if (memory === undefined || seen === null) return null;
  const { live } = seen;
  if (live !== undefined && isSame(live, place.value)) return null;
  if (memory.drift !== null && !isRepaired(place, memory.delivered)) return null;
  if (turn.now < repairAt(memory, place)) return null;
  return {
    flag: place.flag.name,
    place: place.key,
    entry: place.place.entry,
    ...(live === undefined ? {} : { before: live }),
    after: place.value,
  };
}

function delivery(places: readonly Difference[]): Action {
  const [first] = places;
  if (first === undefined) throw new RangeError('a delivery has at least one place');
  const changes = places.map((place) => place.change);
  const rollback = places.some((place) => place.effective.because?.kind === 'latch');
  return {
    kind: 'deliver',
    key: `deliver:${first.document}@${fingerprint(changes)}`,
    sign: rollback ? '!' : changes.every((change) => change.before === undefined) ? '+' : '~',
    reason: [...new Set(places.map(reasonOf))].join('; '),
    origin: first.effective.because?.kind === 'latch' ? first.effective.because.origin : first.place.origin,
    losesData: false,
    preconditions: places.map((place) => `${place.key} ${place.effective.because?.id ?? 'git'}`),
    document: first.place.document,
    changes,
    takeUp: distinct(places.flatMap((place) => place.place.takeUp)),
  };
}

function reasonOf({ flag, effective, change }: Difference): string {
  if (effective.because !== null)
    return `${effective.because.kind} ${effective.because.id}: ${effective.because.cause}`;
  const wanted = `git wants ${flag.name} = ${asText(change.after)} (${formatOrigin(flag.origin)})`;
  return change.before === undefined ? `${wanted}; the entry is not there yet` : wanted;
}

/** Two steps from different lines that do the same are done once. */
export function distinct(steps: readonly Step[]): Step[] {
  const kept: Step[] = [];
  for (const step of steps) if (!kept.some((one) => doTheSame(one, step))) kept.push(step);
  return kept;
}

export function doTheSame(a: Step, b: Step): boolean {
  const [{ origin: _a, ...one }, { origin: _b, ...other }] = [a, b];
  return isSame(one, other);
}

/** The next owed step of each document; the ones after it wait for it. */
export function takeUps(turn: Turn): Action[] {
  const actions: Action[] = [];
  for (const [document, { owed }] of Object.entries(turn.memory.documents)) {
    const step = owed?.steps[owed.done];
    if (owed === null || step === undefined || isTakingUp(turn, document)) continue;
    if (owed.retry !== null && turn.now < owed.retry.retryAt) continue;
    actions.push({
      kind: 'takeUp',
      key: `takeUp:${document}@${owed.digest.slice(0, 16)}/${owed.done}`,
      sign: '~',
      reason: `${document} was written: ${describeStep(step)} makes it effective`,
      origin: step.origin,
      losesData: false,
      preconditions: [`${document} ${owed.digest}`],
      document,
      digest: owed.digest,
      index: owed.done,
      step,
    });
  }
  return actions;
}

export function isTakingUp(turn: Pick<Turn, 'memory'>, document: DocumentKey): boolean {
  return Object.values(turn.memory.operations).some(
    ({ action }) => action.kind === 'takeUp' && action.document === document,
  );
}

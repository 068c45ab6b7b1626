import type { Event, PlaceEvent } from '../event.ts';
import type { DocumentMemory, Memory, Owed, PlaceMemory } from '../memory.ts';
import type { DeliverAction, TakeUpAction } from '../model/action.ts';
import { type DocumentKey, documentKey, type PlaceKey } from '../model/flag.ts';
import { backOff } from '../operations/back-off.ts';
import type { FinishedEvent } from '../operations/evolve-operations.ts';
import { isSame, without } from '../record.ts';
import type { Millis } from '../units.ts';
import { nextRepair } from './drift-fight.ts';

export const FIRST_RETRY_MS: Millis = 1_000;
export const LONGEST_RETRY_MS: Millis = 60_000;

export function evolvePlaces(memory: Memory, event: PlaceEvent & Pick<Event, 'at'>): Memory {
  switch (event.type) {
    case 'place.adopted':
      return withPlace(memory, event.place, { delivered: event.live, drift: null });
    case 'place.released':
      return { ...memory, places: without(memory.places, [event.place]) };
    case 'drift.seen':
      return withPlace(memory, event.place, drifted(memory.places[event.place], event));
    case 'drift.gone': {
      const place = memory.places[event.place];
      return place === undefined ? memory : withPlace(memory, event.place, { ...place, drift: null });
    }
    case 'document.forgotten':
      return { ...memory, documents: without(memory.documents, [event.document]) };
    case 'delivery.settled':
    case 'takeUp.revised': {
      const document = memory.documents[event.document];
      return document === undefined ? memory : withDocument(memory, event.document, settled(document, event));
    }
  }
}

function drifted(
  before: PlaceMemory | undefined,
  event: Extract<PlaceEvent, { type: 'drift.seen' }> & Pick<Event, 'at'>,
): PlaceMemory {
  const repairs = event.repair ? nextRepair(before?.repairs, event.at) : before?.repairs;
  return {
    delivered: event.expected,
    drift: event.found ?? '',
    ...(repairs === undefined ? {} : { repairs }),
  };
}

function settled(
  document: DocumentMemory,
  event: Extract<PlaceEvent, { type: 'delivery.settled' | 'takeUp.revised' }>,
): DocumentMemory {
  if (event.type === 'delivery.settled') return { ...document, failing: null };
  const { steps } = event;
  if (document.owed === null || steps.length === 0) return { ...document, owed: null };
  return { ...document, owed: { ...document.owed, steps, done: 0, retry: null } };
}

/** A write ended. Once done, or perhaps done, its `then` is owed; steps still owed from before stay owed, for the new content. */
export function evolveDelivered(memory: Memory, action: DeliverAction, event: FinishedEvent): Memory {
  if (event.outcome === 'notDone') return memory;
  const key = documentKey(action.document);
  const before = memory.documents[key] ?? UNTOUCHED;
  if (event.outcome !== 'done') {
    const previous = before.failing?.key === event.id.slice(0, event.id.lastIndexOf('#')) ? before.failing : null;
    const retry = backOff(previous, event.at, FIRST_RETRY_MS, LONGEST_RETRY_MS);
    const failing = { ...retry, key: event.id.slice(0, event.id.lastIndexOf('#')), message: event.detail };
    if (event.outcome === 'failed') return withDocument(memory, key, { ...before, failing });
    // It may have been written, and nobody would reload for what then looks as it should.
    return withDocument(memory, key, { writtenAt: event.at, owed: oweMore(before.owed, action, ''), failing });
  }
  const owed = oweMore(before.owed, action, event.digest ?? '');
  const places: Record<PlaceKey, PlaceMemory> = { ...memory.places };
  for (const change of action.changes) {
    places[change.place] = { ...memory.places[change.place], delivered: JSON.stringify(change.after), drift: null };
  }
  return withDocument({ ...memory, places }, key, { writtenAt: event.at, owed, failing: null });
}

export function evolveTakenUp(memory: Memory, action: TakeUpAction, event: FinishedEvent): Memory {
  const document = memory.documents[action.document];
  const owed = document?.owed;
  // The content changed meanwhile: everything is owed again, for the new content.
  if (document === undefined || !owed || owed.digest !== action.digest || owed.done !== action.index) return memory;
  switch (event.outcome) {
    case 'done': {
      const done = owed.done + 1;
      const rest = done === owed.steps.length ? null : { ...owed, done, retry: null };
      return withDocument(memory, action.document, { ...document, owed: rest });
    }
    case 'failed': {
      const retry = { ...backOff(owed.retry, event.at, FIRST_RETRY_MS, LONGEST_RETRY_MS), message: event.detail };
      return withDocument(memory, action.document, { ...document, owed: { ...owed, retry } });
    }
    // Owed at least once: what may not have happened is done again.
    case 'unknown':
    case 'notDone':
      return memory;
  }
}

const UNTOUCHED: DocumentMemory = { writtenAt: 0, owed: null, failing: null };

function oweMore(before: Owed | null, action: DeliverAction, digest: string): Owed | null {
  const steps = [...(before?.steps ?? [])];
  for (const step of action.takeUp) if (!steps.some((known) => isSame(known, step))) steps.push(step);
  const places = new Set([...(before?.places ?? []), ...action.changes.map((change) => change.place)]);
  return steps.length === 0 ? null : { digest, steps, places: [...places], done: 0, retry: null };
}

function withPlace(memory: Memory, key: PlaceKey, place: PlaceMemory): Memory {
  return { ...memory, places: { ...memory.places, [key]: place } };
}

function withDocument(memory: Memory, key: DocumentKey, document: DocumentMemory): Memory {
  return { ...memory, documents: { ...memory.documents, [key]: document } };
}

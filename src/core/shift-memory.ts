import type { DrillMemory } from './drills/drill-memory.ts';
import { shiftIncident } from './incidents/incident-times.ts';
import type { Memory, PlaceMemory, Retry, TargetMemory } from './memory.ts';
import type { Hold } from './model/hold.ts';
import type { Point } from './model/point.ts';
import { mapValues } from './record.ts';
import { shiftTrigger } from './triggers/trigger-times.ts';
import type { Millis } from './units.ts';

/** Every instant that a decision compares with `now`, moved as the clock was. What has only been noted stays. */
export function shiftMemory(memory: Memory, byMs: Millis): Memory {
  return {
    ...memory,
    startedAt: memory.startedAt === null ? null : memory.startedAt + byMs,
    halt: memory.halt === null ? null : { ...memory.halt, noticedAt: memory.halt.noticedAt + byMs },
    triggers: mapValues(memory.triggers, (trigger) => shiftTrigger(trigger, byMs)),
    triggersRecordedAt: memory.triggersRecordedAt + byMs,
    holds: mapValues(memory.holds, (hold) => shiftHold(hold, byMs)),
    incidents: mapValues(memory.incidents, (incident) => shiftIncident(incident, byMs)),
    rollbacks: memory.rollbacks.map((one) => ({
      ...one,
      at: one.at + byMs,
      endedAt: one.endedAt === null ? null : one.endedAt + byMs,
    })),
    brakes: mapValues(memory.brakes, (brake) => ({ ...brake, until: brake.until + byMs })),
    troubles: mapValues(memory.troubles, (at) => at + byMs),
    places: mapValues(memory.places, (place) => shiftPlace(place, byMs)),
    documents: mapValues(memory.documents, (document) => ({
      writtenAt: document.writtenAt + byMs,
      failing: document.failing === null ? null : shiftRetry(document.failing, byMs),
      owed:
        document.owed?.retry === undefined || document.owed.retry === null
          ? document.owed
          : { ...document.owed, retry: shiftRetry(document.owed.retry, byMs) },
    })),
    drills: mapValues(memory.drills ?? {}, (drill) => shiftDrill(drill, byMs)),
    targets: mapValues(memory.targets, (target) => shiftTarget(target, byMs)),
    points: mapValues(memory.points, (point) => shiftPoint(point, byMs)),
    restores: mapValues(memory.restores, (restore) => ({ ...restore, startedAt: restore.startedAt + byMs })),
    pruneRefusals: mapValues(memory.pruneRefusals, (refusal) => ({ ...refusal, at: refusal.at + byMs })),
    collection: memory.collection === null ? null : shiftRetry(memory.collection, byMs),
    outbox: mapValues(memory.outbox, (entry) => ({ ...shiftRetry(entry, byMs), queuedAt: entry.queuedAt + byMs })),
    paces: mapValues(memory.paces ?? {}, (pace) => ({
      ...pace,
      since: pace.since + byMs,
      closedUntil: pace.closedUntil + byMs,
    })),
    reportsOwed: mapValues(memory.reportsOwed, (retry) => shiftRetry(retry, byMs)),
  };
}

/** `since` orders latches over the same flag, and the newest one counts. */
function shiftHold(hold: Hold, byMs: Millis): Hold {
  const since = hold.since + byMs;
  if (hold.kind !== 'override' || hold.expiresAt === null) return { ...hold, since };
  return { ...hold, since, expiresAt: hold.expiresAt + byMs };
}

function shiftPlace(place: PlaceMemory, byMs: Millis): PlaceMemory {
  const { repairs } = place;
  if (repairs === undefined) return place;
  return { ...place, repairs: { ...shiftRetry(repairs, byMs), lastAt: repairs.lastAt + byMs } };
}

function shiftRetry<T extends Retry>(retry: T, byMs: Millis): T {
  return { ...retry, retryAt: retry.retryAt + byMs };
}

function shiftTarget(target: TargetMemory, byMs: Millis): TargetMemory {
  const { current, owed, failing, keepRetry } = target;
  return {
    ...target,
    current:
      current === null
        ? null
        : {
            ...current,
            since: current.since + byMs,
            calmSince: current.calmSince === null ? null : current.calmSince + byMs,
          },
    good: target.good.map((revision) => ({ ...revision, at: revision.at + byMs })),
    owed: owed?.retry === undefined || owed.retry === null ? owed : { ...owed, retry: shiftRetry(owed.retry, byMs) },
    failing: failing === null ? null : shiftRetry(failing, byMs),
    keepRetry: keepRetry === null ? null : shiftRetry(keepRetry, byMs),
  };
}

/** The id, which tells a time to people only, stays. So does the span of each capture, which is part of what was captured. */
function shiftPoint(point: Point, byMs: Millis): Point {
  const { createdAt, completedAt, verifiedAt, verify, pruned, pinned } = point;
  return {
    ...point,
    createdAt: createdAt + byMs,
    completedAt: completedAt === null ? null : completedAt + byMs,
    verifiedAt: verifiedAt === null ? null : verifiedAt + byMs,
    verify: verify === null ? null : shiftRetry(verify, byMs),
    pruned: pruned === null ? null : { ...pruned, at: pruned.at + byMs, deleteAt: pruned.deleteAt + byMs },
    pinned: pinned === null ? null : { ...pinned, at: pinned.at + byMs },
  };
}

/** What is due by the calendar counts from the present as the clock now shows it. */
function shiftDrill(drill: DrillMemory, byMs: Millis): DrillMemory {
  const { run, handledUntil } = drill;
  return {
    ...drill,
    handledUntil: handledUntil + byMs,
    run: run === null ? null : { ...run, startedAt: run.startedAt + byMs },
  };
}

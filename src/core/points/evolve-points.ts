import type { Event } from '../event.ts';
import type { Memory, Retry } from '../memory.ts';
import type { CaptureAction, CollectAction, RestoreAction, ValidateAction } from '../model/action.ts';
import type { RestoreId, RestoreOutcome } from '../model/manual-restore.ts';
import { isRecovered, type Point, type PointId, snapshotOf, wholeSnapshotOf } from '../model/point.ts';
import { backOff } from '../operations/back-off.ts';
import type { FinishedEvent } from '../operations/evolve-operations.ts';
import { mapValues, without } from '../record.ts';
import { evolveQuiesced } from '../targets/evolve-targets.ts';
import type { Millis } from '../units.ts';
import type { PointEvent } from './point-event.ts';

const FIRST_RETRY_MS: Millis = 5_000;
const LONGEST_RETRY_MS: Millis = 600_000;
/** What was read of a damaged database takes part in no retention, and lives so long at most. */
const RECOVERED_TTL_MS: Millis = 30 * 86_400_000;

type At = Pick<Event, 'at'>;

export function evolvePoints(memory: Memory, event: PointEvent & At): Memory {
  switch (event.type) {
    case 'point.begun':
    case 'point.imported':
      return { ...memory, points: { ...memory.points, [event.point.id]: event.point } };
    case 'point.dropped':
      return change(memory, event.point, (point) => ({ ...point, state: 'failed', failure: event.reason }));
    case 'point.cancelled':
      return change(memory, event.point, (point) => ({ ...point, cancelledBy: event.by }));
    case 'points.verifyAsked': {
      const verify = { by: event.by, rehearse: event.rehearse, retryAt: event.at, attempts: 0 };
      return changeAll(memory, event.points, (point) => ({ ...point, verify }));
    }
    case 'point.pinned': {
      const pinned = { by: event.by, at: event.at, ...(event.reason === undefined ? {} : { reason: event.reason }) };
      return change(memory, event.point, (point) => ({ ...point, pinned }));
    }
    case 'point.unpinned':
      return change(memory, event.point, (point) => ({ ...point, pinned: null }));
    case 'points.pruned': {
      const points = Object.fromEntries(
        event.points.flatMap(({ id, reason, deleteAt }) => {
          const point = memory.points[id];
          if (point === undefined) return [];
          return [[id, prunedPoint(point, { at: event.at, reason, deleteAt, was: point.state })]];
        }),
      );
      return { ...memory, points: { ...memory.points, ...points } };
    }
    case 'point.undeleted': {
      const pinned = { by: event.by, at: event.at, reason: 'brought back after it was pruned' };
      return change(memory, event.point, (point) =>
        point.pruned === null ? point : { ...point, state: point.pruned.was, pruned: null, pinned },
      );
    }
    case 'points.deleted':
      return collectionOwed({ ...memory, points: without(memory.points, event.points) }, event.at);
    case 'points.pruneRefused': {
      const { points, of, maxFraction, at } = event;
      return { ...memory, pruneRefusals: { ...memory.pruneRefusals, [event.policy]: { points, of, maxFraction, at } } };
    }
    case 'points.pruneSettled':
      return { ...memory, pruneRefusals: without(memory.pruneRefusals, [event.policy]) };
    case 'restore.begun':
      return {
        ...memory,
        restores: { ...memory.restores, [event.restore.id]: event.restore },
        nextRestore: memory.nextRestore + 1,
      };
    case 'restore.flagsSettled':
      return settled(memory, event.restore, event.target, event.result);
    case 'restore.ended':
      return { ...memory, restores: without(memory.restores, [event.restore]) };
    case 'schedule.met':
      return withSchedule(memory, event.schedule, { at: event.at, expression: event.expression });
    case 'schedule.served':
      return withSchedule(memory, event.schedule, { at: event.dueAt, expression: event.expression });
    case 'schedule.forgotten':
      return { ...memory, schedules: without(memory.schedules, [event.schedule]) };
  }
}

/** What became of one target of a person's restore. */
export function settled(
  memory: Memory,
  id: RestoreId,
  target: string,
  { outcome, detail, merge }: RestoreOutcome,
): Memory {
  const restore = memory.restores[id];
  if (restore === undefined) return memory;
  const outcomes = { ...restore.outcomes, [target]: { outcome, detail, ...(merge === undefined ? {} : { merge }) } };
  return { ...memory, restores: { ...memory.restores, [id]: { ...restore, outcomes } } };
}

function prunedPoint(point: Point, pruned: NonNullable<Point['pruned']>): Point {
  return { ...point, state: 'pruned', verify: null, pruned };
}

function withSchedule(memory: Memory, name: string, schedule: Memory['schedules'][string]): Memory {
  return { ...memory, schedules: { ...memory.schedules, [name]: schedule } };
}

/** A schedule that was served in a future that a clock only pretended must not wait until that comes. */
export function clampSchedules(memory: Memory, at: Millis): Memory {
  return {
    ...memory,
    schedules: mapValues(memory.schedules, (schedule) => ({ ...schedule, at: Math.min(schedule.at, at) })),
  };
}

/** From here on services may be stopped: they are owed their start, also after a kill. */
export function evolveCapturing(memory: Memory, action: CaptureAction): Memory {
  const owing = action.undo.reduce((known, { target, steps }) => evolveQuiesced(known, target, steps), memory);
  return change(owing, action.point, (point) => ({ ...point, state: 'capturing' }));
}

export function evolveCaptured(memory: Memory, { point: id }: CaptureAction, event: FinishedEvent): Memory {
  switch (event.outcome) {
    case 'done': {
      const spoilt = memory.points[id]?.failure ?? null;
      if (spoilt !== null) return failed(memory, id, spoilt, event.at);
      return change(memory, id, (point) => ({
        ...point,
        state: 'stored',
        snapshots: event.snapshots ?? [],
        ttlMs: isRecovered({ snapshots: event.snapshots ?? [] })
          ? Math.min(point.ttlMs ?? Infinity, RECOVERED_TTL_MS)
          : point.ttlMs,
        completedAt: event.at,
        verify: { by: 'revertd', rehearse: false, retryAt: event.at, attempts: 0 },
      }));
    }
    case 'failed':
    case 'unknown':
      return failed(memory, id, event.detail, event.at);
    // It had not begun: it is begun anew.
    case 'notDone':
      return memory;
  }
}

function failed(memory: Memory, id: PointId, failure: string, at: Millis): Memory {
  const changed = change(memory, id, (point) => ({ ...point, state: 'failed', failure, completedAt: null }));
  return collectionOwed(changed, at);
}

/** What is captured of a target while that is being restored is neither its old state nor its new one. */
export function spoilCaptures(memory: Memory, { target }: RestoreAction): Memory {
  const under = Object.values(memory.points).filter(
    ({ state, targets }) => state === 'capturing' && targets.includes(target.name),
  );
  const failure = `${target.name} was restored while it was captured`;
  return changeAll(
    memory,
    under.map(({ id }) => id),
    (point) => ({ ...point, failure }),
  );
}

export function evolveValidating(memory: Memory, { point: id }: ValidateAction): Memory {
  return change(memory, id, (point) => ({ ...point, state: 'validating' }));
}

/** An outcome that is not known says nothing of the point: it stays what it was, and is read again later. */
export function evolveValidated(memory: Memory, { point: id }: ValidateAction, event: FinishedEvent): Memory {
  return change(memory, id, (point): Point => {
    const before = point.verifiedAt === null ? 'stored' : 'valid';
    switch (event.outcome) {
      case 'done':
        return { ...point, state: 'valid', failure: null, verifiedAt: event.at, verify: null };
      case 'failed':
        return { ...point, state: 'invalid', failure: event.detail, verify: null };
      case 'unknown': {
        const { verify } = point;
        const retry = backOff(verify, event.at, FIRST_RETRY_MS, LONGEST_RETRY_MS);
        return { ...point, state: before, verify: verify === null ? null : { ...verify, ...retry } };
      }
      case 'notDone':
        return { ...point, state: point.state === 'validating' ? before : point.state };
    }
  });
}

export function evolveCollected(memory: Memory, _action: CollectAction, event: FinishedEvent): Memory {
  if (event.outcome === 'done') return { ...memory, collection: null };
  if (event.outcome === 'notDone') return memory;
  const retry = backOff(memory.collection ?? null, event.at, FIRST_RETRY_MS, LONGEST_RETRY_MS);
  return { ...memory, collection: { ...retry, message: event.detail } };
}

/** Content that no point needs is deleted soon; the first try has not failed yet. */
function collectionOwed(memory: Memory, at: Millis): Memory {
  const first: Retry = { attempts: 0, retryAt: at };
  return { ...memory, collection: memory.collection ?? first };
}

/** The newest snapshot of a target that is known to be intact, and whole. */
export function newestSnapshot(points: Memory['points'], target: string): Point['snapshots'][number] | undefined {
  const holding = Object.values(points).filter(
    (point) => point.state === 'valid' && wholeSnapshotOf(point, target) !== undefined,
  );
  const newest = holding.reduce<Point | undefined>(
    (best, point) => (best === undefined || point.createdAt > best.createdAt ? point : best),
    undefined,
  );
  return newest === undefined ? undefined : snapshotOf(newest, target);
}

function change(memory: Memory, id: PointId, how: (point: Point) => Point): Memory {
  return changeAll(memory, [id], how);
}

function changeAll(memory: Memory, ids: readonly PointId[], how: (point: Point) => Point): Memory {
  const changed = ids.flatMap((id) => {
    const point = memory.points[id];
    return point === undefined ? [] : [[id, how(point)] as const];
  });
  if (changed.length === 0) return memory;
  return { ...memory, points: { ...memory.points, ...Object.fromEntries(changed) } };
}

import type { Event } from '../../../src/core/event.ts';
import type { CaptureAction, RestoreAction, ValidateAction } from '../../../src/core/model/action.ts';
import type { IncidentId } from '../../../src/core/model/incident.ts';
import type { RestoreId } from '../../../src/core/model/manual-restore.ts';
import type { OperationId } from '../../../src/core/model/operation.ts';
import type { Point, PointId } from '../../../src/core/model/point.ts';
import { mapValues, without } from '../../../src/core/record.ts';
import type { Millis } from '../../../src/core/units.ts';

/** What the witness knows of rollback points. */
export type PointWitness = {
  /** Those that are not deleted. */
  readonly points: Readonly<Record<PointId, SeenPoint>>;
  /** Captures, readings and restores from points that are under way. */
  readonly work: Readonly<Record<OperationId, SeenWork>>;
  /** To which point the restore of an incident goes, from when it was settled until its rung goes on. */
  readonly destinations: Readonly<Record<IncidentId, PointId>>;
  /** Restores by hand that are under way. */
  readonly restores: Readonly<Record<RestoreId, { readonly point: PointId; readonly safety: PointId }>>;
  /** By PointPolicy, how often the capture was tried that its schedule asked for last, and when last. */
  readonly tries: Readonly<Record<string, SeenTries>>;
};

/** `dueAt`: the instant of the schedule that they are for, by the clock; null until it was said. */
export type SeenTries = { readonly count: number; readonly lastMs: Millis; readonly dueAt: Millis | null };

export type SeenPoint = Pick<Point, 'policy' | 'cause' | 'targets'> & {
  readonly bornMs: Millis;
  /** Whether it holds what it was to hold. */
  readonly isCaptured: boolean;
  /** How its content was when it was read last. */
  readonly content: 'unread' | 'intact' | 'damaged';
  readonly isPinned: boolean;
  readonly prunedMs: Millis | null;
};

export type SeenWork = {
  readonly action: CaptureAction | ValidateAction | RestoreAction;
  readonly hasBegun: boolean;
  /** A capture during which its target was being restored. */
  readonly isSpoilt: boolean;
};

export const NO_POINTS: PointWitness = { points: {}, work: {}, destinations: {}, restores: {}, tries: {} };

export function watchPoints(known: PointWitness, event: Event, elapsedMs: Millis): PointWitness {
  switch (event.type) {
    case 'point.imported':
    case 'point.begun':
      return born(known, event.point, elapsedMs);
    case 'point.pinned':
      return changed(known, event.point, { isPinned: true });
    case 'points.pruned':
      return event.points.reduce((all, { id }) => changed(all, id, { prunedMs: elapsedMs }), known);
    case 'points.deleted':
      return { ...known, points: without(known.points, event.points) };
    case 'schedule.served': {
      // The point that it asks for was begun just before.
      const policy = event.schedule.replace(/^take:/, '');
      const last = known.tries[policy];
      if (last === undefined || last.dueAt === event.dueAt) return known;
      return withTries(known, policy, { ...last, count: 1, dueAt: event.dueAt });
    }
    case 'restore.begun': {
      const { id, point, safety } = event.restore;
      return { ...known, restores: { ...known.restores, [id]: { point, safety } } };
    }
    case 'restore.ended':
      return { ...known, restores: without(known.restores, [event.restore]) };
    case 'step.started': {
      const { incident, destination } = event;
      if (destination === undefined || !Object.hasOwn(known.points, destination)) return settled(known, incident);
      return { ...known, destinations: { ...known.destinations, [incident]: destination } };
    }
    case 'verification.started':
    case 'rung.entered':
    case 'rung.failed':
    case 'incident.closed':
      return settled(known, event.incident);
    case 'incident.answered':
      return event.answer === 'retry' ? known : settled(known, event.incident);
    case 'operation.planned':
    case 'operation.running':
    case 'operation.finished':
      return watchWork(known, event);
    default:
      return known;
  }
}

function born(known: PointWitness, point: Point, elapsedMs: Millis): PointWitness {
  const { id, policy, cause, targets, state, pinned } = point;
  const isCaptured = state === 'valid';
  const content = isCaptured ? 'intact' : 'unread';
  const isPinned = pinned !== null;
  const seen: SeenPoint = {
    policy,
    cause,
    targets,
    isCaptured,
    content,
    isPinned,
    bornMs: elapsedMs,
    prunedMs: null,
  };
  const all = { ...known, points: { ...known.points, [id]: seen } };
  if (cause.kind !== 'schedule' || policy === null || isCaptured) return all;
  const { count = 0, dueAt = null } = known.tries[policy] ?? {};
  return withTries(all, policy, { count: count + 1, lastMs: elapsedMs, dueAt });
}

function withTries(known: PointWitness, policy: string, tries: SeenTries): PointWitness {
  return { ...known, tries: { ...known.tries, [policy]: tries } };
}

function settled(known: PointWitness, incident: IncidentId): PointWitness {
  if (!Object.hasOwn(known.destinations, incident)) return known;
  return { ...known, destinations: without(known.destinations, [incident]) };
}

type WorkEvent = Extract<Event, { type: 'operation.planned' | 'operation.running' | 'operation.finished' }>;

function watchWork(known: PointWitness, event: WorkEvent): PointWitness {
  if (event.type === 'operation.planned') {
    const { id, action } = event.operation;
    if (!isOfPoints(action)) return known;
    return { ...known, work: { ...known.work, [id]: { action, hasBegun: false, isSpoilt: false } } };
  }
  const work = known.work[event.id];
  if (work === undefined) return known;
  if (event.type === 'operation.running') {
    const all = { ...known.work, [event.id]: { ...work, hasBegun: true } };
    return { ...known, work: mapValues(all, (one) => ({ ...one, isSpoilt: one.isSpoilt || isDisturbed(one, all) })) };
  }
  const rest = { ...known, work: without(known.work, [event.id]) };
  const { action, isSpoilt } = work;
  switch (action.kind) {
    case 'capture':
      return changed(rest, action.point, { isCaptured: event.outcome === 'done' && !isSpoilt });
    case 'validate':
      if (event.outcome === 'done') return changed(rest, action.point, { content: 'intact' });
      return event.outcome === 'failed' ? changed(rest, action.point, { content: 'damaged' }) : rest;
    case 'restore':
      return rest;
  }
}

function isOfPoints(action: { readonly kind: string }): action is SeenWork['action'] {
  return action.kind === 'capture' || action.kind === 'validate' || (action.kind === 'restore' && 'snapshot' in action);
}

function isDisturbed({ action, hasBegun }: SeenWork, all: PointWitness['work']): boolean {
  if (action.kind !== 'capture' || !hasBegun) return false;
  return Object.values(all).some(
    (one) => one.action.kind === 'restore' && one.hasBegun && targetsOf(action).includes(one.action.target.name),
  );
}

export function targetsOf({ targets }: CaptureAction): string[] {
  return targets.map(({ name }) => name);
}

/** Whether something can be restored from it, as far as anybody knows. */
export function isSound({ isCaptured, content, prunedMs }: SeenPoint): boolean {
  return isCaptured && content !== 'damaged' && prunedMs === null;
}

/** Whether it is known to be intact, and in use. */
export function isProven(point: SeenPoint): boolean {
  return isSound(point) && point.content === 'intact';
}

function changed(known: PointWitness, id: PointId, change: Partial<SeenPoint>): PointWitness {
  const seen = known.points[id];
  return seen === undefined ? known : { ...known, points: { ...known.points, [id]: { ...seen, ...change } } };
}

import type { Event } from '../event.ts';
import type { Action } from '../model/action.ts';
import type { IncidentId } from '../model/incident.ts';
import type { OperationId } from '../model/operation.ts';
import type { PointId } from '../model/point.ts';
import { fromReadingValue } from '../observed.ts';
import type { Millis } from '../units.ts';

/** What one event says of the tables that people ask with SQL; what a point is now stands in memory. */
export type Projected = {
  readonly operation?: OperationChange;
  readonly figures: readonly Figure[];
  /** The one point that it is about; absent where there is none, or several. */
  readonly point?: PointId;
};

/** The status goes planned → running → completed | done | failed | unknown | notDone, or a merge's end. */
export type OperationChange = { readonly id: OperationId; readonly status: string; readonly detail?: string } & (
  | {
      readonly kind: 'planned';
      readonly type: Action['kind'];
      readonly point: PointId | null;
      readonly strategy: string | null;
    }
  | { readonly kind: 'running' }
  | { readonly kind: 'ended'; readonly isSuccess: boolean }
);

/** One measured value; `unit` is `ms` or `bytes`, and null for what a query gave. */
export type Figure = {
  readonly name: 'operation_duration' | 'snapshot_size' | 'incident_duration' | 'trigger_value';
  readonly value: number;
  readonly unit: 'ms' | 'bytes' | null;
  readonly tags: Readonly<Record<string, string>>;
};

/** `openedAt` knows every incident that the log has opened. */
export function projectEvent(event: Event, openedAt: (incident: IncidentId) => Millis | null): Projected {
  switch (event.type) {
    case 'operation.planned': {
      const { id, action } = event.operation;
      const point = pointOf(action);
      const planned = { kind: 'planned', id, status: 'planned', type: action.kind, point } as const;
      return {
        operation: { ...planned, strategy: strategyOf(action) },
        figures: [],
        ...(point === null ? {} : { point }),
      };
    }
    case 'operation.running':
      return { operation: { kind: 'running', id: event.id, status: 'running' }, figures: [] };
    case 'operation.finished': {
      const { id, outcome, detail, merge } = event;
      const isSuccess = outcome === 'done';
      return {
        operation: { kind: 'ended', id, status: merge?.end ?? outcome, detail, isSuccess },
        figures: finishedFigures(event),
      };
    }
    case 'trigger.changed': {
      const { value } = event.memory;
      const read = value === null ? Number.NaN : fromReadingValue(value);
      const tags = { trigger: event.trigger, from: event.from, to: event.to };
      return { figures: Number.isFinite(read) ? [{ name: 'trigger_value', value: read, unit: null, tags }] : [] };
    }
    case 'incident.closed': {
      const begun = openedAt(event.incident);
      const tags = { incident: event.incident, outcome: event.outcome };
      return {
        figures: begun === null ? [] : [{ name: 'incident_duration', value: event.at - begun, unit: 'ms', tags }],
      };
    }
    case 'point.begun':
    case 'point.imported':
      return { figures: [], point: event.point.id };
    case 'point.dropped':
    case 'point.cancelled':
    case 'point.pinned':
    case 'point.unpinned':
    case 'point.undeleted':
      return { figures: [], point: event.point };
    case 'points.verifyAsked':
      return { figures: [], ...onlyOne(event.points) };
    case 'points.pruned':
      return { figures: [], ...onlyOne(event.points.map(({ id }) => id)) };
    case 'restore.begun':
      return { figures: [], point: event.restore.point };
    default:
      return { figures: [] };
  }
}

function onlyOne([first, ...others]: readonly PointId[]): { point?: PointId } {
  return first === undefined || others.length > 0 ? {} : { point: first };
}

function finishedFigures({
  id,
  outcome,
  durationMs,
  snapshots,
}: Extract<Event, { type: 'operation.finished' }>): Figure[] {
  const taken: Figure = { name: 'operation_duration', value: durationMs, unit: 'ms', tags: { operation: id, outcome } };
  const sizes = (snapshots ?? []).map(
    ({ target, bytes }): Figure => ({ name: 'snapshot_size', value: bytes, unit: 'bytes', tags: { target } }),
  );
  return [taken, ...sizes];
}

/** The point that it captures, reads, copies or restores from. */
function pointOf(action: Action): PointId | null {
  switch (action.kind) {
    case 'capture':
    case 'validate':
      return action.point;
    case 'copy':
      return action.point.id;
    case 'restore':
      return action.snapshot === undefined ? null : action.to;
    default:
      return null;
  }
}

function strategyOf(action: Action): string | null {
  if (action.kind !== 'restore') return null;
  if (action.merge !== undefined) return `merge/${action.merge.conflicts}`;
  return action.paths.length > 0 || action.rows !== undefined ? 'partial' : 'immediate';
}

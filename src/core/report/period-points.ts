import type { Event } from '../event.ts';

/** What happened to rollback points. */
export type PointFigures = {
  /** Captures that ended well. */
  readonly pointsTaken: number;
  readonly pointsFailed: number;
  /** Found not to be as they were stored. */
  readonly pointsDamaged: number;
  readonly pointsPruned: number;
  /** Plain content of the captures. */
  readonly capturedBytes: number;
  /** What of it was new in the store, as stored. */
  readonly storedBytes: number;
  /** Targets put back, by rungs and by hand. */
  readonly restored: number;
  readonly failedRestores: number;
};

/** Of `events`, which are part of `all`; an operation whose beginning is not among these is not counted. */
export function pointFigures(events: readonly Event[], all: readonly Event[]): PointFigures {
  const figures = {
    pointsTaken: 0,
    pointsFailed: 0,
    pointsDamaged: 0,
    pointsPruned: 0,
    capturedBytes: 0,
    storedBytes: 0,
    restored: 0,
    failedRestores: 0,
  };
  const planned = all.flatMap((event) => (event.type === 'operation.planned' ? [event.operation] : []));
  const kinds = new Map(planned.map(({ id, action }) => [id, action.kind]));
  for (const event of events) {
    if (event.type === 'points.pruned') figures.pointsPruned += event.points.length;
    if (event.type === 'operation.finished') count(figures, kinds.get(event.id), event);
  }
  return figures;
}

type Counts = { -readonly [name in keyof PointFigures]: number };

function count(
  figures: Counts,
  kind: string | undefined,
  { outcome, snapshots = [] }: Extract<Event, { type: 'operation.finished' }>,
): void {
  if (outcome === 'notDone') return;
  const isDone = outcome === 'done';
  if (kind === 'restore') figures[isDone ? 'restored' : 'failedRestores'] += 1;
  if (kind === 'validate' && outcome === 'failed') figures.pointsDamaged += 1;
  if (kind !== 'capture') return;
  figures[isDone ? 'pointsTaken' : 'pointsFailed'] += 1;
  for (const { bytes, storedBytes } of snapshots) {
    figures.capturedBytes += bytes;
    figures.storedBytes += storedBytes;
  }
}

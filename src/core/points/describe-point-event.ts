import { describeCause } from '../model/point.ts';
import { formatInstant } from '../units.ts';
import type { PointEvent } from './point-event.ts';

/** More are counted, and not named. */
const MOST_NAMED = 3;

/** The event in one line for people; null for those that only move memory. */
export function describePointEvent(event: PointEvent): string | null {
  switch (event.type) {
    case 'point.begun':
      return `point ${event.point.id} begins, ${describeCause(event.point.cause)}: ${event.point.targets.join(', ')}`;
    case 'point.imported':
      return `point ${event.point.id} is ${event.point.pinned?.reason ?? 'imported'}`;
    case 'point.dropped':
      return `point ${event.point} is given up: ${event.reason}`;
    case 'point.cancelled':
      return `${event.by} cancels point ${event.point}`;
    case 'points.verifyAsked':
      return `${event.by} has ${named(event.points)} read again${event.rehearse ? ' and restored beside the live system' : ''}`;
    case 'point.pinned':
      return `${event.by} pins point ${event.point}${event.reason === undefined ? '' : `: ${event.reason}`}`;
    case 'point.unpinned':
      return `${event.by} unpins point ${event.point}`;
    case 'points.pruned': {
      const [first] = event.points;
      const why =
        first === undefined ? '' : `: ${first.reason}; can be brought back until ${formatInstant(first.deleteAt)}`;
      return `${named(event.points.map(({ id }) => id))} pruned${why}`;
    }
    case 'point.undeleted':
      return `${event.by} brings point ${event.point} back`;
    case 'points.deleted':
      return `${named(event.points)} deleted`;
    case 'points.pruneRefused':
      return `PointPolicy ${event.policy} would prune ${event.points.length} of its ${event.of} points, more than ${event.maxFraction} of them at once: none is pruned`;
    case 'points.pruneSettled':
      return `PointPolicy ${event.policy} has no refused run any more`;
    case 'restore.begun': {
      const { id, by, point, targets, reason } = event.restore;
      return `${id}: ${by} restores ${targets.join(', ')} from ${point}: ${reason}`;
    }
    case 'restore.flagsSettled':
      return `${event.restore}, ${event.target}: ${event.result.detail}`;
    case 'restore.ended':
      return `${event.restore} ${event.outcome}: ${event.detail}`;
    case 'schedule.met':
    case 'schedule.served':
    case 'schedule.forgotten':
      return null;
  }
}

function named(ids: readonly string[]): string {
  const shown = ids.slice(0, MOST_NAMED).join(', ');
  return ids.length > MOST_NAMED
    ? `${shown} and ${ids.length - MOST_NAMED} more points`
    : `${ids.length === 1 ? 'point' : 'points'} ${shown}`;
}

import { formatDuration } from '../units.ts';
import type { PeriodFigures, StorageFigures } from './period-report.ts';

export type PeriodRow = {
  readonly name: string;
  readonly now: string;
  readonly before: string;
  /** How it moved: `+2`, `-3m`, or an empty text. */
  readonly trend: string;
  /** Whether that is good news; null where it is neither. */
  readonly better: boolean | null;
};

type Line = {
  readonly name: string;
  readonly of: (figures: PeriodFigures) => number | null;
  readonly unit: 'count' | 'span' | 'bytes';
  /** Whether fewer are better; null where neither is. */
  readonly fewer: boolean | null;
};

const LINES: readonly Line[] = [
  { name: 'Rollbacks', of: ({ rollbacks }) => rollbacks, unit: 'count', fewer: true },
  { name: 'Rollbacks, resolved', of: ({ resolved }) => resolved, unit: 'count', fewer: null },
  { name: 'Rollbacks, exhausted', of: ({ exhausted }) => exhausted, unit: 'count', fewer: true },
  { name: 'Rollbacks, aborted', of: ({ aborted }) => aborted, unit: 'count', fewer: true },
  { name: 'Levels of escalation', of: ({ escalations }) => escalations, unit: 'count', fewer: true },
  { name: 'Recovery, median', of: ({ medianRecoveryMs }) => medianRecoveryMs, unit: 'span', fewer: true },
  { name: 'Recovery, worst', of: ({ worstRecoveryMs }) => worstRecoveryMs, unit: 'span', fewer: true },
  { name: 'Recovery, within objective', of: ({ withinRto }) => withinRto, unit: 'count', fewer: null },
  { name: 'Recovery, beyond objective', of: ({ beyondRto }) => beyondRto, unit: 'count', fewer: true },
  { name: 'Flags latched', of: ({ flagsLatched }) => flagsLatched, unit: 'count', fewer: true },
  { name: 'Overrides by people', of: ({ overrides }) => overrides, unit: 'count', fewer: null },
  { name: 'Drifts', of: ({ drifts }) => drifts, unit: 'count', fewer: true },
  { name: 'Operations', of: ({ operations }) => operations, unit: 'count', fewer: null },
  { name: 'Operations, failed', of: ({ failedOperations }) => failedOperations, unit: 'count', fewer: true },
  { name: 'Refused actions', of: ({ refusedActions }) => refusedActions, unit: 'count', fewer: true },
  { name: 'Revisions', of: ({ revisions }) => revisions, unit: 'count', fewer: null },
  { name: 'Refused revisions', of: ({ refusedRevisions }) => refusedRevisions, unit: 'count', fewer: true },
  { name: 'Dropped messages', of: ({ droppedMessages }) => droppedMessages, unit: 'count', fewer: true },
  { name: 'Drills', of: ({ drills }) => drills, unit: 'count', fewer: null },
  { name: 'Drills, failed', of: ({ failedDrills }) => failedDrills, unit: 'count', fewer: true },
  { name: 'Points taken', of: ({ pointsTaken }) => pointsTaken, unit: 'count', fewer: null },
  { name: 'Points, failed', of: ({ pointsFailed }) => pointsFailed, unit: 'count', fewer: true },
  { name: 'Points, damaged', of: ({ pointsDamaged }) => pointsDamaged, unit: 'count', fewer: true },
  { name: 'Points, pruned', of: ({ pointsPruned }) => pointsPruned, unit: 'count', fewer: null },
  { name: 'Content captured', of: ({ capturedBytes }) => capturedBytes, unit: 'bytes', fewer: null },
  { name: 'Content new in the store', of: ({ storedBytes }) => storedBytes, unit: 'bytes', fewer: null },
  { name: 'Targets restored', of: ({ restored }) => restored, unit: 'count', fewer: null },
  { name: 'Targets, restore failed', of: ({ failedRestores }) => failedRestores, unit: 'count', fewer: true },
  { name: 'Halts', of: ({ halts }) => halts, unit: 'count', fewer: null },
];

/** The figures of a period beside those of the one before it. */
export function periodRows(now: PeriodFigures, before: PeriodFigures): PeriodRow[] {
  return LINES.map(({ name, of, unit, fewer }) => {
    const [value, past] = [of(now), of(before)];
    const change = value === null || past === null ? 0 : value - past;
    return {
      name,
      now: shown(value, unit),
      before: shown(past, unit),
      trend: change === 0 ? '' : `${change > 0 ? '+' : ''}${shown(change, unit)}`,
      better: change === 0 || fewer === null ? null : fewer === change < 0,
    };
  });
}

function shown(value: number | null, unit: Line['unit']): string {
  if (value === null) return '–';
  switch (unit) {
    case 'span':
      return formatDuration(value);
    case 'bytes':
      return value < 0 ? `-${formatBytes(-value)}` : formatBytes(value);
    case 'count':
      return String(value);
  }
}

/** What the log and the points take, in words. */
export function storageText({ bytes, events, readings, points }: StorageFigures): string {
  const log = `The log takes ${formatBytes(bytes)}: ${events} events, ${readings} readings.`;
  if (points.count === 0) return log;
  return `${log} ${points.count} point(s) take ${formatBytes(points.bytes)} for ${formatBytes(points.content)} of content.`;
}

/** A size for people, in powers of 1024. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit] ?? 'B'}`;
}

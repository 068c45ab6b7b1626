import type { PointState } from '../../core/model/point.ts';
import { formatBytes } from '../../core/report/period-rows.ts';
import { formatDuration, type Millis } from '../../core/units.ts';
import type { PointsSummary, TargetPoint } from '../../server/points-summary.ts';

/** What a captured target could go back to. */
export function newestText({ point, ageMs }: TargetPoint): string {
  return point === null ? 'no valid point yet' : `newest valid point ${point}, ${formatDuration(ageMs ?? 0)} old`;
}

const ORDER: readonly PointState[] = [
  'valid',
  'expired',
  'stored',
  'validating',
  'capturing',
  'creating',
  'invalid',
  'failed',
  'pruned',
];

/** How many points there are, what they take, and what is under way. */
export function pointRows(points: PointsSummary, now: Millis): string[] {
  const counts = ORDER.flatMap((state) => {
    const count = points.states[state];
    return count === undefined ? [] : [`${count} ${state}`];
  });
  if (counts.length === 0) return [];
  const size = points.storeBytes ?? points.storedBytes;
  return [
    `${counts.join(', ')}; ${formatBytes(points.bytes)} of content in ${formatBytes(size)}`,
    ...points.underWay.map(
      ({ point, doing, since, progress }) =>
        `${point} ${doing}, since ${formatDuration(Math.max(0, now - since))}${progressText(progress)}`,
    ),
    ...points.restores.map(
      ({ restore, point, targets, done, since }) =>
        `${restore} restores ${targets.join(', ')} from ${point}, since ${formatDuration(Math.max(0, now - since))}: ${done} of ${targets.length} done`,
    ),
    ...(points.collecting ? ['content that no point needs is to be deleted'] : []),
  ];
}

function progressText(progress: PointsSummary['underWay'][number]['progress']): string {
  if (progress === null) return '';
  const { bytes, total, files } = progress;
  const done = total === undefined ? formatBytes(bytes) : `${formatBytes(bytes)} of ${formatBytes(total)}`;
  return `: ${done}${files === undefined ? '' : `, ${files} files`}`;
}

import { shortNumber } from '../model/trigger.ts';
import type { ReadingPoint } from './incident-report.ts';

/** The readings in words, for those who do not see a plot. */
export function readingStatistics(readings: readonly ReadingPoint[]): string {
  const lows = finite(readings.map(({ low, mean }) => low ?? mean));
  const highs = finite(readings.map(({ high, mean }) => high ?? mean));
  const means = finite(readings.map(({ mean }) => mean));
  const last = means.at(-1);
  if (last === undefined) return 'no values';
  // Not spread into Math.min: there may be more readings than a call has room for arguments.
  const lowest = lows.reduce((one, other) => Math.min(one, other));
  const highest = highs.reduce((one, other) => Math.max(one, other));
  return `lowest ${shortNumber(lowest)}, highest ${shortNumber(highest)}, last ${shortNumber(last)}`;
}

function finite(values: readonly (number | null)[]): number[] {
  return values.flatMap((value) => (value === null || !Number.isFinite(value) ? [] : [value]));
}

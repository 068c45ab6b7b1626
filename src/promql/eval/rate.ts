import type { Window } from './node.ts';

export type RateKind = {
  /** Decreases are resets of a counter, and values are never below zero. */
  readonly isCounter: boolean;
  /** Divide by the range in seconds. */
  readonly perSecond: boolean;
};

/**
 * `rate`, `increase` and `delta`: the difference of the last and first sample plus what resets lost, extrapolated to the
 * bounds of the range. A bound more than 1.1 average intervals away from its sample is taken for the series' beginning or
 * end, and only half an interval is extrapolated; a counter never further back than to where it would have been zero.
 * Source: Prometheus, promql/functions.go, extrapolatedRate.
 */
export function extrapolatedRate(window: Window, kind: RateKind): number {
  const { times, values, from, to, rangeStart, rangeEnd } = window;
  const first = values[from] ?? NaN;
  const firstTime = times[from] ?? NaN;
  const lastTime = times[to - 1] ?? NaN;
  const change = (values[to - 1] ?? NaN) - first + (kind.isCounter ? lostByResets(window) : 0);
  const sampled = (lastTime - firstTime) / 1000;
  const interval = sampled / (to - from - 1);
  let toStart = bounded((firstTime - rangeStart) / 1000, interval);
  if (kind.isCounter && change > 0 && first >= 0) toStart = Math.min(toStart, sampled * (first / change));
  const toEnd = bounded((rangeEnd - lastTime) / 1000, interval);
  const factor = (sampled + toStart + toEnd) / sampled;
  return change * (kind.perSecond ? factor / ((rangeEnd - rangeStart) / 1000) : factor);
}

function bounded(gap: number, interval: number): number {
  return gap >= interval * 1.1 ? interval / 2 : gap;
}

function lostByResets({ values, from, to, mayFall }: Window): number {
  if (!mayFall) return 0;
  let lost = 0;
  let previous = values[from] ?? NaN;
  for (let i = from + 1; i < to; i += 1) {
    const value = values[i] ?? NaN;
    if (value < previous) lost += previous;
    previous = value;
  }
  return lost;
}

/** `irate` and `idelta`: the last two samples only. */
export function instantRate({ times, values, to }: Window, isRate: boolean): number {
  const last = values[to - 1] ?? NaN;
  const previous = values[to - 2] ?? NaN;
  const isReset = isRate && last < previous;
  const change = isReset ? last : last - previous;
  return isRate ? change / (((times[to - 1] ?? NaN) - (times[to - 2] ?? NaN)) / 1000) : change;
}

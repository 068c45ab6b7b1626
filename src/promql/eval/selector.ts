import type { Millis } from '../../core/units.ts';
import type { TimeShift, VectorSelector } from '../ast.ts';
import type { Labels, Queryable, Series } from '../series.ts';
import { isStale } from '../staleness.ts';
import { createVector, type Frame, type Plan, push, type VectorNode } from './node.ts';

/** Selected series, with their labels made identical to all equal ones of the query. */
export type Resolved = { readonly series: readonly Series[]; readonly labels: readonly Labels[] };

/** Resolves a selector once and keeps the answer while the store's generation stays. */
export function seriesResolver(plan: Plan, selector: VectorSelector): (frame: Frame) => Resolved {
  let store: Queryable | undefined;
  let generation = 0;
  let resolved: Resolved = { series: [], labels: [] };
  return (frame) => {
    if (store === frame.store && generation === frame.store.generation) return resolved;
    const series = frame.store.resolve(selector.matchers);
    store = frame.store;
    generation = frame.store.generation;
    resolved = { series, labels: series.map((one) => plan.interner.intern(one.labels)) };
    return resolved;
  };
}

/** The instant that a selector or subquery looks at when the query is at `frame.at`. */
export function shiftedTime(shift: TimeShift, frame: Frame): Millis {
  return anchorTime(shift, frame) - shift.offsetMs;
}

function anchorTime({ at }: TimeShift, frame: Frame): Millis {
  switch (at?.kind) {
    case undefined:
      return frame.at;
    case 'time':
      return at.at;
    case 'start':
      return frame.start;
    case 'end':
      return frame.end;
    default:
      return at satisfies never;
  }
}

/** The first index in `first <= index < end` whose time is after `at`, or `end`. */
export function firstAfter(times: Float64Array, first: number, end: number, at: Millis): number {
  let low = first;
  let high = end;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((times[middle] ?? 0) > at) high = middle;
    else low = middle + 1;
  }
  return low;
}

/**
 * As `firstAfter`, tried first at `hint`: the series of one target share their times, so what was found for one of them holds
 * for nearly all others.
 */
export function firstAfterNear(times: Float64Array, first: number, end: number, at: Millis, hint: number): number {
  const isNear = hint >= first && hint <= end;
  const fits = isNear && (hint === first || (times[hint - 1] ?? 0) <= at) && (hint === end || (times[hint] ?? 0) > at);
  return fits ? hint : firstAfter(times, first, end, at);
}

/**
 * An instant selector: the newest sample of each series in the lookback, open on the left, unless it is a staleness
 * marker. With `result` set to `time` the elements have their samples' times in seconds, for `timestamp()`.
 */
export function instantSelector(plan: Plan, selector: VectorSelector, result: 'value' | 'time'): VectorNode {
  const resolve = seriesResolver(plan, selector);
  const out = createVector();
  return {
    type: 'vector',
    vector: (frame) => {
      const { series, labels } = resolve(frame);
      const reference = shiftedTime(selector, frame);
      frame.cost += series.length;
      out.length = 0;
      let hint = 0;
      for (let i = 0; i < series.length; i += 1) {
        const one = series[i];
        const name = labels[i];
        if (one === undefined || name === undefined) continue;
        hint = firstAfterNear(one.times, one.first, one.end, reference, hint);
        const index = hint - 1;
        if (index < one.first) continue;
        const time = one.times[index] ?? NaN;
        if (time <= reference - plan.lookbackMs || isStale(one.values, index)) continue;
        push(out, name, result === 'time' ? time / 1000 : (one.values[index] ?? NaN), false);
      }
      return out;
    },
  };
}

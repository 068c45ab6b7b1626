import type { RangeSelector, Span, Subquery } from '../ast.ts';
import type { Labels } from '../series.ts';
import { isStale } from '../staleness.ts';
import { spendStep } from './cost.ts';
import { type Frame, labelsAt, type MatrixNode, type Plan, type VectorNode, valueAt, type Window } from './node.ts';
import { firstAfterNear, type Resolved, seriesResolver, shiftedTime } from './selector.ts';

const EMPTY = new Float64Array(0);

function createWindow(): Window {
  return { times: EMPTY, values: EMPTY, from: 0, to: 0, mayFall: true, rangeStart: 0, rangeEnd: 0, at: 0 };
}

/** `selector[range]`: windows into the series' own columns, copied only to leave staleness markers out. */
export function rangeSelector(plan: Plan, expr: RangeSelector): MatrixNode {
  const resolve = seriesResolver(plan, expr.selector);
  const window = createWindow();
  const scratch = { times: EMPTY, values: EMPTY };
  let resolved: Resolved = { series: [], labels: [] };
  let hintFrom = 0;
  let hintTo = 0;
  let scans = new Float64Array(0);
  return {
    type: 'matrix',
    source: {
      open(frame) {
        const current = resolve(frame);
        if (current !== resolved) scans = newScans(current.series.length);
        resolved = current;
        window.rangeEnd = shiftedTime(expr.selector, frame);
        window.rangeStart = window.rangeEnd - expr.rangeMs;
        window.at = frame.at;
        return resolved.series.length;
      },
      labels: (index) => resolved.labels[index] ?? NO_LABELS,
      dropName: () => false,
      window(index) {
        const series = resolved.series[index];
        if (series === undefined) return window;
        window.times = series.times;
        window.values = series.values;
        const { first, end } = series;
        hintFrom = firstAfterNear(series.times, first, end, window.rangeStart, hintFrom);
        hintTo = firstAfterNear(series.times, hintFrom, end, window.rangeEnd, hintTo);
        window.from = hintFrom;
        window.to = hintTo;
        const scan = index * SCAN.fields;
        extendScan(window, first, scans, scan);
        window.mayFall = (scans[scan + SCAN.lastFall] ?? NaN) > (window.times[window.from] ?? Infinity);
        if ((scans[scan + SCAN.lastStale] ?? NaN) > window.rangeStart) copyWithoutStale(window, scratch);
        return window;
      },
    },
  };
}

const NO_LABELS: Labels = {};

/**
 * The span of a series' samples that was searched for staleness markers and for values below the one before, and where the
 * last of each stands. Samples are only ever appended, so each needs to be looked at once. Four numbers for each series, in
 * one array: there are as many of these as selectors have series, a multiple of all series.
 */
const SCAN = { from: 0, to: 1, lastStale: 2, lastFall: 3, fields: 4 } as const;

function newScans(count: number): Float64Array<ArrayBuffer> {
  const scans = new Float64Array(count * SCAN.fields).fill(-Infinity);
  for (let at = 0; at < scans.length; at += SCAN.fields) scans[at + SCAN.from] = Infinity;
  return scans;
}

function extendScan(window: Window, first: number, scans: Float64Array, scan: number): void {
  const { times, values, from, to, rangeStart } = window;
  if (rangeStart < (scans[scan + SCAN.from] ?? NaN) || rangeStart > (scans[scan + SCAN.to] ?? NaN)) {
    scans.fill(-Infinity, scan, scan + SCAN.fields);
    scans[scan + SCAN.from] = rangeStart;
    scans[scan + SCAN.to] = rangeStart;
  }
  const searched = scans[scan + SCAN.to] ?? NaN;
  let lastStale = scans[scan + SCAN.lastStale] ?? NaN;
  let lastFall = scans[scan + SCAN.lastFall] ?? NaN;
  for (let i = to - 1; i >= from && (times[i] ?? NaN) > searched; i -= 1) {
    const time = times[i] ?? NaN;
    if (isStale(values, i)) lastStale = Math.max(lastStale, time);
    // Also at the window's first sample: a later window may begin further back.
    else if (i > first && (values[i] ?? NaN) < (values[i - 1] ?? NaN)) lastFall = Math.max(lastFall, time);
  }
  scans[scan + SCAN.lastStale] = lastStale;
  scans[scan + SCAN.lastFall] = lastFall;
  scans[scan + SCAN.to] = Math.max(searched, to > from ? (times[to - 1] ?? NaN) : searched);
}

function copyWithoutStale(window: Window, scratch: { times: Float64Array; values: Float64Array }): void {
  const { times, values, from, to } = window;
  if (scratch.times.length < to - from) {
    scratch.times = new Float64Array((to - from) * 2);
    scratch.values = new Float64Array((to - from) * 2);
  }
  let length = 0;
  for (let i = from; i < to; i += 1) {
    if (isStale(values, i)) continue;
    scratch.times[length] = times[i] ?? NaN;
    scratch.values[length] = values[i] ?? NaN;
    length += 1;
  }
  window.times = scratch.times;
  window.values = scratch.values;
  window.from = 0;
  window.to = length;
  // What lay on both sides of a marker are neighbours only now.
  window.mayFall = true;
}

/** Results of a subquery's inner expression, one growing pair of columns per label set. */
type Collected = { labels: Labels; dropName: boolean; times: Float64Array; values: Float64Array; length: number };

/**
 * `expr[range:step]`: evaluates the inner expression at every multiple of the step inside of the range, which is open on
 * the left, and hands out the results as windows.
 */
export function subquery(plan: Plan, expr: Subquery, inner: VectorNode): MatrixNode {
  const stepMs = expr.stepMs === undefined || expr.stepMs === 0 ? plan.defaultStepMs : expr.stepMs;
  const window = createWindow();
  const collected = new Map<Labels, Collected>();
  let list: Collected[] = [];
  return {
    type: 'matrix',
    source: {
      open(frame) {
        window.rangeEnd = shiftedTime(expr, frame);
        window.rangeStart = window.rangeEnd - expr.rangeMs;
        window.at = frame.at;
        for (const one of collected.values()) one.length = 0;
        evaluateSteps(frame, expr, window, stepMs, inner, collected);
        for (const [labels, one] of collected) if (one.length === 0) collected.delete(labels);
        list = [...collected.values()];
        return list.length;
      },
      labels: (index) => list[index]?.labels ?? NO_LABELS,
      dropName: (index) => list[index]?.dropName ?? false,
      window(index) {
        const one = list[index];
        if (one === undefined) return window;
        window.times = one.times;
        window.values = one.values;
        window.from = 0;
        window.to = one.length;
        return window;
      },
    },
  };
}

type Columns = Map<Labels, Collected>;

function evaluateSteps(
  frame: Frame,
  expr: Span,
  window: Window,
  stepMs: number,
  inner: VectorNode,
  into: Columns,
): void {
  const outerAt = frame.at;
  const first = (Math.floor(window.rangeStart / stepMs) + 1) * stepMs;
  for (let at = first; at <= window.rangeEnd; at += stepMs) {
    spendStep(frame, expr);
    frame.at = at;
    const vector = inner.vector(frame);
    for (let i = 0; i < vector.length; i += 1) {
      const labels = labelsAt(vector, i);
      const one = into.get(labels) ?? startCollecting(into, labels);
      one.dropName = vector.dropName[i] ?? false;
      append(one, at, valueAt(vector, i));
    }
  }
  frame.at = outerAt;
}

function startCollecting(collected: Map<Labels, Collected>, labels: Labels): Collected {
  const one = { labels, dropName: false, times: new Float64Array(16), values: new Float64Array(16), length: 0 };
  collected.set(labels, one);
  return one;
}

function append(one: Collected, at: number, value: number): void {
  if (one.length === one.times.length) {
    one.times = grown(one.times);
    one.values = grown(one.values);
  }
  one.times[one.length] = at;
  one.values[one.length] = value;
  one.length += 1;
}

function grown(column: Float64Array): Float64Array {
  const larger = new Float64Array(column.length * 2);
  larger.set(column);
  return larger;
}

import type { Call, Span } from '../ast.ts';
import { labelValue, METRIC_NAME } from '../labels.ts';
import { PromqlError } from '../promql-error.ts';
import type { Labels } from '../series.ts';
import { type Annotation, annotate, invalidQuantile } from './annotations.ts';
import { distinctCheck } from './distinct.ts';
import {
  computedLabels,
  createVector,
  type Frame,
  labelMemo,
  type MatrixNode,
  type Plan,
  push,
  type RangeSource,
  type ScalarNode,
  type VectorNode,
  type Window,
} from './node.ts';
import {
  avgOverTime,
  changes,
  maxOverTime,
  minOverTime,
  resets,
  sumOverTime,
  timeOfExtreme,
  varianceOverTime,
} from './over-time.ts';
import { medianAbsoluteDeviation, quantileOverTime } from './quantile.ts';
import { extrapolatedRate, instantRate } from './rate.ts';
import { doubleExponentialSmoothing, linearRegression } from './regression.ts';

/** What a function makes of the samples of one series; `params` are its scalar arguments in order. */
type RangeFunction = {
  readonly of: (window: Window, params: readonly number[]) => number;
  /** Series with fewer samples have no result. Default 1. */
  readonly samples?: 2;
  /** The result is still the metric, as with an offset. */
  readonly keepsName?: true;
  /** Meant for counters; others get a note. */
  readonly wantsCounter?: true;
};

const RATE = { isCounter: true, perSecond: true } as const;
const INCREASE = { isCounter: true, perSecond: false } as const;
const DELTA = { isCounter: false, perSecond: false } as const;

const RANGE_FUNCTIONS: Readonly<Record<string, RangeFunction>> = {
  rate: { of: (window) => extrapolatedRate(window, RATE), samples: 2, wantsCounter: true },
  increase: { of: (window) => extrapolatedRate(window, INCREASE), samples: 2, wantsCounter: true },
  delta: { of: (window) => extrapolatedRate(window, DELTA), samples: 2 },
  irate: { of: (window) => instantRate(window, true), samples: 2 },
  idelta: { of: (window) => instantRate(window, false), samples: 2 },
  deriv: { of: (window) => linearRegression(window, window.times[window.from] ?? NaN).slope, samples: 2 },
  predict_linear: { of: predictLinear, samples: 2 },
  double_exponential_smoothing: {
    of: (window, [smoothing = NaN, trend = NaN]) => doubleExponentialSmoothing(window, smoothing, trend),
    samples: 2,
  },
  changes: { of: changes },
  resets: { of: resets },
  avg_over_time: { of: avgOverTime },
  sum_over_time: { of: sumOverTime },
  min_over_time: { of: minOverTime },
  max_over_time: { of: maxOverTime },
  count_over_time: { of: ({ from, to }) => to - from },
  stdvar_over_time: { of: varianceOverTime },
  stddev_over_time: { of: (window) => Math.sqrt(varianceOverTime(window)) },
  quantile_over_time: { of: (window, [q = NaN]) => quantileOverTime(window, q) },
  mad_over_time: { of: medianAbsoluteDeviation },
  present_over_time: { of: () => 1 },
  first_over_time: { of: ({ values, from }) => values[from] ?? NaN, keepsName: true },
  last_over_time: { of: ({ values, to }) => values[to - 1] ?? NaN, keepsName: true },
  ts_of_first_over_time: { of: ({ times, from }) => (times[from] ?? NaN) / 1000 },
  ts_of_last_over_time: { of: ({ times, to }) => (times[to - 1] ?? NaN) / 1000 },
  ts_of_max_over_time: { of: (window) => timeOfExtreme(window, 1) },
  ts_of_min_over_time: { of: (window) => timeOfExtreme(window, -1) },
};

function predictLinear(window: Window, [seconds = NaN]: readonly number[]): number {
  const { slope, intercept } = linearRegression(window, window.at);
  return slope * seconds + intercept;
}

export function isRangeFunction(name: string): boolean {
  return Object.hasOwn(RANGE_FUNCTIONS, name);
}

/** A function of one range vector and any scalars. */
export function rangeFunction(plan: Plan, call: Call, matrix: MatrixNode, scalars: readonly ScalarNode[]): VectorNode {
  const fn = RANGE_FUNCTIONS[call.name];
  if (fn === undefined) throw new Error(`${call.name} is no range function`);
  const { source } = matrix;
  const relabel = fn.keepsName === true ? (_: number, labels: Labels) => labels : computedLabels(plan);
  const verify = distinctCheck(plan, call);
  const note = fn.wantsCounter === true ? counterNote(call.args[0] ?? call) : undefined;
  const params: number[] = [];
  const out = createVector();
  return {
    type: 'vector',
    vector: (frame) => {
      for (const [i, scalar] of scalars.entries()) params[i] = scalar.scalar(frame);
      checkParams(call, params);
      out.length = 0;
      const count = source.open(frame);
      for (let i = 0; i < count; i += 1) {
        const window = source.window(i);
        frame.cost += window.to - window.from;
        if (window.to - window.from < (fn.samples ?? 1)) continue;
        const labels = source.labels(i);
        push(out, relabel(i, labels), fn.of(window, params), fn.keepsName !== true || source.dropName(i));
        if (note !== undefined) note(frame, i, labels);
      }
      if (call.name === 'quantile_over_time' && out.length > 0) noteQuantile(frame, call, params[0] ?? NaN);
      return verify(out);
    },
  };
}

function checkParams(call: Call, params: readonly number[]): void {
  if (call.name !== 'double_exponential_smoothing') return;
  for (const [i, name] of [
    [0, 'smoothing'],
    [1, 'trend'],
  ] as const) {
    const value = params[i] ?? NaN;
    if (value > 0 && value < 1) continue;
    const short = name === 'smoothing' ? 'sf' : 'tf';
    const message = `invalid ${name} factor. Expected: 0 < ${short} < 1, got: ${value.toFixed(6)}`;
    throw new PromqlError('evaluation', message, call);
  }
}

function noteQuantile(frame: Frame, call: Call, q: number): void {
  if (!(q >= 0 && q <= 1)) annotate(frame.annotations, invalidQuantile(q, call.args[0] ?? call));
}

const COUNTER_NAME = /_(?:total|sum|count|bucket)$/;

function counterNote(span: Span): (frame: Frame, index: number, labels: Labels) => void {
  const noteOf = labelMemo((labels): Annotation | false => {
    const name = labelValue(labels, METRIC_NAME);
    if (name === '' || COUNTER_NAME.test(name)) return false;
    const what = 'metric might not be a counter, name does not end in _total/_sum/_count/_bucket';
    return { severity: 'info', message: `PromQL info: ${what}: ${JSON.stringify(name)}`, span };
  });
  return (frame, index, labels) => {
    const note = noteOf(index, labels);
    if (note !== false) annotate(frame.annotations, note);
  };
}

/** `absent_over_time`: one element of value 1 if no series of the range has a sample. */
export function absentOverTime(source: RangeSource, labels: Labels): VectorNode {
  const out = createVector();
  return {
    type: 'vector',
    vector: (frame) => {
      out.length = 0;
      const count = source.open(frame);
      for (let i = 0; i < count; i += 1) {
        const { from, to } = source.window(i);
        if (to > from) return out;
      }
      push(out, labels, 1, true);
      return out;
    },
  };
}

import type { Call, Expr } from '../ast.ts';
import { dropLabels, labelValue, METRIC_NAME, withLabel } from '../labels.ts';
import { formatFloat, parseNumber } from '../literals.ts';
import type { Labels } from '../series.ts';
import { annotate, forMetric, invalidQuantile } from './annotations.ts';
import { type Buckets, bucketFraction, bucketQuantile, coalesce, ensureMonotonic } from './buckets.ts';
import { distinctCheck } from './distinct.ts';
import {
  computedLabels,
  createVector,
  type Frame,
  labelMemo,
  labelsAt,
  type Plan,
  push,
  type ScalarNode,
  type Vector,
  type VectorNode,
  valueAt,
} from './node.ts';

const BUCKET_LABEL = 'le';

/** One histogram of the input: its labels without `le`, and its buckets of this evaluation, sorted and coalesced. */
type Histogram = { readonly labels: Labels; readonly buckets: Buckets };

/** Where the buckets of the input stand; remains right while the input's labels are the same. */
type Layout = { readonly inputs: readonly Labels[]; readonly histograms: readonly Placed[] };
type Placed = Histogram & { readonly members: readonly { readonly index: number; readonly bound: number }[] };

/** Sorts the elements of a vector into histograms by their labels without `le`. */
function histogramReader(plan: Plan, arg: Expr): (vector: Vector, frame: Frame) => readonly Histogram[] {
  let layout: Layout = { inputs: [], histograms: [] };
  const check = bucketLabelCheck(plan, arg);
  return (vector, frame) => {
    if (!fits(layout, vector)) layout = layOut(plan, vector);
    check(vector, frame);
    for (const histogram of layout.histograms) fill(histogram, vector);
    return layout.histograms;
  };
}

function fill({ members, buckets }: Placed, vector: Vector): void {
  // By index: this is where a quantile spends its time.
  for (let i = 0; i < members.length; i += 1) {
    const member = members[i];
    buckets.bounds[i] = member?.bound ?? Number.NaN;
    buckets.counts[i] = member === undefined ? Number.NaN : valueAt(vector, member.index);
  }
  buckets.bounds.length = members.length;
  buckets.counts.length = members.length;
  coalesce(buckets);
}

function fits({ inputs }: Layout, vector: Vector): boolean {
  if (inputs.length !== vector.length) return false;
  for (let i = 0; i < vector.length; i += 1) if (inputs[i] !== vector.labels[i]) return false;
  return true;
}

function layOut(plan: Plan, vector: Vector): Layout {
  const members = new Map<Labels, { index: number; bound: number }[]>();
  for (let index = 0; index < vector.length; index += 1) {
    const labels = labelsAt(vector, index);
    const bound = parseNumber(labelValue(labels, BUCKET_LABEL));
    if (bound === undefined) continue;
    const rest = plan.interner.intern(dropLabels(labels, [BUCKET_LABEL]));
    const known = members.get(rest);
    if (known === undefined) members.set(rest, [{ index, bound }]);
    else known.push({ index, bound });
  }
  const histograms = [...members].map(([labels, found]) => ({
    labels,
    members: found.sort((a, b) => a.bound - b.bound),
    buckets: { bounds: [], counts: [] },
  }));
  return { inputs: vector.labels.slice(0, vector.length), histograms };
}

function bucketLabelCheck(plan: Plan, arg: Expr): (vector: Vector, frame: Frame) => void {
  const faultOf = labelMemo((labels) => {
    const value = labelValue(labels, BUCKET_LABEL);
    if (parseNumber(value) !== undefined) return '';
    const what = `PromQL warning: bucket label "le" is missing or has a malformed value of ${JSON.stringify(value)}`;
    return forMetric(what, plan.delayedNameRemoval ? labelValue(labels, METRIC_NAME) : '');
  });
  return (vector, frame) => {
    for (let i = 0; i < vector.length; i += 1) {
      const message = faultOf(i, labelsAt(vector, i));
      if (message !== '') annotate(frame.annotations, { severity: 'warning', message, span: arg });
    }
  };
}

/** The quantile of one histogram, noting repairs; ±Inf and NaN for a quantile outside of 0 to 1. */
function quantileReader(plan: Plan, arg: Expr): (q: number, histogram: Histogram, frame: Frame) => number {
  return (q, { buckets, labels }, frame) => {
    if (Number.isNaN(q)) return NaN;
    if (q < 0) return -Infinity;
    if (q > 1) return Infinity;
    if (buckets.bounds.at(-1) !== Infinity) return NaN;
    const repair = ensureMonotonic(buckets);
    if (repair !== undefined) {
      const link = 'see https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile';
      const what = `PromQL info: input to histogram_quantile needed to be fixed for monotonicity (${link})`;
      const message = forMetric(what, plan.delayedNameRemoval ? labelValue(labels, METRIC_NAME) : '');
      const extent = { ...repair, count: 1, from: frame.at, to: frame.at };
      annotate(frame.annotations, { severity: 'info', message, span: arg, repair: extent });
    }
    return bucketQuantile(q, buckets);
  };
}

export function histogramQuantile(plan: Plan, call: Call, quantile: ScalarNode, input: VectorNode): VectorNode {
  const [quantileArg = call, arg = call] = call.args;
  const read = histogramReader(plan, arg);
  const quantileIn = quantileReader(plan, arg);
  const relabel = computedLabels(plan);
  const verify = distinctCheck(plan, call);
  const out = createVector();
  return {
    type: 'vector',
    vector: (frame) => {
      const q = quantile.scalar(frame);
      if (!(q >= 0 && q <= 1)) annotate(frame.annotations, invalidQuantile(q, quantileArg));
      out.length = 0;
      let i = 0;
      for (const histogram of read(input.vector(frame), frame)) {
        push(out, relabel(i, histogram.labels), quantileIn(q, histogram, frame), true);
        i += 1;
      }
      return verify(out);
    },
  };
}

/** `histogram_quantiles(v, "label", q…)`: one result per histogram and quantile, told apart by the label. */
export function histogramQuantiles(
  plan: Plan,
  call: Call,
  input: VectorNode,
  label: string,
  quantiles: readonly ScalarNode[],
): VectorNode {
  const [arg = call] = call.args;
  const read = histogramReader(plan, arg);
  const quantileIn = quantileReader(plan, arg);
  const relabel = computedLabels(plan);
  const verify = distinctCheck(plan, call);
  const out = createVector();
  return {
    type: 'vector',
    vector: (frame) => {
      const histograms = read(input.vector(frame), frame);
      out.length = 0;
      for (const [j, quantile] of quantiles.entries()) {
        const q = quantile.scalar(frame);
        if (!(q >= 0 && q <= 1)) annotate(frame.annotations, invalidQuantile(q, call.args[j + 2] ?? call));
        for (const [i, histogram] of histograms.entries()) {
          const labels = withLabel(relabel(i, histogram.labels), label, openMetricsFloat(q));
          push(out, plan.interner.intern(labels), quantileIn(q, histogram, frame), true);
        }
      }
      return verify(out);
    },
  };
}

/** Floats in labels always show that they are floats: `1.0`. */
function openMetricsFloat(value: number): string {
  return Number.isInteger(value) ? `${value}.0` : formatFloat(value);
}

export function histogramFraction(
  plan: Plan,
  call: Call,
  lower: ScalarNode,
  upper: ScalarNode,
  input: VectorNode,
): VectorNode {
  const read = histogramReader(plan, call.args[2] ?? call);
  const relabel = computedLabels(plan);
  const verify = distinctCheck(plan, call);
  const out = createVector();
  return {
    type: 'vector',
    vector: (frame) => {
      const [from, to] = [lower.scalar(frame), upper.scalar(frame)];
      out.length = 0;
      for (const [i, { labels, buckets }] of read(input.vector(frame), frame).entries()) {
        push(out, relabel(i, labels), bucketFraction(from, to, buckets), true);
      }
      return verify(out);
    },
  };
}

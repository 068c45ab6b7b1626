import type { Millis } from '../core/units.ts';
import type { Expr } from './ast.ts';
import { checkQuery } from './check.ts';
import { type AnnotationSet, type AnnotationTexts, formatAnnotations } from './eval/annotations.ts';
import { compile } from './eval/compile.ts';
import { spendStep } from './eval/cost.ts';
import { alwaysDistinctCheck } from './eval/distinct.ts';
import {
  createVector,
  type Frame,
  labelsAt,
  type Node,
  type Plan,
  push,
  type RangeSource,
  type Vector,
  valueAt,
} from './eval/node.ts';
import type { SharedParts } from './eval/shared-parts.ts';
import { compareLabels, dropMetadata, type Interner, type SharedInterner, shareInterner } from './labels.ts';
import { PromqlError } from './promql-error.ts';
import { DEFAULT_LOOKBACK_MS, type Labels, type Queryable } from './series.ts';

export type EvaluateOptions = {
  /** Drop metric names at the end of the query only, as Prometheus' test suite does. Default: at once, as servers do. */
  readonly delayedNameRemoval?: boolean;
  /** Accept experimental functions and the fill modifiers. Default: refuse them. */
  readonly experimental?: boolean;
  /** How far back instant selectors look. Default: five minutes. */
  readonly lookbackMs?: Millis;
  /** The step of subqueries without one. Default: a minute, Prometheus' default evaluation interval. */
  readonly defaultStepMs?: Millis;
  /** For queries that are kept side by side. Default: one of its own. */
  readonly interner?: SharedInterner;
  /**
   * For queries that are kept side by side and share an interner: what they have in common is evaluated once. Annotations are
   * then found with one of them only, and `range` is not to be asked. Default: nothing is shared.
   */
  readonly parts?: SharedParts;
  /** The query's text, for the line and column in annotations of queries with several lines. */
  readonly text?: string;
};

export type VectorElement = { readonly labels: Labels; readonly value: number };

/** One series of a matrix; both columns have the same length, `times` increase. */
export type MatrixSeries = {
  readonly labels: Labels;
  readonly times: readonly Millis[];
  readonly values: readonly number[];
};

export type InstantResult = { readonly annotations: AnnotationTexts } & (
  | { readonly type: 'scalar'; readonly value: number }
  | { readonly type: 'string'; readonly value: string }
  | { readonly type: 'vector'; readonly elements: readonly VectorElement[] }
  | { readonly type: 'matrix'; readonly series: readonly MatrixSeries[] }
);

/** The results over a range, sorted by labels; a scalar is one series without labels. */
export type RangeResult = {
  readonly type: 'matrix';
  readonly series: readonly MatrixSeries[];
  readonly annotations: AnnotationTexts;
};

/**
 * A query that is evaluated again and again. It keeps the series that its selectors resolved to while the store's generation stays the same,
 * and its buffers; it must not be evaluated from within its own evaluation. All times are milliseconds since the epoch.
 */
export type CompiledQuery = {
  /** The value at one instant. Throws a `PromqlError` of code `evaluation`. */
  instant(store: Queryable, at: Millis): InstantResult;
  /** The values at `from`, `from + step`, … up to `to`. Throws a `PromqlError`; matrices and strings have no range. */
  range(store: Queryable, from: Millis, to: Millis, step: Millis): RangeResult;
};

/** Checks and compiles an expression. Throws a `PromqlError` if Prometheus would refuse it, or it is out of scope. */
export function compileQuery(expr: Expr, options: EvaluateOptions = {}): CompiledQuery {
  checkQuery(expr, options);
  const shared = options.interner ?? shareInterner();
  let compiled = build(expr, options, shared.current());
  const fresh = (): Compiled => {
    const interner = shared.current();
    if (compiled.plan.interner !== interner) compiled = build(expr, options, interner);
    return compiled;
  };
  return {
    instant: (store, at) => evaluateInstant(fresh(), frameOf(store, at, at, 0), options),
    range: (store, from, to, step) => evaluateRange(fresh(), frameOf(store, from, to, step), options, expr),
  };
}

type Compiled = {
  readonly plan: Plan;
  readonly node: Node;
  /** Removes what delayed name removal left, and refuses equal label sets. */
  readonly finish: (vector: Vector) => Vector;
};

function build(expr: Expr, options: EvaluateOptions, interner: Interner): Compiled {
  const plan: Plan = {
    interner,
    parts: options.parts,
    delayedNameRemoval: options.delayedNameRemoval ?? false,
    lookbackMs: options.lookbackMs ?? DEFAULT_LOOKBACK_MS,
    defaultStepMs: options.defaultStepMs ?? 60_000,
  };
  return { plan, node: compile(plan, expr), finish: plan.delayedNameRemoval ? nameRemoval(plan, expr) : (v) => v };
}

function nameRemoval(plan: Plan, expr: Expr): (vector: Vector) => Vector {
  const verify = alwaysDistinctCheck(expr);
  const out = createVector();
  return (vector) => {
    out.length = 0;
    for (let i = 0; i < vector.length; i += 1) {
      const labels = labelsAt(vector, i);
      const final = vector.dropName[i] === true ? plan.interner.intern(dropMetadata(labels)) : labels;
      push(out, final, valueAt(vector, i), false);
    }
    return verify(out);
  };
}

/** For the next evaluation; nearly all leave it empty, and none runs within another. */
let noAnnotations: AnnotationSet = new Map();

/** The frame of the evaluation that is under way, or was the last one; a thousand triggers would make as many each second. */
let frame: Frame | undefined;

function frameOf(store: Queryable, start: Millis, end: Millis, stepMs: Millis): Frame {
  if (noAnnotations.size > 0) noAnnotations = new Map();
  frame ??= { store, at: start, start, end, stepMs, cost: 0, annotations: noAnnotations };
  frame.store = store;
  frame.at = start;
  frame.start = start;
  frame.end = end;
  frame.stepMs = stepMs;
  frame.cost = 0;
  frame.annotations = noAnnotations;
  return frame;
}

function evaluateInstant({ node, finish }: Compiled, frame: Frame, { text }: EvaluateOptions): InstantResult {
  switch (node.type) {
    case 'scalar': {
      const value = node.scalar(frame);
      return { type: 'scalar', value, annotations: formatAnnotations(frame.annotations, text) };
    }
    case 'string':
      return { type: 'string', value: node.value, annotations: formatAnnotations(frame.annotations, text) };
    case 'vector': {
      const elements = elementsOf(finish(node.vector(frame)));
      return { type: 'vector', elements, annotations: formatAnnotations(frame.annotations, text) };
    }
    case 'matrix': {
      const series = seriesOf(node.source, frame);
      return { type: 'matrix', series, annotations: formatAnnotations(frame.annotations, text) };
    }
    default:
      return node satisfies never;
  }
}

const NO_ELEMENTS: readonly VectorElement[] = [];

function elementsOf(vector: Vector): readonly VectorElement[] {
  // Most queries of triggers give none or one; an array that grows has room for seventeen.
  if (vector.length === 0) return NO_ELEMENTS;
  if (vector.length === 1) return [{ labels: labelsAt(vector, 0), value: valueAt(vector, 0) }];
  const elements: VectorElement[] = [];
  for (let i = 0; i < vector.length; i += 1) elements.push({ labels: labelsAt(vector, i), value: valueAt(vector, i) });
  return elements;
}

function seriesOf(source: RangeSource, frame: Frame): MatrixSeries[] {
  const series: MatrixSeries[] = [];
  const count = source.open(frame);
  for (let i = 0; i < count; i += 1) {
    const { times, values, from, to } = source.window(i);
    if (to === from) continue;
    const labels = source.dropName(i) ? dropMetadata(source.labels(i)) : source.labels(i);
    series.push({ labels, times: [...times.subarray(from, to)], values: [...values.subarray(from, to)] });
  }
  return series.sort((a, b) => compareLabels(a.labels, b.labels));
}

type Growing = { readonly labels: Labels; readonly times: Millis[]; readonly values: number[] };

function evaluateRange(compiled: Compiled, frame: Frame, { text }: EvaluateOptions, expr: Expr): RangeResult {
  if (!(frame.stepMs > 0)) throw new PromqlError('evaluation', 'the step of a range query must be positive', expr);
  const found = new Map<Labels, Growing>();
  const none = compiled.plan.interner.intern({});
  for (let at = frame.start; at <= frame.end; at += frame.stepMs) {
    frame.at = at;
    spendStep(frame, expr);
    const { node } = compiled;
    if (node.type === 'scalar') {
      grow(found, none, at, node.scalar(frame));
    } else if (node.type === 'vector') {
      const vector = compiled.finish(node.vector(frame));
      for (let i = 0; i < vector.length; i += 1) grow(found, labelsAt(vector, i), at, valueAt(vector, i));
    } else {
      throw new PromqlError('evaluation', 'a range query needs a scalar or an instant vector', expr);
    }
  }
  const series = [...found.values()].sort((a, b) => compareLabels(a.labels, b.labels));
  return { type: 'matrix', series, annotations: formatAnnotations(frame.annotations, text) };
}

function grow(found: Map<Labels, Growing>, labels: Labels, at: Millis, value: number): void {
  const known = found.get(labels);
  if (known === undefined) {
    found.set(labels, { labels, times: [at], values: [value] });
  } else {
    known.times.push(at);
    known.values.push(value);
  }
}

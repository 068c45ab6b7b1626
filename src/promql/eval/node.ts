import type { Millis } from '../../core/units.ts';
import { dropMetadata, type Interner } from '../labels.ts';
import type { Labels, Queryable } from '../series.ts';
import type { AnnotationSet } from './annotations.ts';
import type { SharedParts } from './shared-parts.ts';

/**
 * The elements of an instant vector as columns. A node owns the vector that it returns and overwrites it on its next
 * evaluation, so in the steady state nothing is allocated. Entries from `length` on are slack.
 */
export type Vector = {
  length: number;
  labels: Labels[];
  values: number[];
  /** Under delayed name removal: the element's metadata labels go when the query ends. Else always false. */
  dropName: boolean[];
  /** Whether the arrays have grown since they were last made as short as their content. */
  grown: boolean;
};

/** One evaluation: the instant, and the span of the whole query for `start()`, `end()`, `range()` and `step()`. */
export type Frame = {
  store: Queryable;
  at: Millis;
  start: Millis;
  end: Millis;
  /** 0 for an instant query. */
  stepMs: Millis;
  /** What the query has cost so far, about one per sample read; see `spendStep`. */
  cost: number;
  annotations: AnnotationSet;
};

/** The samples of one series in a range, at `from <= index < to` and free of staleness markers. */
export type Window = {
  times: Float64Array;
  values: Float64Array;
  from: number;
  to: number;
  /** Whether a value may be below the one before it; if not, a counter was not reset. */
  mayFall: boolean;
  /** The range's bounds, the start exclusive, and the instant of evaluation, which an offset tells from the end. */
  rangeStart: Millis;
  rangeEnd: Millis;
  at: Millis;
};

export type RangeSource = {
  /** Turns to the ranges for `frame.at` and says how many series there are; some may have no samples. */
  open(frame: Frame): number;
  labels(index: number): Labels;
  dropName(index: number): boolean;
  /** The samples of one series; the object is overwritten by the next call. */
  window(index: number): Window;
};

export type ScalarNode = { readonly type: 'scalar'; readonly scalar: (frame: Frame) => number };
export type VectorNode = { readonly type: 'vector'; readonly vector: (frame: Frame) => Vector };
export type MatrixNode = { readonly type: 'matrix'; readonly source: RangeSource };
export type StringNode = { readonly type: 'string'; readonly value: string };
export type Node = ScalarNode | VectorNode | MatrixNode | StringNode;

/** What the nodes of one compiled query share. */
export type Plan = {
  readonly interner: Interner;
  /** Undefined within a subquery, which evaluates its parts at many instants while others still look at what they gave. */
  readonly parts: SharedParts | undefined;
  readonly delayedNameRemoval: boolean;
  readonly lookbackMs: Millis;
  /** The step of subqueries that name none. */
  readonly defaultStepMs: Millis;
};

export function createVector(): Vector {
  return { length: 0, labels: [], values: [], dropName: [], grown: false };
}

export function push(out: Vector, labels: Labels, value: number, dropName: boolean): void {
  const at = out.length;
  if (at === 0 && out.grown) tighten(out);
  if (at === out.labels.length) out.grown = true;
  out.labels[at] = labels;
  out.values[at] = value;
  out.dropName[at] = dropName;
  out.length = at + 1;
}

/**
 * An array that grows takes room for half as much again and sixteen more, which for the four elements of a common query is
 * most of it; a copy takes what it needs. Once, at the evaluation after the one that it grew in.
 */
function tighten(out: Vector): void {
  out.labels = out.labels.slice();
  out.values = out.values.slice();
  out.dropName = out.dropName.slice();
  out.grown = false;
}

/** Appends element `index` of one vector to another, with a new value. */
export function pushFrom(out: Vector, input: Vector, index: number, value: number): void {
  push(out, labelsAt(input, index), value, input.dropName[index] ?? false);
}

const NO_LABELS: Labels = {};

export function labelsAt(vector: Vector, index: number): Labels {
  return vector.labels[index] ?? NO_LABELS;
}

export function valueAt(vector: Vector, index: number): number {
  return vector.values[index] ?? NaN;
}

/**
 * Remembers what was computed of the labels at each position. The series of a query rarely change, so nearly every look-up
 * is one comparison of identities; it never holds more than one entry per position.
 */
export function labelMemo<T>(compute: (labels: Labels) => T): (index: number, labels: Labels) => T {
  let keys: Labels[] = [];
  let values: T[] = [];
  let grown = false;
  return (index, labels) => {
    if (index === 0 && grown) {
      keys = keys.slice();
      values = values.slice();
      grown = false;
    }
    const known = values[index];
    if (keys[index] === labels && known !== undefined) return known;
    const value = compute(labels);
    if (index === keys.length) grown = true;
    keys[index] = labels;
    values[index] = value;
    return value;
  };
}

/** The labels of a computed element: without the metric's name at once, or untouched under delayed name removal. */
export function computedLabels(plan: Plan): (index: number, labels: Labels) => Labels {
  if (plan.delayedNameRemoval) return (_, labels) => labels;
  return labelMemo((labels) => plan.interner.intern(dropMetadata(labels)));
}

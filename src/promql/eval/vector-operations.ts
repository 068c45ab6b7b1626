import type { Binary } from '../ast.ts';
import { dropLabels, dropMetadata, formatLabels, keepLabels, labelValue, withLabel } from '../labels.ts';
import { PromqlError } from '../promql-error.ts';
import type { Labels } from '../series.ts';
import { distinctCheck } from './distinct.ts';
import { type MatchGroups, matchGroups } from './matching.ts';
import { createVector, labelsAt, type Plan, push, type Vector, type VectorNode, valueAt } from './node.ts';
import { arithmeticOf, comparisonOf } from './operators.ts';

/** What an operator makes of a pair: its value, and whether a comparison without `bool` keeps it. */
type Pairing = {
  value(left: number, right: number): number;
  keeps(left: number, right: number): boolean;
};

/**
 * An arithmetic or comparison operator between two vectors, one-to-one or with `group_left` / `group_right`. The side
 * that may have several elements per match group is called `many`; one-to-one, that is the left one.
 */
export function vectorOperation(plan: Plan, expr: Binary, left: VectorNode, right: VectorNode): VectorNode {
  const swapped = expr.matching.group === 'right';
  const state = createState(plan, expr, swapped);
  const verify = distinctCheck(plan, expr);
  return {
    type: 'vector',
    vector: (frame) => {
      const lefts = left.vector(frame);
      const rights = right.vector(frame);
      const [many, one] = swapped ? [rights, lefts] : [lefts, rights];
      beginEvaluation(state);
      indexOneSide(state, one);
      pairManySide(state, many, one);
      pairUnmatched(state, one);
      return verify(state.out);
    },
  };
}

type State = {
  readonly expr: Binary;
  readonly swapped: boolean;
  readonly out: Vector;
  readonly groups: MatchGroups;
  readonly pairing: Pairing;
  readonly resultOf: (index: number, many: Labels, one: Labels) => Labels;
  readonly fillMany: number | undefined;
  readonly fillOne: number | undefined;
  /** By match group: the element of the one side, and the evaluations that saw and that paired the group. */
  readonly oneIndex: number[];
  readonly oneSeen: number[];
  readonly paired: number[];
  /** Result labels of this evaluation by match group, to find duplicates of many-to-one matching. */
  readonly results: Map<number, Set<Labels>>;
  evaluation: number;
};

function createState(plan: Plan, expr: Binary, swapped: boolean): State {
  const { fillLeft, fillRight } = expr.matching;
  return {
    expr,
    swapped,
    out: createVector(),
    groups: matchGroups(plan, expr.matching),
    pairing: pairingOf(expr),
    resultOf: resultLabels(plan, expr),
    // Prometheus fills by these sides under group_right too, whatever the modifiers' names suggest.
    fillMany: fillLeft,
    fillOne: fillRight,
    oneIndex: [],
    oneSeen: [],
    paired: [],
    results: new Map(),
    evaluation: 0,
  };
}

function pairingOf(expr: Binary): Pairing {
  const arithmetic = arithmeticOf(expr.op);
  if (arithmetic !== undefined) return { value: arithmetic, keeps: () => true };
  const compare = comparisonOf(expr.op);
  if (compare === undefined) throw new Error(`${expr.op} does not pair elements`);
  if (expr.bool) return { value: (a, b) => (compare(a, b) ? 1 : 0), keeps: () => true };
  return { value: (a) => a, keeps: compare };
}

function beginEvaluation(state: State): void {
  state.evaluation += 1;
  state.out.length = 0;
  if (state.results.size > 0) state.results.clear();
}

function indexOneSide(state: State, one: Vector): void {
  const groupOf = state.swapped ? state.groups.left : state.groups.right;
  for (let i = 0; i < one.length; i += 1) {
    const group = groupOf(i, labelsAt(one, i));
    if (state.oneSeen[group] === state.evaluation) throw duplicateSeries(state, one, i, state.oneIndex[group] ?? 0);
    state.oneSeen[group] = state.evaluation;
    state.oneIndex[group] = i;
  }
}

function pairManySide(state: State, many: Vector, one: Vector): void {
  const groupOf = state.swapped ? state.groups.right : state.groups.left;
  for (let i = 0; i < many.length; i += 1) {
    const labels = labelsAt(many, i);
    const group = groupOf(i, labels);
    if (state.oneSeen[group] === state.evaluation) {
      const j = state.oneIndex[group] ?? 0;
      emit(state, group, i, labels, labelsAt(one, j), valueAt(many, i), valueAt(one, j));
    } else if (state.fillOne !== undefined) {
      emit(state, group, i, labels, state.groups.matchLabels(labels), valueAt(many, i), state.fillOne);
    }
  }
}

/** With a fill value for the many side, elements of the one side that found no partner get one. */
function pairUnmatched(state: State, one: Vector): void {
  if (state.fillMany === undefined) return;
  const groupOf = state.swapped ? state.groups.left : state.groups.right;
  for (let i = 0; i < one.length; i += 1) {
    const labels = labelsAt(one, i);
    const group = groupOf(i, labels);
    if (state.paired[group] === state.evaluation) continue;
    emit(state, group, -1, state.groups.matchLabels(labels), labels, state.fillMany, valueAt(one, i));
  }
}

/** Pairs one element; `index` is its position on the many side, or -1 if it was filled in. */
function emit(
  state: State,
  group: number,
  index: number,
  manyLabels: Labels,
  oneLabels: Labels,
  many: number,
  one: number,
): void {
  const [left, right] = state.swapped ? [one, many] : [many, one];
  const labels = state.resultOf(index, manyLabels, oneLabels);
  refuseSecondMatch(state, group, labels);
  state.paired[group] = state.evaluation;
  if (state.pairing.keeps(left, right)) push(state.out, labels, state.pairing.value(left, right), state.expr.bool);
}

function refuseSecondMatch(state: State, group: number, labels: Labels): void {
  if (state.paired[group] !== state.evaluation) {
    if (state.expr.matching.group !== undefined) state.results.set(group, new Set([labels]));
    return;
  }
  if (state.expr.matching.group === undefined) {
    throw fault(state, 'multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)');
  }
  const results = state.results.get(group);
  if (results?.has(labels) === true) {
    throw fault(state, 'multiple matches for labels: grouping labels must ensure unique matches');
  }
  results?.add(labels);
}

function duplicateSeries(state: State, one: Vector, a: number, b: number): PromqlError {
  const group = formatLabels(state.groups.matchLabels(labelsAt(one, a)));
  const side = state.swapped ? 'left' : 'right';
  const duplicates = [formatLabels(labelsAt(one, a)), formatLabels(labelsAt(one, b))].sort().join(', ');
  return fault(
    state,
    `found duplicate series for the match group ${group} on the ${side} hand-side of the operation: [${duplicates}];` +
      'many-to-many matching not allowed: matching labels must be unique on one side',
  );
}

function fault(state: State, message: string): PromqlError {
  return new PromqlError('evaluation', message, state.expr);
}

/** The labels of a result, remembered per position while both sides stay the same. */
function resultLabels(plan: Plan, expr: Binary): State['resultOf'] {
  const { matching } = expr;
  const dropsName = arithmeticOf(expr.op) !== undefined || (expr.bool && !plan.delayedNameRemoval);
  const compute = (many: Labels, one: Labels): Labels => {
    let labels = dropsName ? dropMetadata(many) : many;
    if (matching.group === undefined) {
      labels = matching.on ? keepLabels(labels, matching.labels) : dropLabels(labels, matching.labels);
    }
    for (const name of matching.include) labels = withLabel(labels, name, labelValue(one, name));
    return plan.interner.intern(labels);
  };
  const keys: { many: Labels; one: Labels; result: Labels }[] = [];
  return (index, many, one) => {
    const known = keys[index];
    if (known?.many === many && known.one === one) return known.result;
    const result = compute(many, one);
    if (index >= 0) keys[index] = { many, one, result };
    return result;
  };
}

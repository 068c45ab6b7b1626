import type { Aggregate } from '../ast.ts';
import { dropLabels, keepLabels, METRIC_NAME } from '../labels.ts';
import type { Labels } from '../series.ts';
import { annotate, invalidQuantile } from './annotations.ts';
import { type KahanMean, kahanAdd, kahanMean, kahanMeanAdd } from './kahan.ts';
import {
  createVector,
  labelMemo,
  labelsAt,
  type Plan,
  push,
  type ScalarNode,
  type Vector,
  type VectorNode,
  valueAt,
} from './node.ts';
import { quantileOf } from './quantile.ts';

/** The running state of one group; which fields mean something depends on the operator. */
export type Group = KahanMean & {
  readonly labels: Labels;
  /** The evaluation that last saw the group. */
  seen: number;
  dropName: boolean;
  value: number;
  mean: number;
  readonly members: number[];
};

type Aggregator = {
  /** Takes the first or a further value of a group; `group.count` already counts it unless the mean does. */
  readonly add: (group: Group, value: number) => void;
  readonly result: (group: Group, param: number) => number;
};

const AGGREGATORS: Readonly<Record<string, Aggregator>> = {
  sum: { add: (group, value) => kahanAdd(group, value), result: (group) => group.sum + group.compensation },
  avg: { add: (group, value) => kahanMeanAdd(group, value), result: kahanMean },
  count: { add: countOne, result: (group) => group.count },
  group: { add: countOne, result: () => 1 },
  min: { add: (group, value) => addExtreme(group, value, -1), result: (group) => group.value },
  max: { add: (group, value) => addExtreme(group, value, 1), result: (group) => group.value },
  stdvar: { add: addVariance, result: (group) => group.value / group.count },
  stddev: { add: addVariance, result: (group) => Math.sqrt(group.value / group.count) },
  quantile: {
    add: (group, value) => group.members.push(value),
    result: (group, q) => quantileOf(q, Float64Array.from(group.members)),
  },
};

function countOne(group: Group): void {
  group.count += 1;
}

function addExtreme(group: Group, value: number, sign: 1 | -1): void {
  group.count += 1;
  if (group.count === 1 || (value - group.value) * sign > 0 || Number.isNaN(group.value)) group.value = value;
}

function addVariance(group: Group, value: number): void {
  group.count += 1;
  if (group.count === 1) {
    group.mean = value;
    group.value = Number.isFinite(value) ? 0 : NaN;
    return;
  }
  const distance = value - group.mean;
  group.mean += distance / group.count;
  group.value += distance * (value - group.mean);
}

/** Finds the group of each element, in the order in which groups first appear. */
export function grouping(plan: Plan, expr: Aggregate): (index: number, labels: Labels) => Group {
  const groups = new Map<Labels, Group>();
  return labelMemo((labels) => {
    const key = plan.interner.intern(groupLabels(expr, labels));
    const known = groups.get(key);
    if (known !== undefined) return known;
    const group: Group = {
      labels: key,
      sum: 0,
      compensation: 0,
      count: 0,
      incremental: false,
      seen: 0,
      dropName: false,
      value: NaN,
      mean: NaN,
      members: [],
    };
    groups.set(key, group);
    return group;
  });
}

export function groupLabels(expr: Aggregate, labels: Labels): Labels {
  if (expr.without) return dropLabels(labels, [...expr.grouping, METRIC_NAME]);
  return keepLabels(labels, expr.grouping);
}

export function resetGroup(group: Group, evaluation: number): void {
  group.seen = evaluation;
  group.sum = 0;
  group.compensation = 0;
  group.count = 0;
  group.incremental = false;
  group.dropName = false;
  if (group.members.length > 0) group.members.length = 0;
}

/** The aggregations with one result per group. */
export function aggregation(plan: Plan, expr: Aggregate, input: VectorNode, param: ScalarNode | undefined): VectorNode {
  const aggregator = AGGREGATORS[expr.op];
  if (aggregator === undefined) throw new Error(`${expr.op} has no single result per group`);
  const groupOf = grouping(plan, expr);
  const out = createVector();
  /** The groups of this evaluation, and how many: an array that is emptied gives its memory up, and takes new one at once. */
  const active: Group[] = [];
  let count = 0;
  let evaluation = 0;
  const collect = (vector: Vector): void => {
    evaluation += 1;
    count = 0;
    for (let i = 0; i < vector.length; i += 1) {
      const group = groupOf(i, labelsAt(vector, i));
      if (group.seen !== evaluation) {
        resetGroup(group, evaluation);
        active[count] = group;
        count += 1;
      }
      if (vector.dropName[i] === true) group.dropName = true;
      aggregator.add(group, valueAt(vector, i));
    }
  };
  return {
    type: 'vector',
    vector: (frame) => {
      const by = param?.scalar(frame) ?? NaN;
      if (expr.op === 'quantile' && !(by >= 0 && by <= 1)) {
        annotate(frame.annotations, invalidQuantile(by, expr.param ?? expr));
      }
      collect(input.vector(frame));
      out.length = 0;
      for (let i = 0; i < count; i += 1) {
        const group = active[i];
        if (group !== undefined) push(out, group.labels, aggregator.result(group, by), group.dropName);
      }
      return out;
    },
  };
}

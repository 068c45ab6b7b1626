import type { VectorMatching } from '../ast.ts';
import { dropLabels, keepLabels, METRIC_NAME } from '../labels.ts';
import type { Labels } from '../series.ts';
import { labelMemo, type Plan } from './node.ts';

/** Numbers the match groups of a binary operation: elements with equal matching labels get the same number. */
export type MatchGroups = {
  readonly left: (index: number, labels: Labels) => number;
  readonly right: (index: number, labels: Labels) => number;
  /** How many groups there are so far. */
  readonly size: number;
  /** The labels by which elements are matched. */
  readonly matchLabels: (labels: Labels) => Labels;
};

export function matchGroups(plan: Plan, matching: VectorMatching): MatchGroups {
  const numbers = new Map<Labels, number>();
  const project = matchingLabels(plan, matching);
  const numberOf = (labels: Labels): number => {
    const group = project(labels);
    const known = numbers.get(group);
    if (known !== undefined) return known;
    numbers.set(group, numbers.size);
    return numbers.size - 1;
  };
  return {
    left: labelMemo(numberOf),
    right: labelMemo(numberOf),
    get size() {
      return numbers.size;
    },
    matchLabels: project,
  };
}

function matchingLabels(plan: Plan, { on, labels: names }: VectorMatching): (labels: Labels) => Labels {
  if (on) return (labels) => plan.interner.intern(keepLabels(labels, names));
  const ignored = [METRIC_NAME, ...names];
  return (labels) => plan.interner.intern(dropLabels(labels, ignored));
}

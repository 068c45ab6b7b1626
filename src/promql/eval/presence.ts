import { type Expr, unwrapParens } from '../ast.ts';
import { METRIC_NAME } from '../labels.ts';
import type { Labels, Matcher } from '../series.ts';
import { createVector, type Plan, push, type ScalarNode, type VectorNode, valueAt } from './node.ts';

/**
 * The labels of an absent series: those that the selector fixes with exactly one `=` matcher. Anything but a selector
 * gives none.
 */
export function absentLabels(plan: Plan, arg: Expr): Labels {
  const inner = unwrapParens(arg);
  const matchers = inner.kind === 'range' ? inner.selector.matchers : inner.kind === 'selector' ? inner.matchers : [];
  const fixed = matchers.filter((matcher) => matcher.name !== METRIC_NAME && isOnlyOneOf(matcher, matchers));
  return plan.interner.intern(Object.fromEntries(fixed.map(({ name, value }) => [name, value])));
}

function isOnlyOneOf(matcher: Matcher, matchers: readonly Matcher[]): boolean {
  return matcher.op === '=' && matchers.every((other) => other === matcher || other.name !== matcher.name);
}

/** `absent(v)`: one element of value 1 if the vector is empty. */
export function absent(labels: Labels, input: VectorNode): VectorNode {
  const out = createVector();
  return {
    type: 'vector',
    vector: (frame) => {
      out.length = 0;
      if (input.vector(frame).length === 0) push(out, labels, 1, false);
      return out;
    },
  };
}

/** `scalar(v)`: the value of the only element, NaN if there is none or more than one. */
export function scalarOf(input: VectorNode): ScalarNode {
  return {
    type: 'scalar',
    scalar: (frame) => {
      const vector = input.vector(frame);
      return vector.length === 1 ? valueAt(vector, 0) : NaN;
    },
  };
}

/** A scalar as the only element of a vector without labels. */
export function vectorOf(plan: Plan, scalar: ScalarNode): VectorNode {
  const out = createVector();
  const labels = plan.interner.intern({});
  return {
    type: 'vector',
    vector: (frame) => {
      out.length = 0;
      push(out, labels, scalar.scalar(frame), false);
      return out;
    },
  };
}

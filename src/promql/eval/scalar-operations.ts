import type { Binary, Unary } from '../ast.ts';
import { distinctCheck } from './distinct.ts';
import {
  computedLabels,
  createVector,
  labelsAt,
  type Plan,
  push,
  pushFrom,
  type ScalarNode,
  type VectorNode,
  valueAt,
} from './node.ts';
import { arithmeticOf, comparisonOf } from './operators.ts';

/** An operator between two scalars; a comparison gives 0 or 1. */
export function scalarOperation(expr: Binary, left: ScalarNode, right: ScalarNode): ScalarNode {
  const arithmetic = arithmeticOf(expr.op);
  if (arithmetic !== undefined) {
    return { type: 'scalar', scalar: (frame) => arithmetic(left.scalar(frame), right.scalar(frame)) };
  }
  const compare = comparisonOf(expr.op);
  if (compare === undefined) throw new Error(`${expr.op} does not apply to scalars`);
  return { type: 'scalar', scalar: (frame) => (compare(left.scalar(frame), right.scalar(frame)) ? 1 : 0) };
}

/** An operator between the elements of a vector and a scalar; `swapped` if the scalar stands on the left. */
export function vectorScalarOperation(
  plan: Plan,
  expr: Binary,
  vector: VectorNode,
  scalar: ScalarNode,
  swapped: boolean,
): VectorNode {
  const arithmetic = arithmeticOf(expr.op);
  if (arithmetic !== undefined) {
    const of = swapped ? (value: number, by: number) => arithmetic(by, value) : arithmetic;
    return mapWithScalar(plan, expr, vector, scalar, of);
  }
  const compare = comparisonOf(expr.op);
  if (compare === undefined) throw new Error(`${expr.op} does not apply to a scalar`);
  const holds = swapped ? (value: number, by: number) => compare(by, value) : compare;
  if (expr.bool) return mapWithScalar(plan, expr, vector, scalar, (value, by) => (holds(value, by) ? 1 : 0));
  return filterByScalar(vector, scalar, holds);
}

function mapWithScalar(
  plan: Plan,
  expr: Binary,
  input: VectorNode,
  scalar: ScalarNode,
  of: (value: number, by: number) => number,
): VectorNode {
  const relabel = computedLabels(plan);
  const verify = distinctCheck(plan, expr);
  const out = createVector();
  return {
    type: 'vector',
    vector: (frame) => {
      const vector = input.vector(frame);
      const by = scalar.scalar(frame);
      out.length = 0;
      for (let i = 0; i < vector.length; i += 1) {
        push(out, relabel(i, labelsAt(vector, i)), of(valueAt(vector, i), by), true);
      }
      return verify(out);
    },
  };
}

function filterByScalar(
  input: VectorNode,
  scalar: ScalarNode,
  holds: (value: number, by: number) => boolean,
): VectorNode {
  const out = createVector();
  return {
    type: 'vector',
    vector: (frame) => {
      const vector = input.vector(frame);
      const by = scalar.scalar(frame);
      out.length = 0;
      for (let i = 0; i < vector.length; i += 1) {
        const value = valueAt(vector, i);
        if (holds(value, by)) pushFrom(out, vector, i, value);
      }
      return out;
    },
  };
}

/** A minus sign before a vector; a plus sign changes nothing, not even the name. */
export function negation(plan: Plan, expr: Unary, input: VectorNode): VectorNode {
  const relabel = computedLabels(plan);
  const verify = distinctCheck(plan, expr);
  const out = createVector();
  return {
    type: 'vector',
    vector: (frame) => {
      const vector = input.vector(frame);
      out.length = 0;
      for (let i = 0; i < vector.length; i += 1) {
        push(out, relabel(i, labelsAt(vector, i)), -valueAt(vector, i), true);
      }
      return verify(out);
    },
  };
}

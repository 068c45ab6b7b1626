import type { Binary } from '../ast.ts';
import { distinctCheck } from './distinct.ts';
import { matchGroups } from './matching.ts';
import { createVector, labelsAt, type Plan, pushFrom, type Vector, type VectorNode, valueAt } from './node.ts';

/** `and`, `or` and `unless`: whole elements are kept or left out by whether the other side has the match group. */
export function setOperation(plan: Plan, expr: Binary, left: VectorNode, right: VectorNode): VectorNode {
  const groups = matchGroups(plan, expr.matching);
  const verify = distinctCheck(plan, expr);
  const out = createVector();
  // Indexed by group; holds the number of the evaluation that last saw it, so nothing needs clearing.
  const seen: number[] = [];
  let evaluation = 0;
  const mark = (vector: Vector, groupOf: typeof groups.left): void => {
    evaluation += 1;
    for (let i = 0; i < vector.length; i += 1) seen[groupOf(i, labelsAt(vector, i))] = evaluation;
  };
  const take = (vector: Vector, groupOf: typeof groups.left, present: boolean): void => {
    for (let i = 0; i < vector.length; i += 1) {
      const isPresent = seen[groupOf(i, labelsAt(vector, i))] === evaluation;
      if (isPresent === present) pushFrom(out, vector, i, valueAt(vector, i));
    }
  };
  return {
    type: 'vector',
    vector: (frame) => {
      const lefts = left.vector(frame);
      const rights = right.vector(frame);
      out.length = 0;
      if (expr.op === 'or') {
        for (let i = 0; i < lefts.length; i += 1) pushFrom(out, lefts, i, valueAt(lefts, i));
        mark(lefts, groups.left);
        take(rights, groups.right, false);
        return verify(out);
      }
      mark(rights, groups.right);
      take(lefts, groups.left, expr.op === 'and');
      return verify(out);
    },
  };
}

import type { Aggregate } from '../ast.ts';
import { PromqlError } from '../promql-error.ts';
import { type Group, grouping, resetGroup } from './aggregate.ts';
import { createVector, labelsAt, type Plan, pushFrom, type ScalarNode, type VectorNode, valueAt } from './node.ts';

/** `topk` and `bottomk`: the k greatest or least elements of each group, best first, NaN last. */
export function selectK(plan: Plan, expr: Aggregate, input: VectorNode, param: ScalarNode): VectorNode {
  const groupOf = grouping(plan, expr);
  const sign = expr.op === 'topk' ? 1 : -1;
  const out = createVector();
  let evaluation = 0;
  return {
    type: 'vector',
    vector: (frame) => {
      const k = param.scalar(frame);
      const vector = input.vector(frame);
      out.length = 0;
      if (k < 1) return out;
      checkK(expr, k);
      evaluation += 1;
      const active: Group[] = [];
      for (let i = 0; i < vector.length; i += 1) {
        const group = groupOf(i, labelsAt(vector, i));
        if (group.seen !== evaluation) {
          resetGroup(group, evaluation);
          active.push(group);
        }
        group.members.push(i);
      }
      for (const group of active) {
        group.members.sort((a, b) => better(valueAt(vector, a), valueAt(vector, b), sign));
        for (const i of group.members.slice(0, Math.trunc(k))) pushFrom(out, vector, i, valueAt(vector, i));
      }
      return out;
    },
  };
}

function checkK(expr: Aggregate, k: number): void {
  if (Number.isNaN(k)) throw new PromqlError('evaluation', 'Parameter value is NaN', expr.param ?? expr);
  if (k < 2 ** 63) return;
  throw new PromqlError('evaluation', `Scalar value ${k} overflows int64`, expr.param ?? expr);
}

/** Sorts the better value to the front; numbers are better than NaN. */
export function better(a: number, b: number, sign: 1 | -1): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
  return a === b ? 0 : (b > a ? 1 : -1) * sign;
}

import type { Call, Expr } from '../ast.ts';
import { distinctCheck } from './distinct.ts';
import { computedLabels, createVector, labelsAt, type Plan, push, type VectorNode, valueAt } from './node.ts';
import { instantSelector } from './selector.ts';

/**
 * `timestamp(v)`: of a selector, the time of each sample; of anything computed, the instant of evaluation. In seconds.
 */
export function timestampOf(plan: Plan, call: Call, arg: Expr, computed: () => VectorNode): VectorNode {
  const isSelector = arg.kind === 'selector';
  const input = isSelector ? instantSelector(plan, arg, 'time') : computed();
  const relabel = computedLabels(plan);
  const verify = distinctCheck(plan, call);
  const out = createVector();
  return {
    type: 'vector',
    vector: (frame) => {
      const vector = input.vector(frame);
      out.length = 0;
      for (let i = 0; i < vector.length; i += 1) {
        push(out, relabel(i, labelsAt(vector, i)), isSelector ? valueAt(vector, i) : frame.at / 1000, true);
      }
      return verify(out);
    },
  };
}

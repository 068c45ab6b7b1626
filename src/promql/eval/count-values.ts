import type { Aggregate } from '../ast.ts';
import { withLabel } from '../labels.ts';
import { formatFloat } from '../literals.ts';
import type { Labels } from '../series.ts';
import { groupLabels } from './aggregate.ts';
import { createVector, labelsAt, type Plan, push, type VectorNode, valueAt } from './node.ts';

/** `count_values("label", v)`: how many elements of each group have each value, which becomes a label. */
export function countValues(plan: Plan, expr: Aggregate, label: string, input: VectorNode): VectorNode {
  const grouped = expr.without ? expr : { ...expr, grouping: [...expr.grouping, label] };
  const out = createVector();
  return {
    type: 'vector',
    vector: (frame) => {
      const vector = input.vector(frame);
      const counts = new Map<Labels, number>();
      for (let i = 0; i < vector.length; i += 1) {
        const valued = withLabel(labelsAt(vector, i), label, formatFloat(valueAt(vector, i)));
        const key = plan.interner.intern(groupLabels(grouped, valued));
        counts.set(key, (counts.get(key) ?? 0) + 1);
      }
      out.length = 0;
      for (const [labels, count] of counts) push(out, labels, count, false);
      return out;
    },
  };
}

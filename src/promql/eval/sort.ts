import type { Call } from '../ast.ts';
import { compareLabels, labelValue } from '../labels.ts';
import type { Labels } from '../series.ts';
import { annotate } from './annotations.ts';
import { createVector, type Frame, labelsAt, pushFrom, type Vector, type VectorNode, valueAt } from './node.ts';
import { better } from './select-k.ts';

/** `sort` and `sort_desc`: by value, NaN last. */
export function sortByValue(call: Call, input: VectorNode): VectorNode {
  const sign = call.name === 'sort' ? -1 : 1;
  return sorted(call, input, (vector) => (a, b) => better(valueAt(vector, a), valueAt(vector, b), sign));
}

/** `sort_by_label` and `sort_by_label_desc`: by the named labels in natural order, then by all labels. */
export function sortByLabel(call: Call, input: VectorNode, names: readonly string[]): VectorNode {
  const sign = call.name === 'sort_by_label' ? 1 : -1;
  return sorted(
    call,
    input,
    (vector) => (a, b) => compareByNames(labelsAt(vector, a), labelsAt(vector, b), names) * sign,
  );
}

function sorted(
  call: Call,
  input: VectorNode,
  order: (vector: Vector) => (a: number, b: number) => number,
): VectorNode {
  const out = createVector();
  return {
    type: 'vector',
    vector: (frame) => {
      if (frame.stepMs > 0) noteRangeQuery(frame, call);
      const vector = input.vector(frame);
      const indices = Array.from({ length: vector.length }, (_, i) => i).sort(order(vector));
      out.length = 0;
      for (const i of indices) pushFrom(out, vector, i, valueAt(vector, i));
      return out;
    },
  };
}

function noteRangeQuery(frame: Frame, call: Call): void {
  const message = 'PromQL warning: sort is ineffective for range queries since results are always ordered by labels';
  annotate(frame.annotations, { severity: 'warning', message, span: call });
}

function compareByNames(a: Labels, b: Labels, names: readonly string[]): number {
  for (const name of names) {
    const order = compareNaturally(labelValue(a, name), labelValue(b, name));
    if (order !== 0) return order;
  }
  return compareLabels(a, b);
}

/** Runs of digits count as numbers: `node9` before `node10`. */
function compareNaturally(a: string, b: string): number {
  if (a === b) return 0;
  const [left, right] = [chunks(a), chunks(b)];
  for (const [i, chunk] of left.entries()) {
    const other = right[i];
    if (other === undefined) return 1;
    const order = compareChunks(chunk, other);
    if (order !== 0) return order;
  }
  return -1;
}

function chunks(text: string): string[] {
  return text.match(/\d+|\D+/g) ?? [];
}

function compareChunks(a: string, b: string): number {
  const areNumbers = /^\d/.test(a) && /^\d/.test(b);
  if (areNumbers && Number(a) !== Number(b)) return Number(a) - Number(b);
  if (areNumbers || a === b) return 0;
  return a < b ? -1 : 1;
}

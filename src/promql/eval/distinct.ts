import type { Span } from '../ast.ts';
import { PromqlError } from '../promql-error.ts';
import type { Labels } from '../series.ts';
import { labelsAt, type Plan, type Vector } from './node.ts';

/**
 * A check that no two elements of a vector have equal labels, which dropping names can bring about. Labels seen to be
 * distinct once are compared by position only. Under delayed name removal the check waits for the end of the query.
 */
export function distinctCheck(plan: Plan, span: Span): (vector: Vector) => Vector {
  return plan.delayedNameRemoval ? (vector) => vector : alwaysDistinctCheck(span);
}

export function alwaysDistinctCheck(span: Span): (vector: Vector) => Vector {
  let known: Labels[] = [];
  return (vector) => {
    let same = vector.length <= known.length;
    for (let i = 0; same && i < vector.length; i += 1) same = vector.labels[i] === known[i];
    if (same || vector.length < 2) return vector;
    const seen = new Set<Labels>();
    for (let i = 0; i < vector.length; i += 1) seen.add(labelsAt(vector, i));
    if (seen.size < vector.length) {
      throw new PromqlError('evaluation', 'vector cannot contain metrics with the same labelset', span);
    }
    known = [...seen];
    return vector;
  };
}

import { STRATEGIES, type Strategy } from '../core/merge/conflict.ts';
import type { Decision, MergeSpec } from '../core/merge/merge-report.ts';
import type { PointId } from '../core/model/point.ts';
import { HttpProblem } from './problem.ts';

/** How a restore is to merge. @throws HttpProblem */
export function mergeIn(value: unknown): (MergeSpec & { readonly ancestor: PointId }) | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== 'object' || value === null) throw invalid('`merge` is an object');
  const {
    conflicts = 'abort',
    ancestor,
    decisions,
  }: { conflicts?: unknown; ancestor?: unknown; decisions?: unknown } = value;
  if (typeof ancestor !== 'string' || ancestor === '') {
    throw invalid('`merge.ancestor` is the newest point from before things went wrong');
  }
  const spec = { conflicts: strategyIn(conflicts), ancestor };
  return decisions === undefined ? spec : { ...spec, decisions: decisionsIn(decisions) };
}

function strategyIn(value: unknown): Strategy {
  const found = STRATEGIES.find((strategy) => strategy === value);
  if (found === undefined) throw invalid(`\`merge.conflicts\` is one of ${STRATEGIES.join(', ')}`);
  return found;
}

function decisionsIn(value: unknown): readonly Decision[] {
  if (!Array.isArray(value)) throw invalid('`merge.decisions` is a list');
  return value.map((one: unknown) => {
    const { item, digest, take }: { item?: unknown; digest?: unknown; take?: unknown } =
      typeof one === 'object' && one !== null ? one : {};
    if (typeof item === 'string' && typeof digest === 'string' && (take === 'live' || take === 'snapshot')) {
      return { item, digest, take };
    }
    throw invalid('each of `merge.decisions` has `item`, `digest`, and `take`: live or snapshot');
  });
}

function invalid(message: string): HttpProblem {
  return new HttpProblem(400, 'invalid', message);
}

import type { Condition } from '../core/plan/plan.ts';
import { formatDuration, type Millis } from '../core/units.ts';
import type { CopyState } from '../daemon/postgres-copy.ts';

/** Less than that is said by the metrics alone. */
const BEHIND_MS: Millis = 60_000;

/** What people should know of the copy in PostgreSQL. */
export function copyConditions(copy: CopyState | null): Condition[] {
  if (copy === null || (copy.lagMs < BEHIND_MS && !needsPerson(copy))) return [];
  const { schema, behind, lagMs, failure } = copy;
  const missing = behind === null ? 'how far it is was not found out' : `${behind} events are not there yet`;
  const why = failure === null ? 'it is being copied' : `${failure.code}: ${failure.message}`;
  const message = `${missing}, for ${formatDuration(lagMs)}: ${why}`;
  return [{ type: 'ProjectionBehind', object: `PostgreSQL/${schema}`, message, needsAttention: true }];
}

/** Whether it stays so until somebody does something. */
function needsPerson({ failure }: CopyState): boolean {
  return failure !== null && failure.code !== 'unreachable' && failure.code !== 'refused';
}

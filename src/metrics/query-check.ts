import type { CheckResult, CheckThreshold, QueryCheck } from '../core/model/check.ts';
import { isBeyond } from '../core/model/trigger.ts';

/** What is found of a check; when, is known to who asked. */
export type Finding = Omit<CheckResult, 'at'>;

const MOST_SHOWN = 5;

/** True if every element is beyond the threshold, unknown without data or with NaN. */
export function judgeQueryCheck({ key, threshold }: QueryCheck, values: readonly number[]): Finding {
  if (values.length === 0) return { key, outcome: 'unknown', detail: 'no data' };
  if (values.some((value) => Number.isNaN(value))) return { key, outcome: 'unknown', detail: 'NaN' };
  const good = values.every((value) => isAsWanted(threshold, value));
  return { key, outcome: good ? 'true' : 'false', detail: `is ${values.slice(0, MOST_SHOWN).join(', ')}` };
}

function isAsWanted(threshold: CheckThreshold, value: number): boolean {
  return threshold.kind === 'equals' ? value === threshold.value : isBeyond(threshold, value);
}

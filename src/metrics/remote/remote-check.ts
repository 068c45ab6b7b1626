import type { QueryCheck } from '../../core/model/check.ts';
import { fromReadingValue } from '../../core/observed.ts';
import type { Millis } from '../../core/units.ts';
import { type Finding, judgeQueryCheck } from '../query-check.ts';
import { RemoteFault, type RemoteQuery } from './remote-query.ts';

/** Lets the server evaluate a check's query. Whatever keeps it from answering makes the check unknown; never rejects. */
export async function askCheck(
  remote: RemoteQuery,
  check: QueryCheck,
  at: Millis,
  signal: AbortSignal,
): Promise<Finding> {
  try {
    const { elements, partial } = await remote.query(check.expr, at, signal);
    const finding = judgeQueryCheck(
      check,
      elements.map(({ value }) => fromReadingValue(value)),
    );
    // What is there can be bad enough; that all is well takes all of it.
    if (finding.outcome !== 'true' || partial.length === 0) return finding;
    return { ...finding, outcome: 'unknown', detail: `${finding.detail}, but the answer is partial: ${partial[0]}` };
  } catch (error) {
    if (!(error instanceof RemoteFault)) throw error;
    return { key: check.key, outcome: 'unknown', detail: `${error.code}: ${error.message}` };
  }
}

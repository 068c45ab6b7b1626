import type { Check } from '../model/check.ts';
import { describeCheck } from '../model/describe-check.ts';
import type { Observed } from '../observed.ts';
import type { Millis } from '../units.ts';

/** What one trigger or check says about success, in words. */
export type Finding = { readonly verdict: 'good' | 'bad' | 'unknown'; readonly text: string };

/** The result of a check, if it was made since then. */
export function checkFinding(checks: Observed['checks'], check: Check, since: Millis): Finding {
  const result = checks[check.key];
  if (result === undefined || result.at < since) {
    return { verdict: 'unknown', text: `${describeCheck(check)}: not checked yet` };
  }
  const text = `${describeCheck(check)}: ${result.detail}`;
  switch (result.outcome) {
    case 'true':
      return { verdict: 'good', text };
    case 'false':
      return { verdict: 'bad', text };
    case 'unknown':
      return { verdict: 'unknown', text };
  }
}

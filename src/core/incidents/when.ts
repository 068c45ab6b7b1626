import type { Check } from '../model/check.ts';
import type { Observed } from '../observed.ts';
import type { Millis } from '../units.ts';
import { checkFinding } from './check-finding.ts';

/** A check that nobody can answer is waited for so long, beyond its own deadline. */
export const CHECK_PATIENCE_MS: Millis = 30_000;

export type WhenVerdict =
  | { readonly kind: 'go' }
  | { readonly kind: 'wait'; readonly until: Millis }
  /** `unsure`: not because one is false, but because one is not known. */
  | { readonly kind: 'skip'; readonly reason: string; readonly unsure: boolean };

/** Whether the checks of a `when` are true, as they are since its turn came. What stays unknown is not true. */
export function judgeWhen(
  when: readonly Check[] | undefined,
  checks: Observed['checks'],
  { since, now }: { readonly since: Millis; readonly now: Millis },
): WhenVerdict {
  if (when === undefined || when.length === 0) return { kind: 'go' };
  const findings = when.map((check) => checkFinding(checks, check, since));
  const bad = findings.filter(({ verdict }) => verdict === 'bad');
  if (bad.length > 0) {
    return { kind: 'skip', reason: `it is not for now: ${texts(bad)}`, unsure: false };
  }
  const unknown = findings.filter(({ verdict }) => verdict === 'unknown');
  if (unknown.length === 0) return { kind: 'go' };
  const until = since + CHECK_PATIENCE_MS + Math.max(...when.map(timeoutOf));
  if (now < until) return { kind: 'wait', until };
  return {
    kind: 'skip',
    reason: `whether it is for now is not known, and unknown is not true: ${texts(unknown)}`,
    unsure: true,
  };
}

function texts(findings: readonly { readonly text: string }[]): string {
  return findings.map(({ text }) => text).join('; ');
}

/** How long one making of the check may take; a query is answered at once. */
export function timeoutOf(check: Check): Millis {
  return check.kind === 'query' ? 0 : check.timeoutMs;
}

import type { Check } from '../model/check.ts';
import type { ExecutingPhase } from '../model/incident.ts';
import type { RestoreStep, Step } from '../model/step.ts';
import type { Turn } from '../turn.ts';
import { formatDuration, type Millis } from '../units.ts';
import { checkFinding } from './check-finding.ts';
import { CHECK_PATIENCE_MS, timeoutOf } from './when.ts';

export type Intactness =
  | { readonly kind: 'intact' | 'waiting' }
  /** `failed`: a check is false; `unknown`: nobody can tell. */
  | { readonly kind: 'late'; readonly outcome: 'failed' | 'unknown'; readonly detail: string };

/** What the target of a restore says of itself once it is back; a target that git no longer has says nothing. */
export function intactChecks({ desired }: Pick<Turn, 'desired'>, { target }: RestoreStep): readonly Check[] {
  return desired.targets[target]?.checks ?? [];
}

/** Whether the target is intact by checks made since it was effective. A database may need a moment, so there is time. */
export function judgeRestored(turn: Turn, step: RestoreStep & Step, phase: ExecutingPhase, since: Millis): Intactness {
  const checks = intactChecks(turn, step);
  const findings = checks.map((check) => checkFinding(turn.observed.checks, check, since));
  const against = findings.filter(({ verdict }) => verdict !== 'good');
  if (against.length === 0) return { kind: 'intact' };
  if (turn.now < intactDeadline(checks, step, phase, since)) return { kind: 'waiting' };
  const bad = against.filter(({ verdict }) => verdict === 'bad');
  const told = (bad.length > 0 ? bad : against).map(({ text }) => text).join('; ');
  const within = formatDuration(turn.now - (phase.startedAt ?? since));
  return bad.length > 0
    ? { kind: 'late', outcome: 'failed', detail: `it is in place, but not intact after ${within}: ${told}` }
    : { kind: 'late', outcome: 'unknown', detail: `it is in place; whether it is intact is not known: ${told}` };
}

/** The step's own deadline; but each check gets the time to be made once, however long the restore took. */
export function intactDeadline(
  checks: readonly Check[],
  { timeoutMs }: Step,
  { startedAt }: ExecutingPhase,
  since: Millis,
): Millis {
  const once = since + CHECK_PATIENCE_MS + Math.max(0, ...checks.map(timeoutOf));
  return Math.max((startedAt ?? since) + timeoutMs, once);
}

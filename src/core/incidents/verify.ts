import type { Check } from '../model/check.ts';
import { describeCheck } from '../model/describe-check.ts';
import type { Incident, VerifyingPhase } from '../model/incident.ts';
import type { Rung } from '../model/policy.ts';
import { type Trigger, triggerKey } from '../model/trigger.ts';
import type { Observed } from '../observed.ts';
import { awaitsBaseline, isClearSince, shownThreshold, viewTrigger } from '../triggers/trigger-view.ts';
import type { Turn } from '../turn.ts';
import { criticalTriggers } from './open-incidents.ts';

export type Verification = {
  readonly outcome: 'waiting' | 'successful' | 'failed' | 'inconclusive';
  /** Whether nothing speaks against success now. */
  readonly good: boolean;
  /** What speaks against success, or for it. */
  readonly reasons: readonly string[];
};

/**
 * successful: after `settle`, every trigger is clear with data and every check is true; ends it at once.
 * failed: when `within` ends, a trigger is breached or a check is false. inconclusive: then, anything else.
 */
export function judgeVerification(turn: Turn, incident: Incident, rung: Rung, phase: VerifyingPhase): Verification {
  if (turn.now < phase.settleAt) return { outcome: 'waiting', good: false, reasons: ['settling'] };
  const findings = [
    ...(rung.verify.triggersClear ? triggerFindings(turn, incident, phase.settleAt) : []),
    ...rung.verify.checks.map((check) => checkFinding(turn.observed, check, phase.settleAt)),
  ];
  const against = findings.filter((finding) => finding.verdict !== 'good');
  const reasons = against.map((finding) => finding.text);
  if (against.length === 0) {
    const good = findings.map((finding) => finding.text);
    const lasted = phase.goodSince !== null && turn.now - phase.goodSince >= rung.verify.forMs;
    if (lasted || rung.verify.forMs === 0) return { outcome: 'successful', good: true, reasons: good };
    // A success that has begun is given the time to last, also past the deadline.
    return { outcome: 'waiting', good: true, reasons: good };
  }
  if (turn.now < phase.deadlineAt) return { outcome: 'waiting', good: false, reasons };
  return {
    good: false,
    outcome: against.some((finding) => finding.verdict === 'bad') ? 'failed' : 'inconclusive',
    reasons,
  };
}

type Finding = { readonly verdict: 'good' | 'bad' | 'unknown'; readonly text: string };

function triggerFindings(turn: Turn, incident: Incident, since: number): Finding[] {
  return [incident.policy, ...incident.joined.map((joined) => joined.policy)].flatMap((policy) =>
    criticalTriggers(policy).map((trigger) => triggerFinding(turn, policy.name, trigger, since)),
  );
}

function triggerFinding(turn: Turn, policy: string, trigger: Trigger, since: number): Finding {
  const key = triggerKey(policy, trigger.name);
  const view = viewTrigger(turn.memory, key, trigger, turn.now);
  const value = `${key} = ${view.memory?.value ?? 'no value'}`;
  if (isClearSince(view, since)) {
    const why =
      view.memory !== undefined && awaitsBaseline(view.memory) ? 'too little history for its baseline' : 'clear';
    return { verdict: 'good', text: `${value}, ${why}` };
  }
  if (!view.fresh || view.memory === undefined || view.memory.at < since) {
    return { verdict: 'unknown', text: `${key} has no fresh evaluation` };
  }
  const { verdict, covered } = view.memory;
  switch (verdict) {
    case 'breached':
      return { verdict: 'bad', text: `${value}, still ${shownThreshold(trigger, view.memory)}` };
    case 'between':
      return { verdict: 'unknown', text: `${value}, between its threshold and clear` };
    case 'clear':
      return {
        verdict: 'unknown',
        text: covered ? `${value}, clear but not for long enough` : `${value}, clear but its window is not covered yet`,
      };
    case 'noData':
    case 'nan':
    case 'failed':
      return { verdict: 'unknown', text: `${key} has ${verdict === 'nan' ? 'NaN' : 'no data'}` };
  }
}

function checkFinding(observed: Observed, check: Check, since: number): Finding {
  const result = observed.checks[check.key];
  if (result === undefined || result.at < since)
    return { verdict: 'unknown', text: `${describeCheck(check)}: not checked yet` };
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

import type { Incident, VerifyingPhase } from '../model/incident.ts';
import type { Rung } from '../model/policy.ts';
import type { Trigger, TriggerKey } from '../model/trigger.ts';
import { awaitsBaseline, isClearSince, shownThreshold, viewTrigger } from '../triggers/trigger-view.ts';
import type { Turn } from '../turn.ts';
import { checkFinding, type Finding } from './check-finding.ts';
import { judgedChecks } from './judged-checks.ts';
import { judgedTriggers } from './verdict.ts';

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
    ...judgedChecks(incident, phase.rung).map((check) => checkFinding(turn.observed.checks, check, phase.settleAt)),
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

function triggerFindings(turn: Turn, incident: Incident, since: number): Finding[] {
  return judgedTriggers(incident).map(({ key, trigger }) => triggerFinding(turn, key, trigger, since));
}

function triggerFinding(turn: Turn, key: TriggerKey, trigger: Trigger, since: number): Finding {
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

import type { Incident, VerifyingPhase } from '../model/incident.ts';
import type { Rung } from '../model/policy.ts';
import type { Trigger, TriggerKey } from '../model/trigger.ts';
import { awaitsBaseline, isClearSince, shownThreshold, viewTrigger } from '../triggers/trigger-view.ts';
import type { Turn } from '../turn.ts';
import type { Millis } from '../units.ts';
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
 * failed: when `within` ends, a trigger is breached or a check is false. inconclusive: then, anything else. What a
 * policy brings in that joined meanwhile has `within` from its joining: it began to fire when the rung was done.
 */
export function judgeVerification(turn: Turn, incident: Incident, rung: Rung, phase: VerifyingPhase): Verification {
  if (turn.now < phase.settleAt) return { outcome: 'waiting', good: false, reasons: ['settling'] };
  const findings = findingsOf(turn, incident, rung, phase);
  const against = findings.filter((finding) => finding.verdict !== 'good');
  const reasons = against.map((finding) => finding.text);
  if (against.length === 0) {
    const good = findings.map((finding) => finding.text);
    const lasted = phase.goodSince !== null && turn.now - phase.goodSince >= rung.verify.forMs;
    if (lasted || rung.verify.forMs === 0) return { outcome: 'successful', good: true, reasons: good };
    // A success that has begun is given the time to last, also past the deadline.
    return { outcome: 'waiting', good: true, reasons: good };
  }
  const due = against.filter((finding) => turn.now >= finding.deadlineAt);
  if (due.length === 0) return { outcome: 'waiting', good: false, reasons };
  return {
    good: false,
    outcome: due.some((finding) => finding.verdict === 'bad') ? 'failed' : 'inconclusive',
    reasons,
  };
}

type Judged = Finding & { readonly deadlineAt: Millis };

function findingsOf(turn: Turn, incident: Incident, rung: Rung, phase: VerifyingPhase): Judged[] {
  const since = phase.settleAt;
  const triggers = rung.verify.triggersClear ? judgedTriggers(incident) : [];
  return [
    ...triggers.map(({ key, trigger, joinedAt }) => ({
      ...triggerFinding(turn, key, trigger, since),
      deadlineAt: deadlineOf(rung, phase, joinedAt),
    })),
    ...judgedChecks(incident, phase.rung).map(({ check, joinedAt }) => ({
      ...checkFinding(turn.observed.checks, check, since),
      deadlineAt: deadlineOf(rung, phase, joinedAt),
    })),
  ];
}

/** By when what a policy asks for must be so; `joinedAt` is null for the incident's own. */
export function deadlineOf({ verify }: Rung, { deadlineAt }: VerifyingPhase, joinedAt: Millis | null): Millis {
  return joinedAt === null ? deadlineAt : Math.max(deadlineAt, joinedAt + verify.withinMs);
}

/** What is seen to be bad now, in words. */
export function presentFaults(turn: Turn, incident: Incident): string[] {
  return judgedTriggers(incident)
    .map(({ key, trigger }) => triggerFinding(turn, key, trigger, Number.NEGATIVE_INFINITY))
    .filter(({ verdict }) => verdict === 'bad')
    .map(({ text }) => text);
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

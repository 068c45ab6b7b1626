import type { Incident, VerifyingPhase } from '../model/incident.ts';
import type { Rung } from '../model/policy.ts';
import type { Turn } from '../turn.ts';
import { judgeVerification, type Verification } from './verify.ts';

/** Judges the rung: it succeeded, failed, cannot be judged, or there is still time. */
export function verifyRung(turn: Turn, incident: Incident, phase: VerifyingPhase): boolean {
  const rung = incident.policy.ladder[phase.rung];
  if (rung === undefined) return false;
  const verification = judgeVerification(turn, incident, rung, phase);
  const { outcome, reasons } = verification;
  if (outcome === 'waiting') return noteTurn(turn, incident, phase, verification);
  turn.emit({ type: 'verification.ended', incident: incident.id, rung: phase.rung, outcome, reasons });
  switch (outcome) {
    case 'successful':
      close(turn, incident, 'resolved', verifiedText(rung, phase));
      return true;
    case 'failed': {
      const base = { incident: incident.id, rung: phase.rung, name: rung.name };
      if (phase.afterStep === true) turn.emit({ type: 'rung.failed', ...base, reason: 'a step failed' });
      return true;
    }
    case 'inconclusive':
      settleInconclusive(turn, incident, phase.rung, rung, reasons);
      return true;
  }
}

function verifiedText(rung: Rung, { afterStep }: VerifyingPhase): string {
  return afterStep === true
    ? `a step of rung "${rung.name}" failed, and it was verified that all is well without it`
    : `rung "${rung.name}" was verified`;
}

function noteTurn(turn: Turn, incident: Incident, phase: VerifyingPhase, { good, reasons }: Verification): boolean {
  if (good === (phase.goodSince !== null)) return false;
  turn.emit({ type: 'verification.turned', incident: incident.id, good, reasons });
  return false;
}

function settleInconclusive(
  turn: Turn,
  incident: Incident,
  index: number,
  rung: Rung,
  reasons: readonly string[],
): void {
  const why = `the verification of rung "${rung.name}" was inconclusive: ${reasons.join('; ')}`;
  switch (rung.verify.onInconclusive) {
    case 'ask':
      turn.emit({ type: 'incident.asked', incident: incident.id, reason: why });
      return;
    case 'next':
      goOn(turn, incident, index, rung.name, why);
      return;
    case 'done':
      close(turn, incident, 'resolved', `${why}; the policy counts that as done`);
  }
}

/** A rung that loses data is no answer to not knowing. */
function goOn(turn: Turn, incident: Incident, rung: number, name: string, reason: string): void {
  const next = incident.policy.ladder[rung + 1];
  if (next?.dataLoss === undefined) {
    turn.emit({ type: 'rung.failed', incident: incident.id, rung, name, reason, unsure: true });
    return;
  }
  const question = `${reason}; the next rung "${next.name}" loses data, and is not entered without knowing`;
  turn.emit({ type: 'incident.asked', incident: incident.id, reason: question });
}

/** While a person is asked about an inconclusive verification, good data answers the question; bad data does not. */
export function resolveByItself(turn: Turn, incident: Incident, phase: VerifyingPhase): boolean {
  const rung = incident.policy.ladder[phase.rung];
  if (rung === undefined) return false;
  const verification = judgeVerification(turn, incident, rung, phase);
  const { outcome, reasons } = verification;
  if (outcome !== 'successful') return noteTurn(turn, incident, phase, verification);
  turn.emit({ type: 'verification.ended', incident: incident.id, rung: phase.rung, outcome, reasons });
  close(turn, incident, 'resolved', `${verifiedText(rung, phase)} while a person was asked`);
  return true;
}

function close(turn: Turn, incident: Incident, outcome: 'resolved' | 'exhausted', reason: string): void {
  turn.emit({ type: 'incident.closed', incident: incident.id, outcome, reason });
}

import { isOpen } from '../model/incident.ts';
import { sendingInstants } from '../notifications/notify.ts';
import { tellingInstants } from '../notifications/tell-by-time.ts';
import type { Turn } from '../turn.ts';
import type { Millis } from '../units.ts';

/** The next instant at which time alone changes the decision; null if there is none. */
export function nextWakeUp(turn: Turn): Millis | null {
  const instants = [
    ...incidentInstants(turn),
    ...Object.values(turn.memory.holds).flatMap((hold) =>
      hold.kind === 'override' && hold.expiresAt !== null ? [hold.expiresAt] : [],
    ),
    ...Object.values(turn.memory.documents).flatMap(({ failing, owed }) =>
      [failing?.retryAt, owed?.retry?.retryAt].filter((at) => at !== undefined),
    ),
    ...targetInstants(turn),
    ...tellingInstants(turn),
    ...sendingInstants(turn),
    ...Object.values(turn.memory.reportsOwed).map((retry) => retry.retryAt),
    ...Object.values(turn.memory.brakes).map((brake) => brake.until),
  ].filter((at) => at > turn.now);
  return instants.length === 0 ? null : Math.min(...instants);
}

function incidentInstants(turn: Turn): Millis[] {
  return Object.values(turn.memory.incidents).flatMap((incident) => {
    const { phase, policy } = incident;
    if (!isOpen(incident)) return [];
    if (phase.kind === 'executing' && phase.startedAt !== null) {
      const step = policy.ladder[phase.rung]?.[phase.part][phase.step];
      return step === undefined ? [] : [phase.startedAt + step.timeoutMs];
    }
    if (phase.kind !== 'verifying') return [];
    const forMs = policy.ladder[phase.rung]?.verify.forMs ?? 0;
    return [phase.settleAt, phase.deadlineAt, ...(phase.goodSince === null ? [] : [phase.goodSince + forMs])];
  });
}

function targetInstants(turn: Turn): Millis[] {
  return Object.entries(turn.memory.targets).flatMap(([name, { current, owed, failing }]) => {
    const bakeMs = turn.desired.targets[name]?.type.bakeMs ?? 0;
    const calmSince = current === null || current.isGood ? null : current.calmSince;
    const retries = [failing?.retryAt, owed?.retry?.retryAt].filter((at) => at !== undefined);
    return calmSince === null ? retries : [calmSince + bakeMs, ...retries];
  });
}

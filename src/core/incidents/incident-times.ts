import { type ExecutingPhase, type Incident, type Phase, toldOf, type VerifyingPhase } from '../model/incident.ts';
import type { Millis } from '../units.ts';

/** The clock was set: every instant of the incident that is compared with `now` moves with it. */
export function shiftIncident(incident: Incident, byMs: Millis): Incident {
  const told = toldOf(incident);
  return {
    ...incident,
    phase: shiftPhase(incident.phase, byMs),
    told: { ...told, since: told.since + byMs, alertedAt: told.alertedAt + byMs },
  };
}

/**
 * A halt ended. Deadlines stood still for as long as it lasted, but none longer than it had run, for a restart in the
 * middle of a halt begins them anew. What was good before a halt is no unbroken success after it.
 */
export function thawIncident(incident: Incident, lastedMs: Millis, at: Millis): Incident {
  const { phase } = incident;
  switch (phase.kind) {
    case 'executing':
      return withPhase(incident, shiftPhase(phase, frozenMs(lastedMs, phase.startedAt ?? at, at)));
    case 'verifying':
      return withPhase(incident, {
        ...shiftVerifying(phase, frozenMs(lastedMs, phase.since, at)),
        goodSince: null,
      });
    case 'asking':
      return withPhase(incident, { ...phase, about: withoutSuccess(phase.about) });
    case 'entering':
    case 'closed':
      return incident;
  }
}

function frozenMs(lastedMs: Millis, since: Millis, at: Millis): Millis {
  return Math.max(0, Math.min(lastedMs, at - since));
}

/**
 * What was seen before a restart is no evidence any more, so a verification begins anew; and a flag that is being set
 * gets its whole time again, for while the daemon was away nobody set it.
 */
export function restartIncident(incident: Incident, at: Millis): Incident {
  const { phase, policy } = incident;
  switch (phase.kind) {
    case 'executing': {
      const isSettingFlag = policy.ladder[phase.rung]?.[phase.part][phase.step]?.kind === 'setFlag';
      return isSettingFlag && phase.startedAt !== null ? withPhase(incident, { ...phase, startedAt: at }) : incident;
    }
    case 'verifying': {
      const verify = policy.ladder[phase.rung]?.verify;
      if (verify === undefined) return incident;
      const [settleAt, deadlineAt] = [at + verify.settleMs, at + verify.withinMs];
      return withPhase(incident, { ...phase, since: at, settleAt, deadlineAt, goodSince: null });
    }
    case 'asking':
      return withPhase(incident, { ...phase, about: withoutSuccess(phase.about) });
    case 'entering':
    case 'closed':
      return incident;
  }
}

function shiftPhase(phase: Phase, byMs: Millis): Phase {
  switch (phase.kind) {
    case 'entering':
      return phase;
    case 'executing':
      return shiftExecuting(phase, byMs);
    case 'verifying':
      return shiftVerifying(phase, byMs);
    case 'asking': {
      const { about } = phase;
      const moved = about.kind === 'executing' ? shiftExecuting(about, byMs) : shiftVerifying(about, byMs);
      return { ...phase, since: phase.since + byMs, about: moved };
    }
    case 'closed':
      return { ...phase, at: phase.at + byMs };
  }
}

function shiftExecuting(phase: ExecutingPhase, byMs: Millis): ExecutingPhase {
  return { ...phase, startedAt: phase.startedAt === null ? null : phase.startedAt + byMs };
}

function shiftVerifying(phase: VerifyingPhase, byMs: Millis): VerifyingPhase {
  return {
    ...phase,
    since: phase.since + byMs,
    settleAt: phase.settleAt + byMs,
    deadlineAt: phase.deadlineAt + byMs,
    goodSince: phase.goodSince === null ? null : phase.goodSince + byMs,
  };
}

function withoutSuccess(about: ExecutingPhase | VerifyingPhase): ExecutingPhase | VerifyingPhase {
  return about.kind === 'verifying' ? { ...about, goodSince: null } : about;
}

function withPhase(incident: Incident, phase: Phase): Incident {
  return { ...incident, phase };
}

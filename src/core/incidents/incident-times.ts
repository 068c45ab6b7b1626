import {
  type AskedAbout,
  type ExecutingPhase,
  type Incident,
  type Phase,
  toldOf,
  type VerifyingPhase,
} from '../model/incident.ts';
import { mapValues } from '../record.ts';
import type { Millis } from '../units.ts';

/**
 * The clock was set: every instant of the incident that is compared with `now` moves with it, and with them those that
 * are compared with these.
 */
export function shiftIncident(incident: Incident, byMs: Millis): Incident {
  const told = toldOf(incident);
  return {
    ...incident,
    openedAt: incident.openedAt + byMs,
    openedBy: incident.openedBy.map((cause) => ({ ...cause, breachedSince: cause.breachedSince + byMs })),
    joined: incident.joined.map((one) => ({ ...one, at: one.at + byMs })),
    phase: shiftPhase(incident.phase, byMs),
    rungEnteredAt: shifted(incident.rungEnteredAt, byMs),
    pausedAt: shifted(incident.pausedAt, byMs),
    told: { ...told, since: told.since + byMs, alertedAt: told.alertedAt + byMs },
  };
}

/** A halt that began at `haltedAt` ended. Of an incident that is suspended as well, only the time before counts now. */
export function resumeIncident(incident: Incident, haltedAt: Millis, at: Millis): Incident {
  const until = incident.pausedAt ?? at;
  return thawIncident(incident, Math.max(0, until - haltedAt), at);
}

/**
 * A halt or a suspension ended. Deadlines stood still for as long as it lasted, but none longer than it had run, for a
 * restart in the middle begins them anew. What was good before is no unbroken success after it.
 */
export function thawIncident(incident: Incident, lastedMs: Millis, at: Millis): Incident {
  const { phase, rungEnteredAt } = incident;
  const joined = incident.joined.map((one) => ({ ...one, at: one.at + frozenMs(lastedMs, one.at, at) }));
  const moved = rungEnteredAt === null ? null : rungEnteredAt + frozenMs(lastedMs, rungEnteredAt, at);
  return { ...incident, joined, rungEnteredAt: moved, held: true, phase: thawPhase(phase, lastedMs, at) };
}

function thawPhase(phase: Phase, lastedMs: Millis, at: Millis): Phase {
  switch (phase.kind) {
    case 'fixing-forward':
    case 'awaiting-approval':
      return { ...phase, ...moved(phase, frozenMs(lastedMs, phase.since, at)) };
    case 'entering':
      return { ...phase, since: at };
    case 'executing':
      return shiftExecuting(phase, frozenMs(lastedMs, phase.startedAt ?? phase.since, at));
    case 'verifying':
      return { ...shiftVerifying(phase, frozenMs(lastedMs, phase.since, at)), goodSince: null };
    case 'asking':
      return { ...phase, about: withoutSuccess(phase.about) };
    case 'closed':
      return phase;
  }
}

function frozenMs(lastedMs: Millis, since: Millis, at: Millis): Millis {
  return Math.max(0, Math.min(lastedMs, at - since));
}

/**
 * What was seen before a restart is no evidence any more, so a verification begins anew; and a flag that is being set
 * gets its whole time again, for while the daemon was away nobody set it. So do the checks of a `when` and of a restore.
 */
export function restartIncident(before: Incident, at: Millis): Incident {
  const incident = { ...before, held: true };
  const { phase, policy } = incident;
  switch (phase.kind) {
    case 'executing': {
      const isSettingFlag = policy.ladder[phase.rung]?.[phase.part][phase.step]?.kind === 'setFlag';
      const startedAt = isSettingFlag && phase.startedAt !== null ? at : phase.startedAt;
      const checking = phase.checkingSince === undefined ? {} : { checkingSince: at };
      return withPhase(incident, { ...phase, since: at, startedAt, ...checking });
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
      return withPhase(incident, { ...phase, since: at });
    case 'fixing-forward':
    case 'awaiting-approval':
    case 'closed':
      return incident;
  }
}

function shiftPhase(phase: Phase, byMs: Millis): Phase {
  switch (phase.kind) {
    case 'asking':
      return { ...phase, since: phase.since + byMs, about: shiftAbout(phase.about, byMs) };
    case 'closed':
      return { ...phase, at: phase.at + byMs };
    case 'fixing-forward':
      return { ...phase, ...moved(phase, byMs) };
    default:
      return shiftAbout(phase, byMs);
  }
}

function shiftAbout(about: AskedAbout, byMs: Millis): AskedAbout {
  switch (about.kind) {
    case 'entering':
      return { ...about, since: about.since + byMs };
    case 'awaiting-approval': {
      const given = about.given.map((one) => ({ ...one, at: one.at + byMs }));
      const goodSince = about.request?.goodSince;
      const request =
        about.request === null || goodSince === undefined
          ? about.request
          : { ...about.request, goodSince: mapValues(goodSince, (since) => since + byMs) };
      return { ...about, ...moved(about, byMs), request, given };
    }
    case 'executing':
      return shiftExecuting(about, byMs);
    case 'verifying':
      return shiftVerifying(about, byMs);
  }
}

function moved(phase: { readonly since: Millis; readonly deadlineAt: Millis }, byMs: Millis) {
  return { since: phase.since + byMs, deadlineAt: phase.deadlineAt + byMs };
}

function shifted(at: Millis | null, byMs: Millis): Millis | null {
  return at === null ? null : at + byMs;
}

function shiftExecuting(phase: ExecutingPhase, byMs: Millis): ExecutingPhase {
  const { checkingSince } = phase;
  const checking = checkingSince === undefined ? {} : { checkingSince: checkingSince + byMs };
  return { ...phase, since: phase.since + byMs, startedAt: shifted(phase.startedAt, byMs), ...checking };
}

function shiftVerifying(phase: VerifyingPhase, byMs: Millis): VerifyingPhase {
  return {
    ...phase,
    since: phase.since + byMs,
    settleAt: phase.settleAt + byMs,
    deadlineAt: phase.deadlineAt + byMs,
    goodSince: shifted(phase.goodSince, byMs),
  };
}

function withoutSuccess(about: AskedAbout): AskedAbout {
  return about.kind === 'verifying' ? { ...about, goodSince: null } : about;
}

function withPhase(incident: Incident, phase: Phase): Incident {
  return { ...incident, phase };
}

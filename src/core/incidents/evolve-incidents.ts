import type { DaemonEvent, Event, IncidentEvent } from '../event.ts';
import type { Memory } from '../memory.ts';
import {
  type AskedAbout,
  type ExecutingPhase,
  type Incident,
  type IncidentAnswer,
  type IncidentId,
  type Phase,
  toldOf,
  type VerifyingPhase,
} from '../model/incident.ts';
import type { FinishedEvent } from '../operations/evolve-operations.ts';
import { mapValues, without } from '../record.ts';
import type { Millis } from '../units.ts';
import { durationKey } from './duration-key.ts';
import { firstRung } from './first-rung.ts';
import { restartIncident, resumeIncident, thawIncident } from './incident-times.ts';
import { type ClosedEvent, endedRollbacks, noteRollback } from './rollback-records.ts';
import { withHearers, withPhase, withWalked } from './with-phase.ts';

/** How many walks of a rung an estimate can rest on. */
const DURATIONS_KEPT = 10;

type At = Pick<Event, 'at'>;
type Relevant =
  | Exclude<IncidentEvent, { type: 'policy.braked' | 'policy.unbraked' | 'brake.overridden' }>
  | Extract<DaemonEvent, { type: 'daemon.started' | 'halt.ended' }>;

export function evolveIncidents(memory: Memory, event: Relevant & At): Memory {
  switch (event.type) {
    case 'daemon.started':
      return { ...memory, incidents: mapValues(memory.incidents, (one) => restartIncident(one, event.at)) };
    case 'halt.ended': {
      const haltedAt = memory.halt?.noticedAt ?? event.at - event.lastedMs;
      return { ...memory, incidents: mapValues(memory.incidents, (one) => resumeIncident(one, haltedAt, event.at)) };
    }
    case 'incident.opened':
      return openIncident(memory, event.incident);
    case 'incident.closed':
      return closeIncident(memory, event);
    case 'incident.forgotten':
      return { ...memory, incidents: without(memory.incidents, [event.incident]) };
    default: {
      const incident = memory.incidents[event.incident];
      if (incident === undefined) return memory;
      return withIncident(noteBeside(memory, incident, event), changeIncident(incident, event));
    }
  }
}

/** What an event of an incident says beyond the incident: that its ladder begins, and how long a rung's steps took. */
function noteBeside(memory: Memory, incident: Incident, event: ChangingEvent & At): Memory {
  if (event.type === 'fixForward.ended') return noteRollback(memory, incident, event.at);
  if (event.type !== 'verification.started' || event.afterStep === true || incident.rungEnteredAt === null)
    return memory;
  const key = durationKey(incident.policy.name, incident.policy.ladder[event.rung]?.name ?? '');
  const tookMs = Math.max(0, event.at - incident.rungEnteredAt);
  const known = memory.durations[key] ?? [];
  return { ...memory, durations: { ...memory.durations, [key]: [...known.slice(1 - DURATIONS_KEPT), tookMs] } };
}

/** The outcome of a step's operation reaches the incident that waits for it. */
export function evolveStepOutcome(memory: Memory, id: IncidentId, event: FinishedEvent): Memory {
  const incident = memory.incidents[id];
  if (incident?.phase.kind !== 'executing') return memory;
  const phase: ExecutingPhase =
    event.outcome === 'notDone'
      ? { ...incident.phase, startedAt: null, outcome: null }
      : { ...incident.phase, outcome: { outcome: event.outcome, detail: event.detail } };
  return withIncident(memory, { ...incident, phase });
}

type ChangingEvent = Exclude<
  IncidentEvent,
  {
    type:
      | 'policy.braked'
      | 'policy.unbraked'
      | 'brake.overridden'
      | 'incident.opened'
      | 'incident.closed'
      | 'incident.forgotten';
  }
>;

function changeIncident(incident: Incident, event: ChangingEvent & At): Incident {
  switch (event.type) {
    case 'incident.joined':
      return { ...incident, joined: [...incident.joined, event.joined] };
    case 'incident.paused':
      return { ...incident, pausedAt: event.at };
    case 'incident.unpaused':
      return { ...thawIncident(incident, event.lastedMs, event.at), pausedAt: null };
    case 'fixForward.worsened':
      return worsen(incident, event);
    case 'fixForward.ended':
      return withPhase(incident, entering(event.rung, event.at));
    case 'rung.entered':
      return enterRung(incident, event);
    case 'rung.skipped': {
      const wasUnsure = incident.phase.kind === 'entering' && incident.phase.unsure;
      const walked = withWalked(incident, { rung: event.name, outcome: 'skipped', reason: event.reason });
      return withPhase(walked, entering(event.rung + 1, event.at, wasUnsure || event.unsure === true));
    }
    case 'rung.failed': {
      const walked = withWalked(incident, { rung: event.name, outcome: 'failed', reason: event.reason });
      return withPhase(walked, entering(event.rung + 1, event.at, event.unsure === true));
    }
    case 'step.started':
      return incident.phase.kind === 'executing' ? withPhase(incident, started(incident.phase, event)) : incident;
    case 'restore.checking': {
      const { phase } = incident;
      return phase.kind === 'executing' ? withPhase(incident, { ...phase, checkingSince: event.at }) : incident;
    }
    case 'step.skipped':
      return finishStep(incident, 'done', event.at);
    case 'step.finished':
      return finishStep(incident, event.result.outcome, event.at);
    case 'verification.started':
      return withPhase(incident, {
        kind: 'verifying',
        rung: event.rung,
        since: event.at,
        settleAt: event.settleAt,
        deadlineAt: event.deadlineAt,
        goodSince: null,
        ...(event.afterStep === true ? { afterStep: true } : {}),
      });
    case 'verification.turned':
      return turnVerification(incident, event.good ? event.at : null);
    case 'verification.ended':
      return endVerification({ ...incident, held: false, against: event.reasons }, event);
    case 'incident.asked':
      return ask(incident, event.reason, event.at);
    case 'incident.answered':
      // A person who answers knows whether it is over.
      return answer({ ...incident, held: false }, event.answer, event.at);
    case 'incident.escalated':
      return withHearers({ ...incident, told: { ...toldOf(incident), levels: event.level } }, event.notify);
    case 'incident.updated':
      return { ...incident, told: { ...toldOf(incident), updates: event.number } };
    case 'incident.realerted':
      return { ...incident, told: { ...toldOf(incident), alertedAt: event.at } };
  }
}

/** What was said of the rung before is past, and what people agreed to counts for this one alone. */
function enterRung(
  { against: _against, agreed: _agreed, ...incident }: Incident,
  { rung, at }: Extract<IncidentEvent, { type: 'rung.entered' }> & At,
): Incident {
  const { phase } = incident;
  const covers = phase.kind === 'awaiting-approval' ? phase.request?.covers : undefined;
  const agreed = covers === undefined ? {} : { agreed: covers };
  return { ...withPhase(incident, executing(rung, 'do', 0, at)), ...agreed, rungEnteredAt: at, held: false };
}

function endVerification(
  incident: Incident,
  { rung, outcome, at }: Extract<IncidentEvent, { type: 'verification.ended' }> & At,
): Incident {
  const { phase } = incident;
  // It was undone when its step failed; that the rung has failed is said right after.
  if (outcome === 'failed' && phase.kind === 'verifying' && phase.afterStep === true) return incident;
  if (outcome === 'failed') return withPhase(incident, executing(rung, 'onFailure', 0, at));
  const name = incident.policy.ladder[rung]?.name;
  if (outcome === 'inconclusive' || name === undefined) return incident;
  return withWalked(incident, { rung: name, outcome, reason: 'it was verified' });
}

function worsen(
  incident: Incident,
  { openedBy, deadlineAt }: Extract<IncidentEvent, { type: 'fixForward.worsened' }>,
): Incident {
  const { phase } = incident;
  if (phase.kind !== 'fixing-forward') return incident;
  return { ...incident, openedBy, phase: { ...phase, rung: firstRung({ ...incident, openedBy }), deadlineAt } };
}

function started(phase: ExecutingPhase, { at, destination }: { at: Millis; destination?: string }): ExecutingPhase {
  return { ...phase, startedAt: at, ...(destination === undefined ? {} : { destination }) };
}

function finishStep(incident: Incident, outcome: 'done' | 'failed' | 'unknown', at: Millis): Incident {
  const { phase } = incident;
  if (phase.kind !== 'executing') return incident;
  switch (outcome) {
    case 'done':
      return withPhase(incident, nextStep(phase, at));
    case 'failed':
      if (phase.part === 'do') {
        return withPhase(incident, { ...executing(phase.rung, 'onFailure', 0, at), afterStep: true });
      }
      return withPhase(incident, begunAnew(phase, at));
    case 'unknown':
      return withPhase(incident, begunAnew(phase, at));
  }
}

function nextStep({ rung, part, step, afterStep }: ExecutingPhase, at: Millis): ExecutingPhase {
  return { ...executing(rung, part, step + 1, at), ...(afterStep === true ? { afterStep } : {}) };
}

/** The same step, as if it had not begun. */
function begunAnew({ checkingSince: _checking, ...phase }: ExecutingPhase, at: Millis): ExecutingPhase {
  return { ...phase, since: at, startedAt: null, outcome: null };
}

function turnVerification(incident: Incident, goodSince: Millis | null): Incident {
  const { phase } = incident;
  if (phase.kind === 'verifying') return withPhase(incident, { ...phase, goodSince });
  if (phase.kind !== 'asking' || phase.about.kind !== 'verifying') return incident;
  return withPhase(incident, { ...phase, about: { ...phase.about, goodSince } });
}

function ask(incident: Incident, reason: string, at: Millis): Incident {
  const { phase } = incident;
  if (phase.kind === 'asking' || phase.kind === 'closed' || phase.kind === 'fixing-forward') return incident;
  return withPhase(incident, { kind: 'asking', rung: phase.rung, since: at, reason, about: phase });
}

/** While people mend, `next` rolls back at once; every other answer there ends the incident, by the command itself. */
function answer(incident: Incident, given: IncidentAnswer, at: Millis): Incident {
  const { phase } = incident;
  if (phase.kind !== 'asking') return incident;
  switch (given) {
    case 'next':
      return withPhase(incident, entering(phase.rung + 1, at));
    case 'retry':
      return withPhase(incident, takenUpAgain(incident, phase.about, at));
    case 'done':
      // Anything else than a step is closed by the command itself.
      return phase.about.kind === 'executing' ? withPhase(incident, nextStep(phase.about, at)) : incident;
  }
}

function takenUpAgain(incident: Incident, about: AskedAbout, at: Millis): Phase {
  switch (about.kind) {
    case 'executing':
      return { ...about, since: at };
    case 'verifying':
      return toBeJudged(incident, about, at);
    // A person has said that the rung is to be entered, respectively that people are to be asked once more.
    case 'entering':
    case 'awaiting-approval':
      return entering(about.rung, at);
  }
}

/** All steps are done: what follows is the verification, of a rung that failed only if all is still clear. */
function toBeJudged({ policy }: Incident, { rung, afterStep }: VerifyingPhase, at: Millis): ExecutingPhase {
  const part = afterStep === true ? 'onFailure' : 'do';
  const phase = executing(rung, part, policy.ladder[rung]?.[part].length ?? 0, at);
  return afterStep === true ? { ...phase, afterStep } : phase;
}

function entering(rung: number, since: Millis, unsure = false): Phase {
  return { kind: 'entering', rung, since, unsure };
}

function executing(rung: number, part: 'do' | 'onFailure', step: number, since: Millis): ExecutingPhase {
  return { kind: 'executing', rung, part, step, since, startedAt: null, outcome: null };
}

function openIncident(memory: Memory, incident: Incident): Memory {
  const opened = { ...withIncident(memory, incident), nextIncident: memory.nextIncident + 1 };
  // While people mend, nothing is touched, and nothing is counted.
  return incident.phase.kind === 'fixing-forward' ? opened : noteRollback(opened, incident, incident.openedAt);
}

function closeIncident(memory: Memory, event: ClosedEvent): Memory {
  const incident = memory.incidents[event.incident];
  if (incident === undefined) return memory;
  const phase: Phase = { kind: 'closed', outcome: event.outcome, at: event.at, reason: event.reason };
  return {
    ...withIncident(memory, { ...incident, phase }),
    rollbacks: endedRollbacks(memory, incident, event),
    reportsOwed: { ...memory.reportsOwed, [incident.id]: { attempts: 0, retryAt: event.at } },
  };
}

function withIncident(memory: Memory, incident: Incident): Memory {
  return { ...memory, incidents: { ...memory.incidents, [incident.id]: incident } };
}

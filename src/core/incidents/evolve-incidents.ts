import type { DaemonEvent, Event, IncidentEvent } from '../event.ts';
import type { Memory } from '../memory.ts';
import {
  type ExecutingPhase,
  type Incident,
  type IncidentAnswer,
  type IncidentId,
  type Phase,
  toldOf,
  type WalkedRung,
} from '../model/incident.ts';
import type { FinishedEvent } from '../operations/evolve-operations.ts';
import { mapValues, without } from '../record.ts';
import type { Millis } from '../units.ts';
import { restartIncident, thawIncident } from './incident-times.ts';

/** How many past incidents cooldown and limit can look back on. */
const ROLLBACKS_KEPT = 1_000;

type At = Pick<Event, 'at'>;
type Relevant = IncidentEvent | Extract<DaemonEvent, { type: 'daemon.started' | 'halt.ended' }>;

export function evolveIncidents(memory: Memory, event: Relevant & At): Memory {
  switch (event.type) {
    case 'daemon.started':
      return { ...memory, incidents: mapValues(memory.incidents, (one) => restartIncident(one, event.at)) };
    case 'halt.ended':
      return {
        ...memory,
        incidents: mapValues(memory.incidents, (one) => thawIncident(one, event.lastedMs, event.at)),
      };
    case 'policy.braked':
      return { ...memory, brakes: { ...memory.brakes, [event.policy]: event.brake } };
    case 'policy.unbraked':
      return { ...memory, brakes: without(memory.brakes, [event.policy]) };
    case 'incident.opened':
      return openIncident(memory, event.incident);
    case 'incident.closed':
      return closeIncident(memory, event);
    case 'incident.forgotten':
      return { ...memory, incidents: without(memory.incidents, [event.incident]) };
    default: {
      const incident = memory.incidents[event.incident];
      if (incident === undefined) return memory;
      return withIncident(memory, changeIncident(incident, event));
    }
  }
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
  { type: 'policy.braked' | 'policy.unbraked' | 'incident.opened' | 'incident.closed' | 'incident.forgotten' }
>;

function changeIncident(incident: Incident, event: ChangingEvent & At): Incident {
  switch (event.type) {
    case 'incident.joined':
      return { ...incident, joined: [...incident.joined, event.joined] };
    case 'rung.entered':
      return withPhase(incident, executing(event.rung, 'do', 0));
    case 'rung.skipped':
    case 'rung.failed': {
      const outcome = event.type === 'rung.failed' ? 'failed' : 'skipped';
      return withPhase(withWalked(incident, { rung: event.name, outcome, reason: event.reason }), {
        kind: 'entering',
        rung: event.rung + 1,
      });
    }
    case 'step.started':
      return incident.phase.kind === 'executing' ? withPhase(incident, started(incident.phase, event)) : incident;
    case 'step.finished':
      return finishStep(incident, event.result.outcome);
    case 'verification.started':
      return withPhase(incident, {
        kind: 'verifying',
        rung: event.rung,
        since: event.at,
        settleAt: event.settleAt,
        deadlineAt: event.deadlineAt,
        goodSince: null,
      });
    case 'verification.turned':
      return turnVerification(incident, event.good ? event.at : null);
    case 'verification.ended':
      return endVerification(incident, event.rung, event.outcome);
    case 'incident.asked':
      return ask(incident, event.reason, event.at);
    case 'incident.answered':
      return answer(incident, event.answer);
    case 'incident.escalated':
      return withHearers({ ...incident, told: { ...toldOf(incident), levels: event.level } }, event.notify);
    case 'incident.updated':
      return { ...incident, told: { ...toldOf(incident), updates: event.number } };
    case 'incident.realerted':
      return { ...incident, told: { ...toldOf(incident), alertedAt: event.at } };
  }
}

function started(phase: ExecutingPhase, { at, destination }: { at: Millis; destination?: string }): ExecutingPhase {
  return { ...phase, startedAt: at, ...(destination === undefined ? {} : { destination }) };
}

function endVerification(
  incident: Incident,
  rung: number,
  outcome: 'successful' | 'failed' | 'inconclusive',
): Incident {
  if (outcome === 'failed') return withPhase(incident, executing(rung, 'onFailure', 0));
  const name = incident.policy.ladder[rung]?.name;
  if (outcome === 'inconclusive' || name === undefined) return incident;
  return withWalked(incident, { rung: name, outcome, reason: 'it was verified' });
}

function withWalked(incident: Incident, rung: WalkedRung): Incident {
  return { ...incident, walked: [...(incident.walked ?? []), rung] };
}

function withHearers(incident: Incident, names: readonly string[]): Incident {
  const told = toldOf(incident);
  const hearers = [...new Set([...told.hearers, ...names])];
  return hearers.length === told.hearers.length ? incident : { ...incident, told: { ...told, hearers } };
}

function finishStep(incident: Incident, outcome: 'done' | 'failed' | 'unknown'): Incident {
  const { phase } = incident;
  if (phase.kind !== 'executing') return incident;
  switch (outcome) {
    case 'done':
      return withPhase(incident, executing(phase.rung, phase.part, phase.step + 1));
    case 'failed':
      if (phase.part === 'do') return withPhase(incident, executing(phase.rung, 'onFailure', 0));
      return withPhase(incident, { ...phase, startedAt: null, outcome: null });
    case 'unknown':
      return withPhase(incident, { ...phase, startedAt: null, outcome: null });
  }
}

function turnVerification(incident: Incident, goodSince: Millis | null): Incident {
  const { phase } = incident;
  if (phase.kind === 'verifying') return withPhase(incident, { ...phase, goodSince });
  if (phase.kind !== 'asking' || phase.about.kind !== 'verifying') return incident;
  return withPhase(incident, { ...phase, about: { ...phase.about, goodSince } });
}

function ask(incident: Incident, reason: string, at: Millis): Incident {
  const { phase } = incident;
  if (phase.kind !== 'executing' && phase.kind !== 'verifying') return incident;
  return withPhase(incident, { kind: 'asking', rung: phase.rung, since: at, reason, about: phase });
}

function answer(incident: Incident, given: IncidentAnswer): Incident {
  const { phase } = incident;
  if (phase.kind !== 'asking') return incident;
  switch (given) {
    case 'next':
      return withPhase(incident, { kind: 'entering', rung: phase.rung + 1 });
    case 'retry':
      return withPhase(incident, phase.about.kind === 'executing' ? phase.about : allStepsDone(incident, phase.rung));
    case 'done':
      // A verified-by-person rung is closed by the command itself; here it only concerns a step.
      return phase.about.kind === 'executing'
        ? withPhase(incident, executing(phase.rung, phase.about.part, phase.about.step + 1))
        : incident;
  }
}

function executing(rung: number, part: 'do' | 'onFailure', step: number): ExecutingPhase {
  return { kind: 'executing', rung, part, step, startedAt: null, outcome: null };
}

function allStepsDone(incident: Incident, rung: number): ExecutingPhase {
  return executing(rung, 'do', incident.policy.ladder[rung]?.do.length ?? 0);
}

function openIncident(memory: Memory, incident: Incident): Memory {
  const rollback = {
    incident: incident.id,
    policy: incident.policy.name,
    conflictSet: incident.conflictSet,
    at: incident.openedAt,
    endedAt: null,
  };
  return {
    ...withIncident(memory, incident),
    rollbacks: [...memory.rollbacks.slice(1 - ROLLBACKS_KEPT), rollback],
    nextIncident: memory.nextIncident + 1,
  };
}

function closeIncident(memory: Memory, event: Extract<IncidentEvent, { type: 'incident.closed' }> & At): Memory {
  const incident = memory.incidents[event.incident];
  if (incident === undefined) return memory;
  const phase: Phase = { kind: 'closed', outcome: event.outcome, at: event.at, reason: event.reason };
  return {
    ...withIncident(memory, { ...incident, phase }),
    rollbacks: memory.rollbacks.map((one) => (one.incident === incident.id ? { ...one, endedAt: event.at } : one)),
    reportsOwed: { ...memory.reportsOwed, [incident.id]: { attempts: 0, retryAt: event.at } },
  };
}

/** A rung that is walked brings its own hearers; one that is still to be entered may be skipped. */
function withPhase(incident: Incident, phase: Phase): Incident {
  const changed = { ...incident, phase };
  if (phase.kind === 'entering' || phase.kind === 'closed') return changed;
  return withHearers(changed, incident.policy.ladder[phase.rung]?.notify ?? []);
}

function withIncident(memory: Memory, incident: Incident): Memory {
  return { ...memory, incidents: { ...memory.incidents, [incident.id]: incident } };
}

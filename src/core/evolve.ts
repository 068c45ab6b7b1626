import { evolveDrills, restartDrills } from './drills/evolve-drills.ts';
import type { Event } from './event.ts';
import { evolveApproval } from './incidents/evolve-approval.ts';
import { evolveBrakes } from './incidents/evolve-brakes.ts';
import { evolveIncidents } from './incidents/evolve-incidents.ts';
import { EMPTY_MEMORY, type Memory, OWN_SAMPLER } from './memory.ts';
import { evolveNotifications } from './notifications/evolve-notifications.ts';
import { evolveOperations } from './operations/evolve-operations.ts';
import { evolvePlaces } from './places/evolve-places.ts';
import { clampSchedules, evolvePoints } from './points/evolve-points.ts';
import { mapValues, without } from './record.ts';
import { shiftMemory } from './shift-memory.ts';
import { evolveTargets, restartTargets } from './targets/evolve-targets.ts';
import { restartTrigger } from './triggers/trigger-times.ts';
import type { Millis } from './units.ts';

/** Memory after one more event. Memory is this fold over the log, from `EMPTY_MEMORY` on. */
export function evolve(memory: Memory, event: Event): Memory {
  switch (event.type) {
    case 'daemon.started':
      return {
        ...restartDrills(restartTargets(evolveIncidents(noteTrouble(memory, OWN_SAMPLER, event.at), event))),
        triggers: mapValues(memory.triggers, (trigger) => restartTrigger(trigger, event.at)),
        startedAt: event.at,
      };
    case 'clock.jumped':
      return noteTrouble(clampSchedules(shiftMemory(memory, event.byMs), event.at), OWN_SAMPLER, event.at);
    case 'sampling.troubled':
      return noteTrouble(memory, event.sampler, event.at);
    case 'halt.began':
      return { ...memory, halt: { ...event.halt, noticedAt: event.at } };
    case 'halt.ended':
      return { ...evolveIncidents(memory, event), halt: null };
    case 'revision.accepted':
      return { ...memory, revision: event.revision };
    case 'trigger.changed':
      return { ...memory, triggers: { ...memory.triggers, [event.trigger]: event.memory } };
    case 'triggers.recorded':
      return { ...memory, triggers: { ...memory.triggers, ...event.triggers }, triggersRecordedAt: event.at };
    case 'triggers.forgotten':
      return { ...memory, triggers: without(memory.triggers, event.triggers) };
    case 'hold.placed':
      return { ...memory, holds: { ...memory.holds, [event.hold.id]: event.hold } };
    case 'hold.lifted':
      return { ...memory, holds: without(memory.holds, [event.id]) };
    case 'place.adopted':
    case 'place.released':
    case 'drift.seen':
    case 'drift.gone':
    case 'delivery.settled':
    case 'takeUp.revised':
    case 'document.forgotten':
      return evolvePlaces(memory, event);
    case 'target.met':
    case 'target.moved':
    case 'target.calmed':
    case 'target.disturbed':
    case 'target.good':
    case 'target.settled':
    case 'target.withheld':
    case 'target.allowed':
    case 'target.released':
      return evolveTargets(memory, event);
    case 'drill.met':
    case 'drill.started':
    case 'drill.rehearsed':
    case 'drill.ended':
    case 'drill.forgotten':
      return evolveDrills(memory, event);
    case 'point.begun':
    case 'point.imported':
    case 'point.dropped':
    case 'point.cancelled':
    case 'points.verifyAsked':
    case 'point.pinned':
    case 'point.unpinned':
    case 'points.pruned':
    case 'point.undeleted':
    case 'points.deleted':
    case 'points.pruneRefused':
    case 'points.pruneSettled':
    case 'restore.begun':
    case 'restore.flagsSettled':
    case 'restore.ended':
    case 'schedule.met':
    case 'schedule.served':
    case 'schedule.forgotten':
      return evolvePoints(memory, event);
    case 'window.withheld':
      return {
        ...memory,
        windowed: { ...memory.windowed, [event.flag]: { window: event.window, variant: event.variant } },
      };
    case 'window.passed':
      return { ...memory, windowed: without(memory.windowed, [event.flag]) };
    case 'policy.braked':
    case 'policy.unbraked':
      return evolveBrakes(memory, event);
    case 'approval.awaited':
    case 'approval.requested':
    case 'approval.given':
    case 'approval.overridden':
    case 'approval.rejected':
      return evolveApproval(memory, event);
    case 'incident.opened':
    case 'incident.joined':
    case 'incident.paused':
    case 'incident.unpaused':
    case 'fixForward.worsened':
    case 'fixForward.ended':
    case 'rung.entered':
    case 'rung.skipped':
    case 'rung.failed':
    case 'step.skipped':
    case 'step.started':
    case 'restore.checking':
    case 'step.finished':
    case 'verification.started':
    case 'verification.turned':
    case 'verification.ended':
    case 'incident.asked':
    case 'incident.answered':
    case 'incident.closed':
    case 'incident.escalated':
    case 'incident.updated':
    case 'incident.realerted':
    case 'incident.forgotten':
      return evolveIncidents(memory, event);
    case 'operation.planned':
    case 'operation.running':
    case 'operation.finished':
      return evolveOperations(memory, event);
    case 'notification.queued':
    case 'notification.dropped':
      return evolveNotifications(memory, event);
    case 'report.written':
    case 'daemon.stopped':
    case 'brake.overridden':
    case 'approval.expired':
    case 'halt.lifted':
    case 'store.restored':
    case 'revision.refused':
    case 'source.unreachable':
    case 'source.recovered':
    case 'source.consented':
      return memory;
  }
}

function noteTrouble(memory: Memory, sampler: string, at: Millis): Memory {
  return { ...memory, troubles: { ...memory.troubles, [sampler]: at } };
}

/** Memory rebuilt from a whole log. */
export function remember(events: Iterable<Event>): Memory {
  let memory = EMPTY_MEMORY;
  for (const event of events) memory = evolve(memory, event);
  return memory;
}

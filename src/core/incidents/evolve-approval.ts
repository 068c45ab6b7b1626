import type { ApprovalEvent, Event } from '../event.ts';
import type { Memory } from '../memory.ts';
import type { AwaitingPhase, Incident } from '../model/incident.ts';
import { withPhase, withWalked } from './with-phase.ts';

type Relevant = Exclude<ApprovalEvent, { type: 'approval.expired' }> & Pick<Event, 'at'>;

/** entering → awaiting-approval → (given, overridden) → executing by `rung.entered` | rejected → entering the next. */
export function evolveApproval(memory: Memory, event: Relevant): Memory {
  const incident = memory.incidents[event.incident];
  if (incident === undefined) return memory;
  const changed = changeIncident(incident, event);
  return { ...memory, incidents: { ...memory.incidents, [changed.id]: changed } };
}

function changeIncident(incident: Incident, event: Relevant): Incident {
  switch (event.type) {
    case 'approval.awaited':
      return withPhase(incident, {
        kind: 'awaiting-approval',
        rung: event.rung,
        since: event.at,
        deadlineAt: event.deadlineAt,
        request: null,
        given: [],
        overriddenBy: null,
      });
    case 'approval.requested':
      // Whoever agreed to something else has not agreed to this.
      return whileAwaiting(incident, (phase) => ({ ...phase, request: event.request, given: [] }));
    case 'approval.given':
      return whileAwaiting(incident, (phase) =>
        phase.request?.digest === event.digest ? { ...phase, given: [...phase.given, event.approval] } : phase,
      );
    case 'approval.overridden':
      return whileAwaiting(incident, (phase) =>
        phase.request?.digest === event.digest ? { ...phase, overriddenBy: event.approval } : phase,
      );
    case 'approval.rejected': {
      const reason = `${event.approval.subject} rejected it`;
      const walked = withWalked(incident, { rung: event.name, outcome: 'skipped', reason });
      return withPhase(walked, { kind: 'entering', rung: event.rung + 1, since: event.at, unsure: false });
    }
  }
}

function whileAwaiting(incident: Incident, change: (phase: AwaitingPhase) => AwaitingPhase): Incident {
  const { phase } = incident;
  return phase.kind === 'awaiting-approval' ? { ...incident, phase: change(phase) } : incident;
}

import { type Incident, type Phase, toldOf, type WalkedRung } from '../model/incident.ts';

/** A rung that is walked, or asked for, brings its own hearers; one that is still to be entered may be skipped. */
export function withPhase(incident: Incident, phase: Phase): Incident {
  const changed = { ...incident, phase };
  if (phase.kind === 'entering' || phase.kind === 'fixing-forward' || phase.kind === 'closed') return changed;
  return withHearers(changed, incident.policy.ladder[phase.rung]?.notify ?? []);
}

export function withHearers(incident: Incident, names: readonly string[]): Incident {
  const told = toldOf(incident);
  const hearers = [...new Set([...told.hearers, ...names])];
  return hearers.length === told.hearers.length ? incident : { ...incident, told: { ...told, hearers } };
}

export function withWalked(incident: Incident, rung: WalkedRung): Incident {
  return { ...incident, walked: [...(incident.walked ?? []), rung] };
}

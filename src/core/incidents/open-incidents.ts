import type { Brake } from '../memory.ts';
import { type Incident, type IncidentCause, isOpen } from '../model/incident.ts';
import { type RollbackPolicy, triggerKeys } from '../model/policy.ts';
import { type Trigger, triggerKey } from '../model/trigger.ts';
import { leadingElement, shownThreshold, viewTrigger } from '../triggers/trigger-view.ts';
import type { Turn } from '../turn.ts';
import { brakeOf } from './brakes.ts';
import { conflictSet, overlaps } from './conflict-set.ts';

/** Opens an incident for each policy that fires, unless another one already works on the same things or a brake holds. */
export function openIncidents(turn: Turn): void {
  for (const name of Object.keys(turn.memory.brakes)) {
    if (turn.desired.policies[name]?.suspend !== false) release(turn, name);
  }
  for (const name of Object.keys(turn.desired.policies).sort()) {
    const policy = turn.desired.policies[name];
    if (policy === undefined || policy.suspend || isBusy(turn, name)) continue;
    const firing = firingTriggers(turn, policy);
    if (matches(policy, firing.length)) react(turn, policy, firing);
    else release(turn, name);
  }
}

/** Whether the policy leads an open incident or has joined one. */
function isBusy(turn: Turn, policy: string): boolean {
  return Object.values(turn.memory.incidents).some(
    (incident) =>
      isOpen(incident) &&
      (incident.policy.name === policy || incident.joined.some((joined) => joined.policy.name === policy)),
  );
}

/** Only critical triggers roll back; a warning is reported. */
export function criticalTriggers(policy: RollbackPolicy): readonly Trigger[] {
  return policy.triggers.filter((trigger) => trigger.severity === 'critical');
}

export function firingTriggers(turn: Turn, policy: RollbackPolicy): Trigger[] {
  const keys = triggerKeys(policy);
  return policy.triggers.filter(
    (trigger, index) =>
      trigger.severity === 'critical' &&
      viewTrigger(turn.memory, keys[index] ?? '', trigger, turn.now).state === 'firing',
  );
}

export function matches(policy: RollbackPolicy, firing: number): boolean {
  switch (policy.match.kind) {
    case 'any':
      return firing > 0;
    case 'all':
      return firing > 0 && firing === criticalTriggers(policy).length;
    case 'atLeast':
      return firing >= policy.match.count;
  }
}

function react(turn: Turn, policy: RollbackPolicy, firing: readonly Trigger[]): void {
  const touched = conflictSet(policy);
  const other = Object.values(turn.memory.incidents).find(
    (incident) => isOpen(incident) && overlaps(incident.conflictSet, touched),
  );
  if (other !== undefined) {
    release(turn, policy.name);
    turn.emit({ type: 'incident.joined', incident: other.id, joined: { at: turn.now, policy } });
    return;
  }
  const brake = brakeOf(policy, touched, turn.memory, turn.now);
  if (brake !== null) {
    holdBack(turn, policy.name, brake);
    return;
  }
  release(turn, policy.name);
  turn.emit({ type: 'incident.opened', incident: newIncident(turn, policy, touched, firing) });
}

function holdBack(turn: Turn, policy: string, brake: Brake): void {
  const before = turn.memory.brakes[policy];
  if (before?.kind === brake.kind && before.until === brake.until) return;
  turn.emit({ type: 'policy.braked', policy, brake });
}

function release(turn: Turn, policy: string): void {
  if (Object.hasOwn(turn.memory.brakes, policy)) turn.emit({ type: 'policy.unbraked', policy });
}

function newIncident(
  turn: Turn,
  policy: RollbackPolicy,
  touched: readonly string[],
  firing: readonly Trigger[],
): Incident {
  const openedBy = firing.map((trigger) => causeOf(turn, policy, trigger));
  return {
    id: `INC-${turn.memory.nextIncident}`,
    openedAt: turn.now,
    revision: turn.desired.revision,
    policy,
    openedBy,
    joined: [],
    conflictSet: touched,
    phase: { kind: 'entering', rung: firstRung({ policy, openedBy }) },
  };
}

function causeOf(turn: Turn, policy: RollbackPolicy, trigger: Trigger): IncidentCause {
  const key = triggerKey(policy.name, trigger.name);
  const memory = turn.memory.triggers[key];
  const element = memory === undefined ? undefined : leadingElement(memory);
  return {
    trigger: key,
    value: element?.value ?? memory?.value ?? null,
    labels: element?.labels ?? {},
    threshold: shownThreshold(trigger, memory),
    breachedSince: element?.breachedSince ?? turn.now,
  };
}

/** `startAt` of the triggers that opened it; of several the lowest rung of the ladder wins, for it is the gravest. */
export function firstRung({ policy, openedBy }: Pick<Incident, 'policy' | 'openedBy'>): number {
  const starts = openedBy.map(({ trigger: key }) => {
    const trigger = policy.triggers.find((one) => triggerKey(policy.name, one.name) === key);
    return policy.ladder.findIndex((rung) => rung.name === trigger?.startAt);
  });
  return Math.max(0, ...starts);
}

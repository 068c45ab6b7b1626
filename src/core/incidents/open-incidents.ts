import type { Brake } from '../memory.ts';
import { type ByHand, type Incident, type IncidentCause, isActing, isOpen, type Phase } from '../model/incident.ts';
import { type RollbackPolicy } from '../model/policy.ts';
import { type Trigger, triggerKey } from '../model/trigger.ts';
import { leadingElement, shownThreshold } from '../triggers/trigger-view.ts';
import type { Turn } from '../turn.ts';
import type { Millis } from '../units.ts';
import { brakeOf, overrideCommand } from './brakes.ts';
import { conflictSet, overlaps } from './conflict-set.ts';
import { correlatedBrake } from './correlated.ts';
import { firstRung } from './first-rung.ts';
import { evidentTriggers, type Verdict, verdictFrom, verdictOf } from './verdict.ts';

/** Opens an incident for each policy that fires, unless another one already works on the same things or a brake holds. */
export function openIncidents(turn: Turn): void {
  for (const name of Object.keys(turn.memory.brakes)) {
    if (turn.desired.policies[name]?.suspend === false) continue;
    if (!isBusy(turn, name)) turn.emit({ type: 'policy.unbraked', policy: name, gone: true });
  }
  for (const name of Object.keys(turn.desired.policies).sort()) {
    const policy = turn.desired.policies[name];
    if (policy === undefined || policy.suspend || isBusy(turn, name)) continue;
    const verdict = verdictOf(turn, policy);
    if (verdict === null) releaseBrake(turn, name);
    else react(turn, policy, verdict);
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

function react(turn: Turn, policy: RollbackPolicy, verdict: Verdict): void {
  const touched = conflictSet(policy);
  const correlated = correlatedBrake(turn, policy);
  if (correlated !== null) {
    holdBack(turn, policy.name, correlated);
    return;
  }
  const other = workingOn(turn.memory.incidents, touched);
  if (other !== undefined) {
    releaseBrake(turn, policy.name);
    // A warning that people may mend is no reason to hold up what others do.
    if (verdict.delayMs > 0) return;
    turn.emit({ type: 'incident.joined', incident: other.id, joined: { at: turn.now, policy } });
    return;
  }
  if (isHeldBack(turn, policy, touched, verdict.delayMs)) return;
  // After a brake, or a restart, its source may have fallen silent: then it waits for data.
  const evident = verdictFrom(policy, evidentTriggers(turn, policy));
  if (evident === null) return;
  const openedBy = evident.triggers.map((trigger) => causeOf(turn, policy, trigger));
  const opening = { policy, openedBy, delayMs: evident.delayMs };
  turn.emit({
    type: 'incident.opened',
    incident: newIncident(opening, { ...turn.desired, now: turn.now, number: turn.memory.nextIncident }),
  });
}

/** The incident whose ladder may touch one of these things now. */
export function workingOn(
  incidents: Readonly<Record<string, Incident>>,
  touched: readonly string[],
): Incident | undefined {
  return Object.values(incidents).find((incident) => isActing(incident) && overlaps(incident.conflictSet, touched));
}

/** Whether cooldown or limit forbid the policy to act; that is noted, and so is the end of it. */
export function isHeldBack(
  turn: Turn,
  policy: RollbackPolicy,
  touched: readonly string[],
  delayMs: Millis = 0,
): boolean {
  const brake = brakeOf(policy, touched, turn.memory, turn.now, delayMs);
  if (brake === null) releaseBrake(turn, policy.name);
  else holdBack(turn, policy.name, brake);
  return brake !== null;
}

function holdBack(turn: Turn, policy: string, brake: Brake): void {
  const before = turn.memory.brakes[policy];
  const isKnown = before?.kind === brake.kind && before.until === brake.until;
  if (isKnown && before.quiet !== true) return;
  const told = { ...brake, reason: `${brake.reason}; \`${overrideCommand(policy)}\` acts all the same` };
  turn.emit({ type: 'policy.braked', policy, brake: told, ...(isKnown ? { again: true } : {}) });
}

function releaseBrake(turn: Turn, policy: string): void {
  const brake = turn.memory.brakes[policy];
  if (brake === undefined || (brake.quiet === true && turn.now < brake.until)) return;
  turn.emit({ type: 'policy.unbraked', policy });
}

export type Opening = {
  readonly policy: RollbackPolicy;
  readonly openedBy: readonly IncidentCause[];
  readonly delayMs: Millis;
  readonly byHand?: ByHand;
  /** The rung to begin with, where a person names one. */
  readonly rung?: number;
};

export function newIncident(
  { policy, openedBy, delayMs, byHand, rung = firstRung({ policy, openedBy }) }: Opening,
  { revision, now, number }: { readonly revision: string; readonly now: Millis; readonly number: number },
): Incident {
  const phase: Phase =
    delayMs > 0
      ? { kind: 'fixing-forward', rung, since: now, deadlineAt: now + delayMs }
      : { kind: 'entering', rung, since: now, unsure: false };
  return {
    id: `INC-${number}`,
    openedAt: now,
    revision,
    policy,
    openedBy,
    ...(byHand === undefined ? {} : { byHand }),
    joined: [],
    conflictSet: conflictSet(policy),
    phase,
    rungEnteredAt: null,
    held: false,
    pausedAt: null,
  };
}

export function causeOf(turn: Pick<Turn, 'memory' | 'now'>, policy: RollbackPolicy, trigger: Trigger): IncidentCause {
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

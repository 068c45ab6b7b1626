import type { Incident } from '../model/incident.ts';
import { type RollbackPolicy, triggerKeys } from '../model/policy.ts';
import { type Trigger, type TriggerKey, triggerKey } from '../model/trigger.ts';
import { stateOfTrigger } from '../triggers/trigger-view.ts';
import type { Turn } from '../turn.ts';
import type { Millis } from '../units.ts';

/** What a policy's firing triggers come to. */
export type Verdict = {
  /** Those that decide: critical ones, and warnings with a decision of their own. */
  readonly triggers: readonly Trigger[];
  /** How long people have to mend it; 0: the ladder is walked now. */
  readonly delayMs: Millis;
};

/** Whether and when the policy is to act now; null while it is not. */
export function verdictOf(turn: Pick<Turn, 'memory' | 'now'>, policy: RollbackPolicy): Verdict | null {
  return verdictFrom(policy, firingTriggers(turn, policy));
}

/**
 * Critical triggers act as `match` says, warnings with a decision each by itself. Of several decisions the shortest
 * counts; a critical trigger without one leaves no time.
 */
export function verdictFrom(policy: RollbackPolicy, firing: readonly Trigger[]): Verdict | null {
  const critical = firing.filter(({ severity }) => severity === 'critical');
  const warnings = firing.filter(({ severity, decision }) => severity === 'warning' && decision !== undefined);
  const triggers = [...(matches(policy, critical.length) ? critical : []), ...warnings];
  if (triggers.length === 0) return null;
  return { triggers, delayMs: Math.min(...triggers.map(({ decision }) => decision?.fixForwardMs ?? 0)) };
}

export function firingTriggers(turn: Pick<Turn, 'memory' | 'now'>, policy: RollbackPolicy): Trigger[] {
  const keys = triggerKeys(policy);
  return policy.triggers.filter((trigger, index) => isFiring(turn, keys[index] ?? '', trigger));
}

/**
 * Those of which the last evaluation says so itself. A trigger goes on firing while its source is silent, so that
 * nothing counts as over; but to act then would be to act on what was seen long ago.
 */
export function evidentTriggers(turn: Pick<Turn, 'memory' | 'now'>, policy: RollbackPolicy): Trigger[] {
  return firingTriggers(turn, policy).filter((trigger) => {
    const verdict = turn.memory.triggers[triggerKey(policy.name, trigger.name)]?.verdict;
    switch (verdict) {
      case 'breached':
      case 'between':
        return true;
      // Where absence itself is to fire, it is what was seen.
      case 'noData':
      case 'nan':
        return trigger.noData === 'fire';
      case 'clear':
      case 'failed':
      case undefined:
        return false;
    }
  });
}

function isFiring(turn: Pick<Turn, 'memory' | 'now'>, key: TriggerKey, trigger: Trigger): boolean {
  return stateOfTrigger(turn.memory, key, trigger, turn.now) === 'firing';
}

/** Critical triggers roll back by themselves; of warnings only those with a decision. */
export function criticalTriggers(policy: RollbackPolicy): readonly Trigger[] {
  return policy.triggers.filter((trigger) => trigger.severity === 'critical');
}

function matches(policy: RollbackPolicy, firing: number): boolean {
  switch (policy.match.kind) {
    case 'any':
      return firing > 0;
    case 'all':
      return firing > 0 && firing === criticalTriggers(policy).length;
    case 'atLeast':
      return firing >= policy.match.count;
  }
}

export type JudgedTrigger = {
  readonly key: TriggerKey;
  readonly trigger: Trigger;
  /** When its policy joined; null if it is the incident's own. */
  readonly joinedAt: Millis | null;
};

/** The triggers that must be clear for an incident to be over: all critical ones of its policies, and what opened it. */
export function judgedTriggers(incident: Incident): JudgedTrigger[] {
  const openers = new Set(incident.openedBy.map(({ trigger }) => trigger));
  const own = { policy: incident.policy, joinedAt: null };
  return [own, ...incident.joined.map(({ at, policy }) => ({ policy, joinedAt: at }))].flatMap(({ policy, joinedAt }) =>
    policy.triggers
      .map((trigger) => ({ key: triggerKey(policy.name, trigger.name), trigger, joinedAt }))
      .filter(({ key, trigger }) => trigger.severity === 'critical' || openers.has(key)),
  );
}

/** Whether the incident is seen to have its reason still: a policy of it fires as `match` says, or what opened it does. */
export function isStillFiring(turn: Pick<Turn, 'memory' | 'now'>, incident: Incident): boolean {
  const openers = new Set(incident.openedBy.map(({ trigger }) => trigger));
  const policies = [incident.policy, ...incident.joined.map(({ policy }) => policy)];
  return policies.some((policy) => {
    const firing = evidentTriggers(turn, policy);
    const critical = firing.filter(({ severity }) => severity === 'critical').length;
    const isOpener = ({ name, severity }: Trigger): boolean =>
      severity === 'warning' && openers.has(triggerKey(policy.name, name));
    return matches(policy, critical) || firing.some(isOpener);
  });
}

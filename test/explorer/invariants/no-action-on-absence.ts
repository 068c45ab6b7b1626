import type { RollbackPolicy } from '../../../src/core/model/policy.ts';
import type { Transition } from '../model/state.ts';
import type { Witness } from '../model/witness.ts';
import type { Invariant } from './invariant.ts';
import { decided, isAllClear, isFresh, watched } from './story.ts';

export const NO_ACTION_ON_ABSENCE: Invariant = {
  name: 'no-action-on-absence',
  statement: 'No action on absence.',
  per: 'transition',
  violation: (transition) =>
    openedForNothing(transition) ?? judgedWithoutData(transition) ?? writtenBlindly(transition),
};

/** A policy acts only on triggers that fire by evaluations of this life. */
function openedForNothing(transition: Transition): string | null {
  for (const { event, known } of decided(transition, 'incident.opened')) {
    const { policy, id } = event.incident;
    const firing = watched(policy, known).filter(({ seen }) => isFresh(transition, seen) && seen.fires);
    if (!suffices(policy, firing.length))
      return `${id} opens, although ${firing.length} trigger(s) of ${policy.name} fire`;
  }
  return null;
}

function suffices({ match, triggers }: RollbackPolicy, firing: number): boolean {
  switch (match.kind) {
    case 'any':
      return firing > 0;
    case 'all':
      return firing === triggers.filter(({ severity }) => severity === 'critical').length;
    case 'atLeast':
      return firing >= match.count;
  }
}

/** A verification fails by what was seen to be bad, and succeeds by what was seen to be good. */
function judgedWithoutData(transition: Transition): string | null {
  for (const { event, known } of decided(transition, 'verification.ended')) {
    const policies = policiesOf(transition, event.incident);
    if (event.outcome === 'failed' && !policies.some((policy) => isBad(transition, policy, known))) {
      return `the verification of ${event.incident} failed, although nothing was seen to be bad`;
    }
    if (event.outcome === 'successful' && !policies.every((policy) => isAllClear(transition, policy, known))) {
      return `the verification of ${event.incident} succeeded, although not all was seen to be good`;
    }
  }
  return null;
}

/** With those that joined in this very decision. */
function policiesOf({ memory, plan }: Transition, id: string): RollbackPolicy[] {
  const incident = memory.incidents[id];
  const joining = plan.events.flatMap((event) =>
    event.type === 'incident.joined' && event.incident === id ? [event.joined] : [],
  );
  const joined = [...(incident?.joined ?? []), ...joining].map(({ policy }) => policy);
  return incident === undefined ? joined : [incident.policy, ...joined];
}

function isBad(transition: Transition, policy: RollbackPolicy, witness: Witness): boolean {
  return watched(policy, witness).some(({ seen }) => isFresh(transition, seen) && seen.last === 'breached');
}

/** Nothing is written, and nothing moved without a rung, where nobody could look. */
function writtenBlindly({ plan, observed }: Transition): string | null {
  for (const { action } of plan.operations) {
    if (
      action.kind === 'restore' &&
      (action.why.kind === 'deploy' || action.why.kind === 'repair') &&
      observed.targets[action.target.name]?.kind !== 'git'
    ) {
      return `${action.target.name} is moved without having been looked at`;
    }
    if (action.kind !== 'deliver') continue;
    const sight = observed.documents[`${action.document.kind}:${action.document.path}`];
    if (sight?.kind !== 'read') return `${action.document.path} is written without having been read`;
  }
  return null;
}

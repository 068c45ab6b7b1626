import type { Event } from '../../../src/core/event.ts';
import type { Hold, Latch } from '../../../src/core/model/hold.ts';
import { asText, wantedPlaces } from '../../../src/core/places/flag-places.ts';
import type { Transition } from '../model/state.ts';
import type { Witness } from '../model/witness.ts';
import type { Invariant } from './invariant.ts';
import { decided, isAllClear } from './story.ts';

export const HOLDS_END_AS_AGREED: Invariant = {
  name: 'holds-end-as-agreed',
  statement: 'Holds end by lift, expiry or person, nothing else.',
  per: 'transition',
  violation: (transition) => lostSilently(transition) ?? liftedEarly(transition),
};

/** Every hold that is gone has an event that lifted it, whoever that was. */
function lostSilently({ before, happened, plan }: Transition): string | null {
  const lifted = new Set([...happened, ...plan.events].flatMap((event) => liftedBy(event)));
  for (const id in before.memory.holds) {
    if (!Object.hasOwn(plan.memory.holds, id) && !lifted.has(id)) return `${id} is gone, and nothing lifted it`;
  }
  return null;
}

function liftedBy(event: Event): string[] {
  return event.type === 'hold.lifted' ? [event.id] : [];
}

function liftedEarly(transition: Transition): string | null {
  for (const { event, known } of decided(transition, 'hold.lifted')) {
    const hold = holdAt(transition, event.id);
    if (hold === undefined) return `${event.id} is lifted, and was not there`;
    const blocker = blockerOf(transition, hold, known);
    if (blocker !== null) return `${event.id} is lifted, although ${blocker}`;
  }
  return null;
}

/** As it was when it was lifted: it may have been placed by the same decision. */
function holdAt({ memory, plan }: Transition, id: string): Hold | undefined {
  const placed = plan.events.find((event) => event.type === 'hold.placed' && event.hold.id === id);
  return memory.holds[id] ?? (placed?.type === 'hold.placed' ? placed.hold : undefined);
}

function blockerOf(transition: Transition, hold: Hold, known: Witness): string | null {
  const { elapsedMs } = transition.after.host;
  const seen = known.holds[hold.id];
  switch (hold.kind) {
    case 'override': {
      const isDue = seen !== undefined && seen.expiresMs !== null && elapsedMs >= seen.expiresMs;
      return isDue ? null : 'its time is not over';
    }
    case 'latch':
      return latchBlocker(transition, hold, known);
    case 'adoption':
      return adoptionBlocker(transition, hold);
    case 'targetAdoption':
      return handOverBlocker(transition, hold.target);
    case 'quarantine':
      return 'only a person lifts it';
  }
}

function latchBlocker(transition: Transition, latch: Latch, known: Witness): string | null {
  const { desired, after } = transition;
  const rollback = known.rollbacks.find(({ incident }) => incident === latch.incident);
  if (rollback?.endedMs === null) return `${latch.incident} is open`;
  const policy = rollback === undefined ? undefined : desired.policies[rollback.policy.name];
  if (policy !== undefined && !isAllClear(transition, policy, known)) return 'its triggers are not inactive with data';
  switch (latch.lift.kind) {
    case 'manual':
      return 'only a person lifts it';
    case 'onFlagChange': {
      const digest = desired.flags[latch.flag]?.digest ?? null;
      return digest === known.holds[latch.id]?.digest ? 'the flag has not changed in git' : null;
    }
    case 'onFix': {
      const { goodMs = null } = known.targets[latch.lift.target] ?? {};
      const isFixed = goodMs !== null && goodMs > (known.holds[latch.id]?.placedMs ?? goodMs);
      return isFixed ? null : 'no later revision has proved good';
    }
    case 'after': {
      const fromMs = rollback?.endedMs ?? known.holds[latch.id]?.placedMs ?? after.host.elapsedMs;
      return after.host.elapsedMs - fromMs >= latch.lift.spanMs ? null : 'its time is not over';
    }
  }
}

/** A checkout is handed over when it shows what it tracks, or by whom the host's configuration says. */
function handOverBlocker({ desired, after }: Transition, target: string): string | null {
  const checkout = after.host.checkouts[target];
  const isGone = desired.targets[target] === undefined || checkout === undefined;
  return isGone || desired.adopt === 'git' || checkout.tip === null || checkout.head === checkout.tip
    ? null
    : 'nobody handed the checkout over';
}

/** What waits for adoption is let go when there is no difference left to ask about, or something else decides. */
function adoptionBlocker(transition: Transition, hold: Extract<Hold, { kind: 'adoption' }>): string | null {
  const { desired, plan, after } = transition;
  const place = wantedPlaces(desired, plan.memory).find(({ key }) => key === hold.place);
  if (place === undefined || place.effective.because !== null || desired.adopt === 'git') return null;
  const live = after.host.files[place.document]?.[place.place.entry];
  return live === undefined || asText(live) === asText(place.value) ? null : 'nobody adopted what differs';
}

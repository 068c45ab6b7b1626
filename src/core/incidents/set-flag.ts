import { type EffectiveFlag, effectiveFlag } from '../holds/effective.ts';
import type { Flag } from '../model/flag.ts';
import type { Latch, Lift } from '../model/hold.ts';
import type { Incident } from '../model/incident.ts';
import type { Release } from '../model/policy.ts';
import type { SetFlagStep, Step } from '../model/step.ts';
import { isTakingUp } from '../places/deliveries.ts';
import { placesOf, type WantedPlace } from '../places/flag-places.ts';
import { lookAt } from '../places/live-entry.ts';
import { isSame } from '../record.ts';
import type { Turn } from '../turn.ts';
import type { Millis } from '../units.ts';

/** Why the flag cannot be set by a rollback; null if it can. */
export function setFlagObstacle(flag: Flag | undefined, step: SetFlagStep): string | null {
  if (flag === undefined) return `git no longer has flag ${step.flag}`;
  if (flag.suspend) return `flag ${flag.name} is suspended`;
  const variant = wantedVariant(flag, step);
  if (variant === undefined) return `flag ${flag.name} has no safeVariant`;
  return Object.hasOwn(flag.variants, variant) ? null : `flag ${flag.name} has no variant "${variant}"`;
}

export function wantedVariant(flag: Flag, step: SetFlagStep): string | undefined {
  return step.to.kind === 'safe' ? flag.safeVariant : step.to.variant;
}

/** The latch that makes the step's variant effective; the same incident and flag have one latch. */
export function latchFor(turn: Turn, incident: Incident, step: Step & SetFlagStep, flag: Flag): Latch {
  const [cause] = incident.openedBy;
  return {
    kind: 'latch',
    id: latchId(incident, step),
    object: `Flag/${flag.name}`,
    since: turn.now,
    cause:
      cause === undefined
        ? `${incident.policy.name}, begun by ${incident.byHand?.actor ?? 'a person'}`
        : `${cause.trigger} = ${cause.value ?? 'no value'} ${cause.threshold}`,
    flag: flag.name,
    variant: wantedVariant(flag, step) ?? flag.defaultVariant,
    incident: incident.id,
    origin: step.origin,
    lift: liftOf(incident.policy.release, flag),
  };
}

/** Why the step, once begun, cannot succeed any more: somebody lifted the latch that it had placed. */
export function latchObstacle(turn: Turn, incident: Incident, step: SetFlagStep): string | null {
  return Object.hasOwn(turn.memory.holds, latchId(incident, step)) ? null : 'its latch was lifted meanwhile';
}

function latchId(incident: Incident, step: SetFlagStep): string {
  return `latch:${step.flag}:${incident.id}`;
}

function liftOf(release: Release, flag: Flag): Lift {
  switch (release.kind) {
    case 'onFlagChange':
      return { kind: 'onFlagChange', digest: flag.digest };
    case 'manual':
      return { kind: 'manual' };
    case 'onFix':
      return { kind: 'onFix', target: release.target };
    case 'after':
      return { kind: 'after', spanMs: release.spanMs };
  }
}

/** Whether every place of the flag was seen to show its effective variant since `since`, with nothing owed. */
export function isDelivered(turn: Turn, flag: Flag, since: Millis): boolean {
  return placesOf(flag, turn.memory).every((place) => isShown(turn, place, since));
}

/** Whether the step has nothing to do: its variant is effective, and every place shows it. */
export function isAlreadySet(turn: Turn, step: SetFlagStep): boolean {
  const flag = turn.desired.flags[step.flag];
  if (flag === undefined || setFlagObstacle(flag, step) !== null) return false;
  const effective = effectiveFlag(flag, turn.memory.holds);
  return isSetTo(effective, wantedVariant(flag, step)) && isDelivered(turn, flag, Number.NEGATIVE_INFINITY);
}

/** Where targeting decides, nobody has set the flag: some may get another variant than the default. */
export function isSetTo({ variant, forEverybody }: EffectiveFlag, wanted: string | undefined): boolean {
  return forEverybody && variant === wanted;
}

function isShown(turn: Turn, place: WantedPlace, since: Millis): boolean {
  const seen = lookAt(turn, place);
  if (seen === null || seen.at < since || seen.live === undefined || !isSame(seen.live, place.value)) return false;
  const owed = turn.memory.documents[place.document]?.owed ?? null;
  return owed === null && !isTakingUp(turn, place.document);
}

import type { Millis } from '../units.ts';
import type { PlaceKey } from './flag.ts';
import type { IncidentId } from './incident.ts';
import type { Origin } from './origin.ts';
import type { JsonValue } from './step.ts';
import type { CodeRevision } from './target.ts';

export type HoldId = string;

/** Why the effective state differs from the desired one. A hold ends by its lift, its expiry or a person; by nothing else. */
export type Hold = Latch | Override | Adoption | Quarantine | TargetAdoption;

type HoldHead = {
  readonly id: HoldId;
  /** What is held: `Flag/NAME`. */
  readonly object: string;
  readonly since: Millis;
  /** In words, for people. */
  readonly cause: string;
};

/** A rollback set the flag; git's value waits. */
export type Latch = HoldHead & {
  readonly kind: 'latch';
  readonly flag: string;
  readonly variant: string;
  readonly incident: IncidentId;
  readonly origin: Origin;
  readonly lift: Lift;
};

/** A person set the flag. */
export type Override = HoldHead & {
  readonly kind: 'override';
  readonly flag: string;
  readonly variant: string;
  readonly actor: string;
  /** Null: until a person lifts it. */
  readonly expiresAt: Millis | null;
};

/** Seen for the first time and different from git: nothing is written before a person agrees. */
export type Adoption = HoldHead & {
  readonly kind: 'adoption';
  readonly flag: string;
  readonly place: PlaceKey;
  readonly live: JsonValue;
};

/** A rollback moved the target away from this content; git's wish for it waits until a person lifts it. */
export type Quarantine = HoldHead &
  CodeRevision & {
    readonly kind: 'quarantine';
    readonly target: string;
    readonly incident: IncidentId;
    readonly origin: Origin;
  };

/** A checkout seen for the first time and different from what it tracks: nothing is deployed before a person agrees. */
export type TargetAdoption = HoldHead & CodeRevision & { readonly kind: 'targetAdoption'; readonly target: string };

export type Lift =
  /** When the flag's definition in git has another digest than this. */
  | { readonly kind: 'onFlagChange'; readonly digest: string }
  | { readonly kind: 'manual' }
  /** When a revision of the target that came after has proved good. */
  | { readonly kind: 'onFix'; readonly target: string }
  | { readonly kind: 'after'; readonly spanMs: Millis };

export type LatchOrOverride = Latch | Override;

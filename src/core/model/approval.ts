import type { Millis } from '../units.ts';
import type { Check } from './check.ts';

/** Who must agree before a rung is entered. */
export type ApprovalRule = {
  /** How many people of each role. One person fills one slot, whatever roles they have. */
  readonly roles: Readonly<Record<string, number>>;
  readonly withinMs: Millis;
  /** `escalate`: everybody is told and a person is asked what now. `abort`: the incident ends. */
  readonly onTimeout: 'escalate' | 'abort';
  readonly override?: ApprovalOverride;
};

/** One person of the role may decide alone while all checks are true; it is always reported. */
export type ApprovalOverride = {
  readonly role: string;
  readonly when: readonly Check[];
  /** Notifiers that are told of it, beside those of the policy. */
  readonly notify: readonly string[];
};

/** What people are asked to agree to. An approval binds its digest, and is void when that changes. */
export type ApprovalRequest = {
  /** Over incident, rung, steps, point and loss; not over the deadline or the estimate. */
  readonly digest: string;
  readonly rung: string;
  readonly steps: readonly string[];
  /** The restore point that the rung goes back to; null where it restores none. */
  readonly point: string | null;
  /** By target, since when what it goes back to is known to be good. Absent where no restore goes to what was good. */
  readonly goodSince?: Readonly<Record<string, Millis>>;
  /** What would be lost, in words; null where the policy states no loss. */
  readonly loss: string | null;
  /** The counts that the approval covers: a higher one makes another request. */
  readonly covers: Readonly<Record<string, number | null>>;
  /** How long the rung took when it was walked, or rehearsed for real; null while it never was. */
  readonly estimateMs: Millis | null;
  /** What the estimate rests on; absent where there is none. */
  readonly estimatedBy?: 'rollbacks' | 'drill';
};

export type GivenApproval = {
  readonly subject: string;
  /** Those of their roles that the rung asks for. */
  readonly roles: readonly string[];
  readonly at: Millis;
  readonly reason: string | null;
};

/** A person as the host knows them, and the roles that its configuration gives them. */
export type Person = {
  /** Who they are in the log: the user's name. */
  readonly name: string;
  /** Whether this is somebody in particular. root is not: whoever may use it can be anybody. */
  readonly isPerson: boolean;
  readonly roles: readonly string[];
};

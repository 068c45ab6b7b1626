import type { Millis } from '../units.ts';
import type { ApprovalRule } from './approval.ts';
import type { Check } from './check.ts';
import type { DataLoss } from './measure.ts';
import type { Origin } from './origin.ts';
import type { Step } from './step.ts';
import { type Trigger, type TriggerKey, triggerKey } from './trigger.ts';

export type RollbackPolicy = {
  readonly name: string;
  readonly origin: Origin;
  readonly suspend: boolean;
  readonly triggers: readonly Trigger[];
  readonly match: Match;
  readonly ladder: readonly Rung[];
  /** After an incident ended, its conflict set is left alone so long. */
  readonly cooldownMs: Millis;
  readonly limit?: { readonly rollbacks: number; readonly perMs: Millis };
  /** The recovery time that the report is held against. */
  readonly rtoMs?: Millis;
  readonly notify: readonly string[];
  /** Who hears when an incident is open for so long, the earliest level first. */
  readonly escalate?: readonly EscalationLevel[];
  /** How often people are told how an open incident stands. */
  readonly updates?: { readonly everyMs: Millis };
  readonly release: Release;
};

/** Counted from the opening of the incident, not from the level before. */
export type EscalationLevel = { readonly afterMs: Millis; readonly notify: readonly string[] };

const knownKeys = new WeakMap<RollbackPolicy, readonly TriggerKey[]>();

/** The keys of a policy's triggers, in their order. */
export function triggerKeys(policy: RollbackPolicy): readonly TriggerKey[] {
  const known = knownKeys.get(policy);
  if (known !== undefined) return known;
  const keys = policy.triggers.map((trigger) => triggerKey(policy.name, trigger.name));
  knownKeys.set(policy, keys);
  return keys;
}

/** How many of the policy's critical triggers must fire. */
export type Match =
  | { readonly kind: 'any' }
  | { readonly kind: 'all' }
  | { readonly kind: 'atLeast'; readonly count: number };

export type Rung = {
  readonly name: string;
  readonly origin: Origin;
  /** The rung is skipped unless all of these are true; unknown is not true. */
  readonly when?: readonly Check[];
  /** What is lost by it. Such a rung is entered only with its approval, and never for want of data. */
  readonly dataLoss?: DataLoss;
  readonly approval?: ApprovalRule;
  readonly do: readonly Step[];
  /** Done when the rung ends failed, by a step or by its verification. */
  readonly onFailure: readonly Step[];
  readonly verify: Verify;
  /** Who hears of the incident too, from this rung on. */
  readonly notify?: readonly string[];
};

export type Verify = {
  /** Judging begins so long after the last step. */
  readonly settleMs: Millis;
  /** Without success by then (counted from the last step), the verification has failed or is inconclusive. */
  readonly withinMs: Millis;
  /** Success must have lasted so long, unbroken. */
  readonly forMs: Millis;
  readonly triggersClear: boolean;
  readonly checks: readonly Check[];
  readonly onInconclusive: 'ask' | 'next' | 'done';
};

/** When the latches that the policy's ladder placed are lifted, always only after the incident is closed. */
export type Release =
  | { readonly kind: 'onFlagChange' }
  | { readonly kind: 'manual' }
  | { readonly kind: 'onFix'; readonly target: string }
  | { readonly kind: 'after'; readonly spanMs: Millis };

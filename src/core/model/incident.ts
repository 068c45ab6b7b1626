import type { ReadingValue } from '../observed.ts';
import type { Millis } from '../units.ts';
import type { RollbackPolicy } from './policy.ts';
import type { Revision } from './revision.ts';
import type { TriggerKey } from './trigger.ts';

/** `INC-1`, `INC-2`, … on each host. */
export type IncidentId = string;

export type Incident = {
  readonly id: IncidentId;
  readonly openedAt: Millis;
  readonly revision: Revision;
  /** Triggers, ladder and verification as they were when it opened; later commits do not change them. */
  readonly policy: RollbackPolicy;
  readonly openedBy: readonly IncidentCause[];
  /** Policies whose ladder would touch the same things; they wait, and must be clear too. */
  readonly joined: readonly JoinedPolicy[];
  readonly conflictSet: readonly string[];
  readonly phase: Phase;
  /** The rungs that ended, in their order. */
  readonly walked?: readonly WalkedRung[];
  /** What people were told by now; so that each is said once, also over restarts. */
  readonly told?: Told;
};

export type WalkedRung = {
  readonly rung: string;
  readonly outcome: 'successful' | 'failed' | 'skipped';
  readonly reason: string;
};

export type Told = {
  /** When the incident opened, by the clock of now: a clock that was set moves it along. */
  readonly since: Millis;
  /** How many levels of `escalate` were reached. */
  readonly levels: number;
  /** The number of the last update. */
  readonly updates: number;
  /** Notifiers that rungs and levels added; who heard of the beginning hears of the end. */
  readonly hearers: readonly string[];
  /** When a receiver of alerts was last told that this one goes on. */
  readonly alertedAt: Millis;
};

export type IncidentCause = {
  readonly trigger: TriggerKey;
  readonly value: ReadingValue | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly threshold: string;
  /** When it began to be breached. */
  readonly breachedSince: Millis;
};

export type JoinedPolicy = { readonly at: Millis; readonly policy: RollbackPolicy };

/**
 * entering → executing → verifying → closed(resolved) | entering the next rung | asking
 * entering: also → entering the next (skipped) | closed(exhausted) when there is none.
 * executing, verifying: failure → the rung's onFailure → entering the next rung; an unknown step, or one of onFailure
 *   that fails → asking.
 * asking: a person answers next | retry | done. Any open phase → closed(aborted) by a person.
 */
export type Phase =
  | { readonly kind: 'entering'; readonly rung: number }
  | ExecutingPhase
  | VerifyingPhase
  | {
      readonly kind: 'asking';
      readonly rung: number;
      readonly since: Millis;
      readonly reason: string;
      /** What was going on, so that an answer can take it up again. */
      readonly about: ExecutingPhase | VerifyingPhase;
    }
  | { readonly kind: 'closed'; readonly outcome: IncidentOutcome; readonly at: Millis; readonly reason: string };

export type ExecutingPhase = {
  readonly kind: 'executing';
  readonly rung: number;
  readonly part: 'do' | 'onFailure';
  readonly step: number;
  /** Null until the step was begun. */
  readonly startedAt: Millis | null;
  /** Of an operation, when it is known. */
  readonly outcome: StepOutcome | null;
  /** Where a restore goes, settled when it began. */
  readonly destination?: string;
};

export type VerifyingPhase = {
  readonly kind: 'verifying';
  readonly rung: number;
  readonly since: Millis;
  readonly settleAt: Millis;
  readonly deadlineAt: Millis;
  /** Since when nothing speaks against success; null while something does. */
  readonly goodSince: Millis | null;
};

export type StepOutcome = { readonly outcome: 'done' | 'failed' | 'unknown'; readonly detail: string };

export type IncidentOutcome = 'resolved' | 'exhausted' | 'aborted';

/** A person's answer to an incident that asks. */
export type IncidentAnswer = 'next' | 'retry' | 'done';

export function toldOf(incident: Incident): Told {
  return (
    incident.told ?? { since: incident.openedAt, levels: 0, updates: 0, hearers: [], alertedAt: incident.openedAt }
  );
}

export function isOpen(incident: Incident): boolean {
  return incident.phase.kind !== 'closed';
}

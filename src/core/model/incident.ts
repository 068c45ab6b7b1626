import type { ReadingValue } from '../observed.ts';
import type { Millis } from '../units.ts';
import type { ApprovalRequest, GivenApproval } from './approval.ts';
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
  /** Empty if a person began it. */
  readonly openedBy: readonly IncidentCause[];
  /** The person who began it. */
  readonly byHand?: ByHand;
  /** Policies whose ladder would touch the same things; they wait, and must be clear too. */
  readonly joined: readonly JoinedPolicy[];
  readonly conflictSet: readonly string[];
  readonly phase: Phase;
  /** When the present rung was entered; null before the first one. */
  readonly rungEnteredAt: Millis | null;
  /** Something else than the incident itself kept it waiting, and nothing was verified since: by now it may be over. */
  readonly held: boolean;
  /** Since when git suspends the policy: nothing is done and no deadline passes; null while it does not. */
  readonly pausedAt: Millis | null;
  /** The rungs that ended, in their order. */
  readonly walked?: readonly WalkedRung[];
  /** By label, the counts up to which people agreed to the present rung's loss; null where it could not be counted. */
  readonly agreed?: Readonly<Record<string, number | null>>;
  /** What spoke against success when a verification ended last, of the present rung or of the last one. */
  readonly against?: readonly string[];
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

export type ByHand = { readonly actor: string; readonly reason: string };

export type JoinedPolicy = { readonly at: Millis; readonly policy: RollbackPolicy };

/**
 * [fixing-forward →] entering → [awaiting-approval →] executing → verifying → closed(resolved) | entering the next
 *   rung | asking
 * fixing-forward: people mend it; → closed(resolved) when it is over, → entering when the time is up or it got worse.
 * entering: also → entering the next (skipped) | asking | closed(exhausted) when there is none.
 * awaiting-approval: → executing when everybody agreed; rejected → entering the next; too late → asking | aborted.
 * executing, verifying: failure → the rung's onFailure → entering the next rung; an unknown step, or one of onFailure
 *   that fails → asking. If a step failed and all triggers are clear by then, → verifying first.
 * asking: a person answers next | retry | done. Any open phase → closed(aborted) by a person.
 */
export type Phase =
  | FixingForwardPhase
  | EnteringPhase
  | AwaitingPhase
  | ExecutingPhase
  | VerifyingPhase
  | {
      readonly kind: 'asking';
      readonly rung: number;
      readonly since: Millis;
      readonly reason: string;
      /** What was going on, so that an answer can take it up again. */
      readonly about: AskedAbout;
    }
  | { readonly kind: 'closed'; readonly outcome: IncidentOutcome; readonly at: Millis; readonly reason: string };

export type AskedAbout = EnteringPhase | AwaitingPhase | ExecutingPhase | VerifyingPhase;

export type FixingForwardPhase = {
  readonly kind: 'fixing-forward';
  /** The rung that the ladder would begin with. */
  readonly rung: number;
  readonly since: Millis;
  readonly deadlineAt: Millis;
};

export type EnteringPhase = {
  readonly kind: 'entering';
  readonly rung: number;
  readonly since: Millis;
  /** It is not known that the rungs before were of no use; so none that loses data is entered without asking. */
  readonly unsure: boolean;
};

export type AwaitingPhase = {
  readonly kind: 'awaiting-approval';
  readonly rung: number;
  readonly since: Millis;
  readonly deadlineAt: Millis;
  /** Null until what would be lost was counted. */
  readonly request: ApprovalRequest | null;
  readonly given: readonly GivenApproval[];
  /** The person who decided alone. */
  readonly overriddenBy: GivenApproval | null;
};

export type ExecutingPhase = {
  readonly kind: 'executing';
  readonly rung: number;
  readonly part: 'do' | 'onFailure';
  readonly step: number;
  /** When the step's turn came. */
  readonly since: Millis;
  /** Null until the step was begun. */
  readonly startedAt: Millis | null;
  /** Of an operation, when it is known. */
  readonly outcome: StepOutcome | null;
  /** Where a restore goes, settled when it began. */
  readonly destination?: string;
  /** Of a restore that is effective: since when the target's own checks are asked whether it is intact. */
  readonly checkingSince?: Millis;
  /** Of `onFailure`: a step failed, and not the verification. */
  readonly afterStep?: true;
};

export type VerifyingPhase = {
  readonly kind: 'verifying';
  readonly rung: number;
  readonly since: Millis;
  readonly settleAt: Millis;
  readonly deadlineAt: Millis;
  /** Since when nothing speaks against success; null while something does. */
  readonly goodSince: Millis | null;
  /** A step failed and all became clear all the same: without success the rung has failed, and was undone before. */
  readonly afterStep?: true;
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

/** Open, and past the time in which people only mend: its ladder may touch things. */
export function isActing(incident: Incident): boolean {
  return isOpen(incident) && incident.phase.kind !== 'fixing-forward';
}

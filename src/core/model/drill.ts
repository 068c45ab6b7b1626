import type { Millis } from '../units.ts';
import type { Check } from './check.ts';
import type { FlagPlace } from './flag.ts';
import type { Origin } from './origin.ts';
import type { Snapshot } from './point.ts';
import type { Step } from './step.ts';
import type { Target } from './target.ts';

/** A rehearsal of rungs of a policy. Nothing that is live is touched by it. */
export type Drill = {
  readonly name: string;
  readonly origin: Origin;
  readonly suspend: boolean;
  /** Five fields of cron, by the calendar of the time zone; null: only when a person asks for it. */
  readonly schedule: string | null;
  /** An IANA name. */
  readonly timezone: string;
  readonly policy: string;
  /** Of the policy's ladder, in the order of the ladder; null: all of them. */
  readonly rungs: readonly string[] | null;
  readonly mode: DrillMode;
  /** The recovery time that it is held against; absent: that of the policy. */
  readonly rtoMs?: Millis;
  readonly notify: readonly string[];
};

/** `dryRun` only looks. `scratch` also restores for real, into a place of its own. */
export type DrillMode = 'dryRun' | 'scratch';

/** Words of a rehearsed step, rung or drill. `inconclusive`: it could not be rehearsed, so that nothing is known. */
export type RehearsalOutcome = 'successful' | 'failed' | 'inconclusive';

/** Why a drill runs: by its schedule, at the instant that was due; or since a person asked for it. */
export type DrillCause =
  | { readonly kind: 'schedule'; readonly due: Millis }
  | { readonly kind: 'person'; readonly actor: string };

/** What is to be gone through, settled when the drill begins; later commits do not change it. */
export type PlannedRung = {
  readonly rung: string;
  readonly when: readonly Check[];
  readonly steps: readonly PlannedStep[];
  readonly checks: readonly Check[];
};

export type PlannedStep = {
  readonly part: 'do' | 'onFailure';
  readonly step: Step;
  /** What is known without asking the host; nothing further is looked at then. */
  readonly known?: Examination;
  /** Of a restore: what would be moved, and where to. */
  readonly move?: { readonly target: Target; readonly to: string; readonly snapshot?: Snapshot };
  /** Of a setFlag: what would be written. */
  readonly places?: readonly FlagPlace[];
};

/** What an examination of a step finds. `ready`: nothing speaks against doing it now. */
export type Examination = { readonly outcome: 'ready' | 'obstacle' | 'unknown'; readonly detail: string };

/** One thing that was gone through; `durationMs` is what it took in the rehearsal. */
export type RehearsedItem = {
  readonly what: 'step' | 'check';
  readonly summary: string;
  readonly outcome: RehearsalOutcome;
  readonly detail: string;
  readonly durationMs: Millis;
};

/** `NAME@20261121T030000Z`. */
export type DrillRunId = string;

/** A drill under way. */
export type DrillRun = {
  readonly id: DrillRunId;
  readonly startedAt: Millis;
  readonly cause: DrillCause;
  readonly policy: string;
  readonly mode: DrillMode;
  readonly rtoMs: Millis | null;
  /** What the policy's ladder may touch: an incident over any of it ends the drill. */
  readonly conflictSet: readonly string[];
  readonly rungs: readonly PlannedRung[];
  /** By rung, as far as it came. */
  readonly items: Readonly<Record<string, readonly RehearsedItem[]>>;
  /** What became of its operation; null while that goes on. */
  readonly ended: DrillEnd | null;
};

/** `interrupted`: revertd died or was stopped meanwhile. */
export type DrillEnd =
  | { readonly kind: 'done'; readonly durationMs: Millis }
  | { readonly kind: 'failed' | 'interrupted'; readonly detail: string };

/** `aborted`: something went before it; `interrupted`: revertd was not there any more. Neither says anything of the ladder. */
export type DrillOutcome = RehearsalOutcome | 'aborted' | 'interrupted';

export type DrillResult = Pick<DrillRun, 'id' | 'startedAt' | 'cause' | 'policy' | 'mode' | 'rtoMs'> & {
  readonly endedAt: Millis;
  readonly outcome: DrillOutcome;
  /** Why it is not successful; empty if it is. */
  readonly reason: string;
  /** What the rehearsal took, all rungs together: the measured recovery time. */
  readonly durationMs: Millis;
  /** The same of the last one before it that came to its end in the same mode; null if there is none. */
  readonly beforeMs: Millis | null;
  readonly rungs: readonly RungResult[];
};

export type RungResult = {
  readonly rung: string;
  readonly outcome: RehearsalOutcome;
  readonly durationMs: Millis;
  readonly items: readonly RehearsedItem[];
};

export function drillObject(name: string): string {
  return `Drill/${name}`;
}

/** Whether it came to its end, whatever that was. */
export function isCompleted(outcome: DrillOutcome): outcome is RehearsalOutcome {
  return outcome !== 'aborted' && outcome !== 'interrupted';
}

import type { MergePhase, MergeReport, MergeSpec } from '../../core/merge/merge-report.ts';
import type { RestoreAction } from '../../core/model/action.ts';
import type { Check, CheckResult } from '../../core/model/check.ts';
import type { Examination } from '../../core/model/drill.ts';
import type { Snapshot } from '../../core/model/point.ts';
import type { JsonValue, Step } from '../../core/model/step.ts';
import type { Target } from '../../core/model/target.ts';
import type { TargetSight } from '../../core/observed.ts';
import type { ContentStore } from '../../store/content/content-store.ts';
import type { StepOutcome as StepResult } from '../steps/step-driver.ts';
import type { CapturedDriver, Progress } from './captured-target.ts';

type Undated<T> = T extends unknown ? Omit<T, 'at'> : never;

/** What a look at a target finds; when it was, the caller knows. */
export type TargetReading = Undated<TargetSight>;

export type TargetOrder = Pick<RestoreAction, 'target' | 'to' | 'paths' | 'rows'> & {
  /** Of a captured target: what it is to be. */
  readonly snapshot?: Snapshot;
  /** What the snapshot has otherwise than the ancestor is merged into what is live; without it, live becomes the snapshot. */
  readonly merge?: MergeOrder;
};

export type MergeOrder = MergeSpec & { readonly ancestor: Snapshot };

/** A kind of target. */
export type TargetDriver = {
  /** Looks at it, and changes nothing on it. Never rejects: what cannot be read is a finding. */
  readonly read: (target: Target, signal: AbortSignal) => Promise<TargetReading>;
  /** Asks where new states come from. Never rejects; answers why it could not, or undefined. */
  readonly refresh: (target: Target, signal: AbortSignal) => Promise<string | undefined>;
  /** What is recorded with the intent; it identifies the state before. Never rejects. */
  readonly prepare: (order: TargetOrder, signal: AbortSignal) => Promise<JsonValue>;
  /** Whether a restore could be done now, as far as that can be found out without it. Changes nothing. Never rejects. */
  readonly examine: (order: TargetOrder, signal: AbortSignal) => Promise<Examination>;
  /**
   * Restores for real into a place of its own, where nothing that is live is touched, has what is there checked, and cleans
   * up. Absent where a kind of target cannot be rehearsed yet. Never rejects.
   */
  readonly rehearse?: (order: TargetOrder, context: RehearsalContext) => Promise<Examination>;
  /** Takes away what a rehearsal left that nobody could end. Never rejects. */
  readonly tidy?: (target: Target, signal: AbortSignal) => Promise<void>;
  /** Puts it there. Never rejects: every fault of the host is an outcome. */
  readonly restore: (order: TargetOrder, context: RestoreContext) => Promise<RestoreOutcome>;
  /** Whether it is there; asked after a crash. A restore that is not whole is safe to repeat. Never rejects. */
  readonly observe: (
    order: TargetOrder,
    signal: AbortSignal,
    store?: ContentStore,
  ) => Promise<'done' | 'notDone' | 'unknown'>;
  /** Keeps exactly these states from being cleaned up. Rejects with TargetError. */
  readonly keep: (target: Target, states: readonly string[], signal: AbortSignal) => Promise<void>;
  /** Where its states are kept as snapshots. */
  readonly points: CapturedDriver;
};

export type RestoreContext = {
  readonly signal: AbortSignal;
  /** The operation's id, the same when it is repeated after a crash. */
  readonly operation: string;
  readonly log: (line: string) => void;
  /** Does a step of the target's own; `cwd` is where a program runs that does not say. */
  readonly perform: (step: Step, cwd?: string) => Promise<StepResult>;
  /** Where the content of snapshots is; a captured target cannot be restored without. */
  readonly store?: ContentStore;
  readonly progress?: (done: Progress) => void;
  /** Of a merge: what it goes through, as it begins. */
  readonly onPhase?: (phase: MergePhase) => void;
};

export type RehearsalContext = RestoreContext & {
  /** A folder that is there for this rehearsal alone, and goes with it; only revertd itself can look into it. */
  readonly folder: string;
  /** Makes one check, of any kind. Never rejects. */
  readonly ask: (check: Check) => Promise<Pick<CheckResult, 'outcome' | 'detail'>>;
};

export type RestoreOutcome =
  /** `state` identifies what it shows now. */
  | { readonly outcome: 'done'; readonly detail: string; readonly state?: string; readonly merge?: MergeReport }
  /** Also a merge that was aborted, or has to be decided: then nothing was changed. */
  | { readonly outcome: 'failed'; readonly detail: string; readonly merge?: MergeReport };

export type TargetErrorCode =
  | 'notAllowed'
  | 'notRepository'
  | 'bareRepository'
  | 'noRevision'
  | 'inTheWay'
  | 'fetch'
  | 'gitMissing'
  | 'timedOut'
  | 'aborted'
  | 'step'
  | 'snapshot'
  | 'changing'
  | 'locked'
  | 'inUse'
  | 'damaged'
  | 'space'
  | 'link'
  | 'git'
  | 'http'
  | 'format'
  | 'secret'
  | 'program'
  | 'unreachable'
  | 'missing'
  | 'database'
  | 'constraint'
  | 'conflicting'
  | 'tool'
  | 'io';

/** Why a target could not be read, moved or kept; for people. */
export class TargetError extends Error {
  override readonly name = 'TargetError';
  readonly code: TargetErrorCode;

  constructor(code: TargetErrorCode, message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}

import type { Check } from '../../core/model/check.ts';
import type { Examination } from '../../core/model/drill.ts';
import type { JsonValue, Step, StepKind } from '../../core/model/step.ts';
import type { CheckAnswer } from '../checks/check-driver.ts';
import type { SecretResolver } from '../secrets.ts';

/** The kinds of steps that touch the host. The others are decisions: places, targets and notifiers carry them out. */
export type HostStepKind = Exclude<StepKind, 'setFlag' | 'restore' | 'createPoint' | 'notify'>;
export type StepOf<K extends HostStepKind> = Extract<Step, { kind: K }>;
export type HostStep = StepOf<HostStepKind>;

/** What identifies the state before the effect; recorded with the intent. */
export type Fingerprint = JsonValue;

export type StepDriver<K extends HostStepKind> = {
  /** One line for a dry run, without secrets. */
  readonly describe: (step: StepOf<K>) => string;
  /**
   * Whether it could be done now, as far as that can be found out without doing it; for drills. Changes nothing, and never
   * rejects. `unknown` if the question itself could not be answered.
   */
  readonly examine: (step: StepOf<K>, signal: AbortSignal) => Promise<Examination>;
  /** Looks at what the step is about to change, and changes nothing. Never rejects. */
  readonly prepare: (step: StepOf<K>, signal: AbortSignal) => Promise<Fingerprint>;
  /** Does it within the step's deadline. Never rejects: every fault of the host is an outcome. */
  readonly perform: (step: StepOf<K>, context: StepContext) => Promise<StepOutcome>;
  /**
   * Whether the effect is there; asked after a crash between the intent and its outcome. `notDone` means that doing it
   * (again) is safe; `unknown` that only a person can tell. Never rejects.
   */
  readonly observe: (step: StepOf<K>, fingerprint: Fingerprint, signal: AbortSignal) => Promise<Observation>;
};

export type StepContext = {
  readonly signal: AbortSignal;
  readonly operation: string;
  /** The same when the step is repeated after a crash, and only then; of all hosts and times: for receivers that drop repetitions. */
  readonly once: string;
  readonly secrets: SecretResolver;
  /** Takes lines about the progress, without secrets. */
  readonly log: (line: string) => void;
  /**
   * Replaces the fingerprint that `observe` is given after a crash; it is durable when this returns. For drivers that know
   * more once they have begun: the name of a transaction before it is committed, the unit that a program runs in.
   */
  readonly remember: (fingerprint: Fingerprint) => void;
};

export type Observation = 'done' | 'notDone' | 'unknown';

export type StepOutcome =
  | { readonly outcome: 'done'; readonly detail: string }
  | { readonly outcome: 'failed'; readonly code: StepFault; readonly detail: string }
  /** It may have taken effect, and nothing tells; a person is asked. */
  | { readonly outcome: 'unknown'; readonly detail: string };

export type StepFault =
  | 'notAllowed'
  | 'notSupported'
  | 'secret'
  | 'checkUnknown'
  | 'timedOut'
  | 'aborted'
  | 'notStarted'
  | 'exitCode'
  | 'killed'
  | 'status'
  | 'noAnswer'
  | 'noSystemd'
  | 'noSuchUnit'
  | 'badUnit'
  | 'unitFailed'
  | 'pidFile'
  | 'noEngine'
  | 'noSuchContainer'
  | 'engineRefused'
  | 'containerFailed'
  | 'unreachable'
  | 'locked'
  | 'statement'
  | 'rows'
  | 'condition'
  | 'badFile'
  | 'diskFull'
  | 'changedMeanwhile'
  | 'git'
  | 'rejected'
  | 'noSuchUser'
  | 'notPermitted';

/** Makes one check, of any kind, for `unless`. Never rejects. */
export type Ask = (check: Check, signal: AbortSignal) => Promise<Pick<CheckAnswer, 'outcome' | 'detail'>>;

export function failed(code: StepFault, detail: string): StepOutcome {
  return { outcome: 'failed', code, detail };
}

export function ready(detail: string): Examination {
  return { outcome: 'ready', detail };
}

export function obstacle(detail: string): Examination {
  return { outcome: 'obstacle', detail };
}

export function unsure(detail: string): Examination {
  return { outcome: 'unknown', detail };
}

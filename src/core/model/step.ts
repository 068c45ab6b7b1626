import type { Strategy } from '../merge/conflict.ts';
import type { Millis } from '../units.ts';
import type { Check } from './check.ts';
import { type ContainerStep, describeArgv, describeContainerStep } from './container-step.ts';
import { describeCheck } from './describe-check.ts';
import { describeEditFile, type EditFileStep } from './edit-file-step.ts';
import { describeGitCommit, type GitCommitStep } from './git-commit-step.ts';
import type { HttpExpectation } from './http-expectation.ts';
import type { HttpAuth } from './metric-source.ts';
import type { Origin } from './origin.ts';
import type { SecretRef } from './secret-ref.ts';
import { describeSql, type SqlStep } from './sql-step.ts';
import type { NotifyStep, WaitForStep } from './talk-steps.ts';
import { describePart, describeRestorePoint, type RestorePoint, type RowSelection } from './target.ts';

/** Something done, with a deadline. */
export type Step = {
  readonly origin: Origin;
  /** The step fails when it has not finished so long after its start. */
  readonly timeoutMs: Millis;
  /** The step is skipped unless all of these are true; unknown is not true. */
  readonly when?: readonly Check[];
} & StepSpec;

export type StepSpec =
  | SetFlagStep
  | RestoreStep
  | CreatePointStep
  | ServiceStep
  | ContainerStep
  | HttpStep
  | RunStep
  | SqlStep
  | EditFileStep
  | GitCommitStep
  | NotifyStep
  | WaitForStep;
export type StepKind = StepSpec['kind'];

/** Places a latch on the flag and is done when every place of the flag shows it. */
export type SetFlagStep = {
  readonly kind: 'setFlag';
  readonly flag: string;
  readonly to: { readonly kind: 'safe' } | { readonly kind: 'variant'; readonly variant: string };
};

/** Puts a target back; done when that is effective. */
export type RestoreStep = {
  readonly kind: 'restore';
  readonly target: string;
  readonly to: RestorePoint;
  /** Only these paths within it; all of it if empty. */
  readonly paths: readonly string[];
  /** Of a database: only these rows. */
  readonly rows?: RowSelection;
  /** Of a target of flags: those that it stands for, and the restore may set. */
  readonly flags?: readonly string[];
  /** What it goes back to is merged into what is live, instead of replacing it. */
  readonly merge?: { readonly conflicts: Strategy };
  /** It goes on although what it overwrites could not be kept first: what is damaged can often not be captured. */
  readonly safety?: 'attempt';
};

/** Captures a PointPolicy's targets into a point; done when that is stored, or also read again, or also copied. */
export type CreatePointStep = {
  readonly kind: 'createPoint';
  readonly policy: string;
  readonly until: 'stored' | 'valid' | 'copied';
};

export type ServiceStep = {
  readonly kind: 'service';
  readonly service: ServiceRef;
  readonly do: ServiceVerb;
};

/** A systemd unit, or the process whose number stands in a file (signals only). */
export type ServiceRef =
  | { readonly kind: 'unit'; readonly unit: string }
  | { readonly kind: 'pidFile'; readonly path: string };

export type ServiceVerb =
  | { readonly kind: 'start' | 'stop' | 'restart' | 'reload' }
  | { readonly kind: 'signal'; readonly signal: string };

export type HttpStep = {
  readonly kind: 'http';
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string | SecretRef>>;
  readonly auth?: HttpAuth;
  /** Sent as JSON unless it is a string. */
  readonly body?: JsonValue;
  /** How often it is sent again if it did not arrive, or may be sent twice; absent: never. */
  readonly retries?: number;
} & HttpExpectation &
  Repetition;

export type RunStep = {
  readonly kind: 'run';
  /** The program and its arguments. There is no shell. */
  readonly argv: readonly string[];
  readonly cwd?: string;
  readonly env: Readonly<Record<string, string | SecretRef>>;
  /** The user of the host that it runs as; absent: as revertd itself. */
  readonly user?: string;
  /** Runs as a transient systemd unit, which survives revertd and is found again by its name. */
  readonly unit?: UnitLimits;
} & Repetition;

/** See systemd.resource-control(5); absent: no limit of its own. */
export type UnitLimits = { readonly memoryBytes?: number; readonly cpuPercent?: number; readonly tasks?: number };

/**
 * What may happen after a crash that hid the outcome: a repeatable step is done again; one with `unless` is done again
 * only if these checks are not all true; any other becomes `unknown`, and a person is asked.
 */
export type Repetition = { readonly repeatable: boolean; readonly unless: readonly Check[] };

export type JsonValue = null | boolean | number | string | readonly JsonValue[] | { readonly [key: string]: JsonValue };

/** One line for plans, logs and people. Secrets do not occur in it, for they are only named. */
export function describeStep(step: StepSpec): string {
  switch (step.kind) {
    case 'setFlag':
      return `set flag ${step.flag} to ${step.to.kind === 'safe' ? 'its safe variant' : `"${step.to.variant}"`}`;
    case 'restore':
      return `${step.merge === undefined ? 'restore' : 'merge'} ${describePart(step.paths, step.rows)}${step.target} to ${describeRestorePoint(step.to)}${step.merge === undefined ? '' : `, conflicts: ${step.merge.conflicts}`}`;
    case 'createPoint':
      return `take a point of ${step.policy}${step.until === 'stored' ? '' : `, until it is ${step.until}`}`;
    case 'service':
      return `${describeVerb(step.do)} ${step.service.kind === 'unit' ? step.service.unit : `the process in ${step.service.path}`}`;
    case 'container':
      return describeContainerStep(step);
    case 'http':
      return `${step.method} ${step.url}`;
    case 'run':
      return `run ${describeArgv(step.argv)}${step.user === undefined ? '' : ` as ${step.user}`}`;
    case 'sql':
      return describeSql(step);
    case 'editFile':
      return describeEditFile(step);
    case 'gitCommit':
      return describeGitCommit(step);
    case 'notify':
      return `tell ${step.to.join(', ')}: ${step.text}`;
    case 'waitFor':
      return `wait until ${step.checks.map(describeCheck).join(' and ')}`;
  }
}

function describeVerb(verb: ServiceVerb): string {
  return verb.kind === 'signal' ? `send ${verb.signal} to` : verb.kind;
}

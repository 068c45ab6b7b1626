import type { KeepRules } from '../retention/keep-rules.ts';
import type { Millis } from '../units.ts';
import type { Origin } from './origin.ts';
import type { RunStep, Step } from './step.ts';

/** When rollback points are taken, of what, and how long they live. */
export type PointPolicy = {
  readonly name: string;
  readonly origin: Origin;
  readonly suspend: boolean;
  /** Captured together, into one point. */
  readonly targets: readonly string[];
  /** `quiesced`: what the targets' `quiesce` stops stands still meanwhile. */
  readonly consistency: 'live' | 'quiesced';
  /** An IANA name; schedules and calendar buckets go by it. */
  readonly timezone: string;
  readonly take: TakeRules;
  /** A ceiling, counted from completion; null: only `retain` decides. */
  readonly ttlMs: Millis | null;
  readonly retain: RetainRules;
  readonly prune: {
    /** A run that would prune more of the policy's points than this is refused whole. 0 to 1. */
    readonly maxFraction: number;
    /** For how long a pruned point can be brought back. */
    readonly graceMs: Millis;
  };
  readonly compression: 'zstd' | 'gzip' | 'none';
  readonly verify: { readonly schedule: string; readonly restoreTest: boolean } | null;
  /** What is done with every point that is found intact, so that it outlives the host. */
  readonly copies: readonly PointCopy[];
};

/** `${file}` and `${point}` in the arguments stand for the file of the point, and for its id. */
export type PointCopy = { readonly name: string; readonly step: Step & RunStep };

/** By the host's configuration: how points live that belong to no policy, and when what has ended is pruned. */
export type PointRules = {
  /** The time to live of a point that is taken without one. */
  readonly ttlMs: Millis;
  /** Beyond so many the oldest go. */
  readonly maxPoints: number;
  readonly compression: PointPolicy['compression'];
  /** Whether anything is pruned without a person. */
  readonly prunesItself: boolean;
  /** What time ends is pruned so often together; 0: as soon as it has ended. */
  readonly pruneEveryMs: Millis;
};

export type TakeRules = {
  /** Five fields of cron. */
  readonly schedule: string | null;
  readonly before: readonly ('rollback' | 'revision')[];
  readonly after: readonly 'revision'[];
};

/** Beside the rules that keep: limits, which prune the oldest of what those keep. */
export type RetainRules = KeepRules & { readonly maxPoints?: number; readonly maxBytes?: number };

/** By what the calendar of schedules knows a schedule. */
export function takeKey(policy: string): string {
  return `take:${policy}`;
}

/** By what is remembered for which revision of a target a point was taken after its deployment. */
export function afterKey(policy: string, target: string): string {
  return `after:${policy}/${target}`;
}

export function verifyKey(policy: string): string {
  return `verify:${policy}`;
}

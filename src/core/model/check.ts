import type { Millis } from '../units.ts';
import type { FileCheckSpec } from './file-check.ts';
import type { HttpExpectation } from './http-expectation.ts';
import type { HttpAuth } from './metric-source.ts';
import type { Origin } from './origin.ts';
import type { SecretRef } from './secret-ref.ts';
import type { SqlCheckSpec, SqliteCheckSpec } from './sql-step.ts';
import type { JsonValue } from './step.ts';
import type { TargetCheckSpec } from './target-check.ts';
import type { Threshold } from './trigger.ts';

/** Something true, false or unknown. `key` is a digest of what is checked, so that equal checks are done once. */
export type Check = { readonly key: string; readonly origin: Origin } & CheckSpec;

export type CheckSpec =
  | ({
      readonly kind: 'http';
      readonly method: string;
      readonly url: string;
      readonly headers: Readonly<Record<string, string | SecretRef>>;
      readonly auth?: HttpAuth;
      /** Sent as JSON unless it is a string. */
      readonly body?: JsonValue;
      readonly timeoutMs: Millis;
    } & HttpExpectation)
  | QueryCheckSpec
  | {
      readonly kind: 'unit';
      readonly unit: string;
      readonly is: UnitState;
      /** So many of the unit's last lines in the journal are told while the check is false; absent: none. */
      readonly journalLines?: number;
      readonly timeoutMs: Millis;
    }
  | ContainerCheckSpec
  | {
      readonly kind: 'run';
      readonly argv: readonly string[];
      readonly cwd?: string;
      readonly env: Readonly<Record<string, string>>;
      readonly timeoutMs: Millis;
    }
  | SqlCheckSpec
  | SqliteCheckSpec
  | FileCheckSpec
  | TargetCheckSpec;

/** A trigger knows no `equals`, for its hysteresis would have no side. */
export type CheckThreshold = Threshold | { readonly kind: 'equals'; readonly value: number };

/** All that is named must hold. */
export type ContainerCheckSpec = {
  readonly kind: 'container';
  readonly container: string;
  readonly is?: ContainerCondition;
  /** Of its last end; a container that runs has none. */
  readonly exitCode?: number;
  /** How often the engine started it again by itself, since it was created, must be less. */
  readonly restartsBelow?: number;
  /** `sha256:…` of its image or of a manifest that this was pulled by, with or without a name in front: `app@sha256:…`. */
  readonly image?: string;
  readonly timeoutMs: Millis;
};

/** `healthy` is what the container's own health check says; `stopped` is any state in which nothing of it runs. */
export type ContainerCondition = 'running' | 'healthy' | 'stopped';

/** True if every element is beyond the threshold. `source`: the `prometheus` source whose server evaluates it, as of a trigger. */
export type QueryCheckSpec = {
  readonly kind: 'query';
  readonly expr: string;
  readonly source?: string;
  readonly threshold: CheckThreshold;
};

export type QueryCheck = Extract<Check, { kind: 'query' }>;

export type UnitState = 'active' | 'inactive' | 'failed';

/** `unknown` is neither: the check could not be made, which never counts as false. `detail` says what was seen. */
export type CheckResult = {
  readonly key: string;
  readonly at: Millis;
  readonly outcome: 'true' | 'false' | 'unknown';
  readonly detail: string;
};

/** `container mem0 is healthy`. */
export function describeContainerCheck({ container, is, exitCode, restartsBelow, image }: ContainerCheckSpec): string {
  const wanted = [
    is === undefined ? [] : [`is ${is}`],
    exitCode === undefined ? [] : [`ended with ${exitCode}`],
    restartsBelow === undefined ? [] : [`was restarted less than ${restartsBelow} times`],
    image === undefined ? [] : [`is made of ${image}`],
  ];
  return `container ${container} ${wanted.flat().join(', ')}`;
}

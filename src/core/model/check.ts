import type { Millis } from '../units.ts';
import type { Origin } from './origin.ts';
import type { SecretRef } from './secret-ref.ts';
import type { Threshold } from './trigger.ts';

/** Something true, false or unknown. `key` is a digest of what is checked, so that equal checks are done once. */
export type Check = { readonly key: string; readonly origin: Origin } & CheckSpec;

export type CheckSpec =
  | {
      readonly kind: 'http';
      readonly method: string;
      readonly url: string;
      readonly headers: Readonly<Record<string, string | SecretRef>>;
      /** The answers that count as true; any 2xx if empty. */
      readonly status: readonly number[];
      readonly bodyContains?: string;
      readonly timeoutMs: Millis;
    }
  | { readonly kind: 'query'; readonly expr: string; readonly threshold: Threshold }
  | { readonly kind: 'unit'; readonly unit: string; readonly is: UnitState; readonly timeoutMs: Millis }
  | {
      readonly kind: 'run';
      readonly argv: readonly string[];
      readonly cwd?: string;
      readonly env: Readonly<Record<string, string>>;
      readonly timeoutMs: Millis;
    };

export type UnitState = 'active' | 'inactive' | 'failed';

/** `unknown` is neither: the check could not be made, which never counts as false. `detail` says what was seen. */
export type CheckResult = {
  readonly key: string;
  readonly at: Millis;
  readonly outcome: 'true' | 'false' | 'unknown';
  readonly detail: string;
};

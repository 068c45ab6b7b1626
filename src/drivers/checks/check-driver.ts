import type { Check, CheckResult } from '../../core/model/check.ts';
import type { SecretResolver } from '../secrets.ts';

/** The kinds of checks that ask the host. `query` is answered from the samples, elsewhere. */
export type HostCheckKind = Exclude<Check['kind'], 'query'>;

export type CheckOf<K extends HostCheckKind> = Extract<Check, { kind: K }>;
export type HostCheck = CheckOf<HostCheckKind>;

export type CheckContext = { readonly signal: AbortSignal; readonly secrets: SecretResolver };

/** A result that its caller stamps with the time. */
export type CheckAnswer = Omit<CheckResult, 'at'>;

/**
 * Asks one question, within the check's own deadline. Never rejects: `unknown` is the answer of a check that could not
 * be made, and `false` only of one that was made and found the contrary.
 */
export type CheckDriver<K extends HostCheckKind> = {
  readonly check: (check: Extract<Check, { kind: K }>, context: CheckContext) => Promise<CheckAnswer>;
};

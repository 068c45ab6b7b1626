import type { JsonValue } from './step.ts';

/** What an answer has to be. Everything that is named must hold. */
export type HttpExpectation = {
  /** Any 2xx if empty. */
  readonly status: readonly number[];
  readonly bodyContains?: string;
  readonly bodyLacks?: string;
  /** RE2, searched for anywhere in the body. */
  readonly bodyMatches?: string;
  /** Values that the body has as JSON, by their JSON pointers. */
  readonly json?: readonly JsonExpectation[];
};

export type JsonExpectation = { readonly pointer: string; readonly equals: JsonValue };

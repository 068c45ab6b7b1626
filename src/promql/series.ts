import type { Millis } from '../core/units.ts';

/** A series' labels, `__name__` among them. A label with an empty value is the same as an absent one. */
export type Labels = Readonly<Record<string, string>>;

export type Matcher = {
  readonly name: string;
  readonly op: '=' | '!=' | '=~' | '!~';
  readonly value: string;
};

/**
 * One series as the evaluator reads it. It is live: after samples are appended the same object shows them.
 * Valid samples stand at `first <= index < end`, with strictly increasing `times`. A stale marker is a sample whose
 * value has the bits of `STALE_NAN` (see `staleness.ts`); any other NaN is an ordinary value.
 */
export interface Series {
  readonly labels: Labels;
  readonly times: Float64Array;
  readonly values: Float64Array;
  readonly first: number;
  readonly end: number;
}

/** What the evaluator needs of a store of samples. Matching is synchronous and without side effects. */
export interface Queryable {
  /** Changes whenever a series is added or removed; while it stays the same, `resolve` would answer the same. */
  readonly generation: number;
  /** Changes whenever samples are added or removed. A store without it is read anew for each part of each query. */
  readonly version?: number;
  resolve(matchers: readonly Matcher[]): readonly Series[];
}

/** Instant selectors look this far back (Prometheus' `--query.lookback-delta`). */
export const DEFAULT_LOOKBACK_MS: Millis = 300_000;

import type { Millis } from '../units.ts';
import type { Origin } from './origin.ts';

/** A figure that people are told, and that nothing is decided by. `key` is a digest of what is measured. */
export type Measure = { readonly key: string; readonly origin: Origin } & MeasureSpec;

/** The sum over the elements of a query's result. */
export type MeasureSpec = { readonly kind: 'query'; readonly expr: string };

/** `value` is null where it could not be measured; `detail` says why, or what was seen. */
export type MeasureResult = {
  readonly key: string;
  readonly at: Millis;
  readonly value: number | null;
  readonly detail: string;
};

/** What a rung loses, as far as it can be said beforehand. */
export type DataLoss = {
  /** In words, where there is nothing to count. */
  readonly text?: string;
  readonly counts: readonly { readonly label: string; readonly measure: Measure }[];
};

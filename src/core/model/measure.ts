import type { Millis } from '../units.ts';
import type { Origin } from './origin.ts';
import { nameDatabase, type SqlDatabase, shorten } from './sql-step.ts';

/** A figure that people are told, and that nothing is decided by. `key` is a digest of what is measured. */
export type Measure = { readonly key: string; readonly origin: Origin } & MeasureSpec;

/** The sum over the elements of a query's result, or what one SELECT counts. */
export type MeasureSpec = { readonly kind: 'query'; readonly expr: string } | SqlMeasureSpec;

export type SqlMeasureSpec = {
  readonly kind: 'sql';
  readonly on: CountedDatabase;
  /** One SELECT of one number. */
  readonly query: string;
  /** The target of whose restore point `:point` is the end, where the SELECT asks for it. */
  readonly point?: string;
  readonly timeoutMs: Millis;
};

export type SqlMeasure = Extract<Measure, { kind: 'sql' }>;

/** A target that is a database itself, or one that is named. */
export type CountedDatabase =
  | { readonly kind: 'target'; readonly target: string }
  | { readonly kind: 'database'; readonly database: SqlDatabase };

/** `value` is null where it could not be measured; `detail` says why, or what was seen. */
export type MeasureResult = {
  readonly key: string;
  readonly at: Millis;
  readonly value: number | null;
  readonly detail: string;
};

/** What a rung loses, as far as it can be said beforehand. */
export type DataLoss = {
  /** Whose state is put back, where the policy says so. */
  readonly target?: string;
  /** In words, where there is nothing to count. */
  readonly text?: string;
  readonly counts: readonly { readonly label: string; readonly measure: Measure }[];
};

/** What a rung would lose, before anything is counted: for plans. */
export function describeLoss({ target, text, counts }: DataLoss): string {
  const where = target === undefined ? [] : [`of ${target}`];
  const words = text === undefined ? [] : [text];
  const counted = counts.map(({ label, measure }) => `${label} (counted by ${describeMeasure(measure)})`);
  return [...words, ...counted, ...where].join(', ');
}

function describeMeasure(measure: Measure): string {
  if (measure.kind === 'query') return measure.expr;
  const { on, query } = measure;
  return `${shorten(query)} on ${on.kind === 'target' ? on.target : nameDatabase(on.database)}`;
}

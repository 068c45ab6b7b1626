import type { AggregateOperator, QueryType } from './ast.ts';

/**
 * How a function is called. `optional` counts the arguments at the end that may be left out; with `repeats` the last
 * type may be given any number of times (at most `repeats` more).
 */
export type Signature = {
  readonly args: readonly QueryType[];
  readonly optional?: number;
  readonly repeats?: number;
  readonly returns: QueryType;
  /** Behind Prometheus' feature flag `promql-experimental-functions`. */
  readonly experimental?: true;
  /** Needs what the embedded evaluator does not have; the text says what. */
  readonly unsupported?: string;
};

const V: Signature = { args: ['vector'], returns: 'vector' };
const M: Signature = { args: ['matrix'], returns: 'vector' };
const DATE: Signature = { args: ['vector'], optional: 1, returns: 'vector' };
const CONTEXT: Signature = { args: [], returns: 'scalar', experimental: true };
const NATIVE: Signature = { ...V, unsupported: 'native histograms' };
const EXPERIMENTAL_M: Signature = { ...M, experimental: true };

/** Every function of Prometheus 3 (promql/parser/functions.go at 3.x, August 2026). */
export const FUNCTIONS: Readonly<Record<string, Signature>> = {
  ...sameSignature(
    V,
    'abs absent acos acosh asin asinh atan atanh ceil cos cosh deg exp floor ln log10 log2 rad sgn sin sinh ' +
      'sort sort_desc sqrt tan tanh timestamp',
  ),
  ...sameSignature(
    M,
    'absent_over_time avg_over_time changes count_over_time delta deriv first_over_time idelta increase irate ' +
      'last_over_time max_over_time min_over_time present_over_time rate resets stddev_over_time ' +
      'stdvar_over_time sum_over_time',
  ),
  ...sameSignature(
    EXPERIMENTAL_M,
    'mad_over_time ts_of_first_over_time ts_of_last_over_time ts_of_max_over_time ts_of_min_over_time',
  ),
  ...sameSignature(DATE, 'day_of_month day_of_week day_of_year days_in_month hour minute month year'),
  ...sameSignature(CONTEXT, 'start end range step'),
  ...sameSignature(NATIVE, 'histogram_avg histogram_count histogram_stddev histogram_stdvar histogram_sum'),
  clamp: { args: ['vector', 'scalar', 'scalar'], returns: 'vector' },
  clamp_max: { args: ['vector', 'scalar'], returns: 'vector' },
  clamp_min: { args: ['vector', 'scalar'], returns: 'vector' },
  double_exponential_smoothing: { args: ['matrix', 'scalar', 'scalar'], returns: 'vector', experimental: true },
  histogram_fraction: { args: ['scalar', 'scalar', 'vector'], returns: 'vector' },
  histogram_quantile: { args: ['scalar', 'vector'], returns: 'vector' },
  histogram_quantiles: {
    args: ['vector', 'string', 'scalar'],
    repeats: 9,
    returns: 'vector',
    experimental: true,
  },
  info: { args: ['vector', 'vector'], optional: 1, returns: 'vector', unsupported: 'info metrics' },
  label_join: { args: ['vector', 'string', 'string', 'string'], optional: 1, repeats: Infinity, returns: 'vector' },
  label_replace: { args: ['vector', 'string', 'string', 'string', 'string'], returns: 'vector' },
  max_of: { args: ['scalar', 'scalar'], returns: 'scalar', experimental: true },
  min_of: { args: ['scalar', 'scalar'], returns: 'scalar', experimental: true },
  pi: { args: [], returns: 'scalar' },
  predict_linear: { args: ['matrix', 'scalar'], returns: 'vector' },
  quantile_over_time: { args: ['scalar', 'matrix'], returns: 'vector' },
  round: { args: ['vector', 'scalar'], optional: 1, returns: 'vector' },
  scalar: { args: ['vector'], returns: 'scalar' },
  sort_by_label: { args: ['vector', 'string'], optional: 1, repeats: Infinity, returns: 'vector', experimental: true },
  sort_by_label_desc: {
    args: ['vector', 'string'],
    optional: 1,
    repeats: Infinity,
    returns: 'vector',
    experimental: true,
  },
  start_timestamp: { ...V, unsupported: 'start timestamps' },
  time: { args: [], returns: 'scalar' },
  vector: { args: ['scalar'], returns: 'vector' },
};

/** The type of an aggregation's parameter; operators that are not listed take none. */
export const AGGREGATE_PARAMS: Readonly<Partial<Record<AggregateOperator, QueryType>>> = {
  topk: 'scalar',
  bottomk: 'scalar',
  quantile: 'scalar',
  count_values: 'string',
  limitk: 'scalar',
  limit_ratio: 'scalar',
};

function sameSignature(signature: Signature, names: string): Record<string, Signature> {
  return Object.fromEntries(names.split(' ').map((name) => [name, signature]));
}

/** The signature of a function by its exact name, or undefined if there is none. */
export function signatureOf(name: string): Signature | undefined {
  return Object.hasOwn(FUNCTIONS, name) ? FUNCTIONS[name] : undefined;
}

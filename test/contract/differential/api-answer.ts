import type { Labels } from '../../../src/promql/series.ts';
import { parseValue } from './go-numbers.ts';

export type ApiSeries = {
  readonly labels: Labels;
  readonly times: readonly number[];
  readonly values: readonly number[];
};
export type ApiElement = { readonly labels: Labels; readonly value: number };

/** What Prometheus' HTTP API answered; times in milliseconds. `failed`: the query is right, but its evaluation failed. */
export type Answer =
  | { readonly kind: 'failed'; readonly message: string }
  | { readonly kind: 'scalar'; readonly value: number }
  | { readonly kind: 'vector'; readonly elements: readonly ApiElement[] }
  | { readonly kind: 'matrix'; readonly series: readonly ApiSeries[] };

type Point = readonly [seconds: number, value: string];
type Body =
  | { status: 'error'; errorType: string; error: string }
  | { status: 'success'; data: { resultType: 'scalar'; result: Point } }
  | { status: 'success'; data: { resultType: 'vector'; result: { metric: Labels; value: Point }[] } }
  | { status: 'success'; data: { resultType: 'matrix'; result: { metric: Labels; values: Point[] }[] } };

/** Throws for a query that Prometheus does not even parse, which is a mistake of the test. */
export function parseAnswer(body: unknown): Answer {
  const answer = body as Body;
  if (answer.status === 'error') {
    if (answer.errorType !== 'execution') throw new Error(`${answer.errorType}: ${answer.error}`);
    return { kind: 'failed', message: answer.error };
  }
  const { data } = answer;
  switch (data.resultType) {
    case 'scalar':
      return { kind: 'scalar', value: parseValue(data.result[1]) };
    case 'vector':
      return {
        kind: 'vector',
        elements: data.result.map(({ metric, value }) => ({ labels: metric, value: parseValue(value[1]) })),
      };
    case 'matrix':
      return {
        kind: 'matrix',
        series: data.result.map(({ metric, values }) => ({
          labels: metric,
          times: values.map(([at]) => Math.round(at * 1000)),
          values: values.map(([, value]) => parseValue(value)),
        })),
      };
    default:
      return data satisfies never;
  }
}

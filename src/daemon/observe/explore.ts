import type { ReadingValue } from '../../core/observed.ts';
import { toReadingValue } from '../../core/observed.ts';
import type { Millis } from '../../core/units.ts';
import { compileQuery } from '../../promql/evaluate.ts';
import { parseQuery } from '../../promql/parse.ts';
import type { Labels, Queryable } from '../../promql/series.ts';

/** As many points a series as Prometheus allows. */
export const MOST_POINTS = 11_000;

export type QueryRequest = {
  readonly expr: string;
  /** One instant, or from there to `to` every `stepMs`. */
  readonly from: Millis;
  readonly to?: Millis;
  readonly stepMs?: Millis;
};

/** What a query answers, as JSON can hold it. */
export type QueryAnswer = {
  readonly type: 'scalar' | 'string' | 'vector' | 'matrix';
  readonly elements: readonly { readonly labels: Labels; readonly value: number | string }[];
  readonly series: readonly {
    readonly labels: Labels;
    readonly points: readonly (readonly [Millis, ReadingValue])[];
  }[];
  readonly warnings: readonly string[];
};

/** Evaluates any query over the samples. @throws PromqlError */
export function explore(store: Queryable, { expr, from, to, stepMs = 1_000 }: QueryRequest): QueryAnswer {
  const compiled = compileQuery(parseQuery(expr), { text: expr });
  if (to !== undefined) {
    const { series, annotations } = compiled.range(store, from, to, stepMs);
    return { type: 'matrix', elements: [], series: series.map(pointsOf), warnings: annotations.warnings };
  }
  const result = compiled.instant(store, from);
  const { warnings } = result.annotations;
  switch (result.type) {
    case 'scalar':
      return { type: 'scalar', elements: [{ labels: {}, value: toReadingValue(result.value) }], series: [], warnings };
    case 'string':
      return { type: 'string', elements: [{ labels: {}, value: result.value }], series: [], warnings };
    case 'vector': {
      const elements = result.elements.map(({ labels, value }) => ({ labels, value: toReadingValue(value) }));
      return { type: 'vector', elements, series: [], warnings };
    }
    case 'matrix':
      return { type: 'matrix', elements: [], series: result.series.map(pointsOf), warnings };
  }
}

function pointsOf({ labels, times, values }: { labels: Labels; times: readonly Millis[]; values: readonly number[] }) {
  const points = times.map((at, index) => [at, toReadingValue(values[index] ?? Number.NaN)] as const);
  return { labels, points };
}

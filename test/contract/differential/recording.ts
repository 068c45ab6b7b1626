import { labelsKey } from '../../../src/promql/labels.ts';
import { parseQuery } from '../../../src/promql/parse.ts';
import type { Labels } from '../../../src/promql/series.ts';
import type { ApiSeries } from './api-answer.ts';
import { DELAYED_PREFIX } from './exposed-metrics.ts';

/** One series as Prometheus has it: its samples, and where its staleness markers stand. */
export type RecordedSeries = {
  readonly labels: Labels;
  readonly samples: ReadonlyMap<number, number>;
  readonly markers: ReadonlySet<number>;
};

/**
 * Puts together what two exports show in part: the API has every sample without the staleness markers, promtool's dump
 * has both but prints a marker like any NaN. What only the dump has is a marker.
 */
export function recordingOf(series: readonly ApiSeries[], dumped: string, upTo: number): RecordedSeries[] {
  const markers = new Map<string, Set<number>>();
  const lastScrapes = lastScrapesOf(series);
  const recorded = series.map((one): RecordedSeries => {
    const { labels, values } = one;
    const lastScrape = lastScrapes.get(labels['instance'] ?? '') ?? upTo;
    // What says its own time came with a later scrape, which is not part of the recording.
    const times = isDelayed(one) ? one.times.filter((at) => at <= lastScrape) : one.times;
    const own = new Set<number>();
    markers.set(labelsKey(labels), own);
    return { labels, samples: new Map(times.map((at, i) => [at, values[i] ?? Number.NaN])), markers: own };
  });
  const samples = new Map(recorded.map((one) => [labelsKey(one.labels), one.samples]));
  const keys = new Map<string, string>();
  for (const line of dumped.split('\n')) {
    const { labels, value, at } = /^(?<labels>\{.*\}) (?<value>\S+) (?<at>\d+)$/u.exec(line)?.groups ?? {};
    if (labels === undefined || value !== 'NaN' || Number(at) > upTo) continue;
    const key = keys.get(labels) ?? labelsKey(labelsOf(labels));
    keys.set(labels, key);
    if (samples.get(key)?.has(Number(at)) === false) markers.get(key)?.add(Number(at));
  }
  return recorded;
}

function isDelayed({ labels }: ApiSeries): boolean {
  return labels['__name__']?.startsWith(DELAYED_PREFIX) === true;
}

/** By instance. */
function lastScrapesOf(series: readonly ApiSeries[]): ReadonlyMap<string, number> {
  const last = new Map<string, number>();
  for (const one of series) {
    const instance = one.labels['instance'] ?? '';
    if (!isDelayed(one)) last.set(instance, Math.max(last.get(instance) ?? 0, one.times.at(-1) ?? 0));
  }
  return last;
}

/** A label set as Prometheus prints it is a selector as well. */
function labelsOf(text: string): Labels {
  const expr = parseQuery(text);
  if (expr.kind !== 'selector') throw new Error(`no label set: ${text}`);
  return Object.fromEntries(expr.matchers.map(({ name, value }) => [name, value]));
}

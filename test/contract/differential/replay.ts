import type { Sample } from '../../../src/metrics/batch.ts';
import { labelsOf } from '../../../src/metrics/labels.ts';
import { SampleStore } from '../../../src/metrics/store/sample-store.ts';
import { labelValue } from '../../../src/promql/labels.ts';
import type { Series } from '../../../src/promql/series.ts';
import { isStale } from '../../../src/promql/staleness.ts';
import { DELAYED_PREFIX } from './exposed-metrics.ts';
import type { RecordedSeries } from './recording.ts';

/** All that one target gave at one time. */
type Scrape = { readonly samples: Sample[]; markers: number };
type Target = {
  readonly source: string;
  readonly target: string;
  readonly scrapes: Map<number, Scrape>;
  readonly delayed: (Sample & { readonly timestamp: number })[];
};

/**
 * Commits what was recorded scrape by scrape, as the samplers do. No marker is handed over: the store has to come to the
 * same ones by itself.
 */
export function replay(recorded: readonly RecordedSeries[]): SampleStore {
  const store = new SampleStore();
  for (const target of targetsOf(recorded)) replayTarget(store, target);
  return store;
}

function targetsOf(recorded: readonly RecordedSeries[]): Target[] {
  const targets = new Map<string, Target>();
  for (const { labels: given, samples, markers } of recorded) {
    const labels = labelsOf(Object.entries(given));
    const [source, name] = [labelValue(labels, 'job'), labelValue(labels, 'instance')];
    const target: Target = targets.get(name) ?? { source, target: name, scrapes: new Map(), delayed: [] };
    targets.set(name, target);
    if (labelValue(labels, '__name__').startsWith(DELAYED_PREFIX)) {
      for (const [timestamp, value] of samples) target.delayed.push({ labels, value, timestamp });
      continue;
    }
    for (const [at, value] of samples) scrapeAt(target, at).samples.push({ labels, value });
    for (const at of markers) scrapeAt(target, at).markers += 1;
  }
  return [...targets.values()];
}

function scrapeAt({ scrapes }: Target, at: number): Scrape {
  const known = scrapes.get(at);
  if (known !== undefined) return known;
  const scrape: Scrape = { samples: [], markers: 0 };
  scrapes.set(at, scrape);
  return scrape;
}

function replayTarget(store: SampleStore, { source, target, scrapes, delayed }: Target): void {
  const late = delayed.sort((a, b) => a.timestamp - b.timestamp);
  for (const [at, { samples }] of [...scrapes].sort(([a], [b]) => a - b)) {
    // Only the end of a target leaves nothing but markers: a scrape that fails at least reports itself.
    if (samples.length === 0) {
      store.forgetTarget(source, target, at);
      continue;
    }
    const due = late.splice(0, late.findLastIndex((sample) => sample.timestamp <= at) + 1);
    store.commit({ source, target, at, samples: [...samples, ...due] });
  }
}

/** The store's series in the form of a recording; of a run of markers the first counts, the others repeat it. */
export function storedSeries(series: Series): RecordedSeries {
  const samples = new Map<number, number>();
  const markers = new Set<number>();
  let ended = false;
  for (let index = series.first; index < series.end; index += 1) {
    const at = series.times[index] ?? Number.NaN;
    const stale = isStale(series.values, index);
    if (!stale) samples.set(at, series.values[index] ?? Number.NaN);
    else if (!ended) markers.add(at);
    ended = stale;
  }
  return { labels: series.labels, samples, markers };
}

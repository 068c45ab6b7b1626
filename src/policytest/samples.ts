import type { MetricSource, SampledType } from '../core/model/metric-source.ts';
import type { Millis } from '../core/units.ts';
import type { Sample } from '../metrics/batch.ts';
import { labelsOf } from '../metrics/labels.ts';
import type { Commit } from '../metrics/sampling.ts';
import type { SampleStore } from '../metrics/store/sample-store.ts';
import type { Labels } from '../promql/series.ts';
import { INPUT, type Input } from './policy-test.ts';

/** Which sources do not answer at an instant. */
export type IsSilent = (source: string, at: Millis) => boolean;

/**
 * Puts the samples of one instant into the store, and answers who delivered. Each series is a target of its own: a gap
 * (`_`) is then no sample, and not the end of the series, as promtool has it. `stale` ends it. A source that is silent
 * ends all its series, as a failed scrape does.
 */
export function commitSamples(
  store: SampleStore,
  inputs: readonly Input[],
  sources: readonly MetricSource[],
  index: number,
  at: Millis,
  isSilent: IsSilent,
): readonly Commit[] {
  const names = new Set(sources.map(({ name }) => name));
  for (const input of inputs) {
    // A source that git has no longer, or that is suspended, delivers nothing.
    if (input.source !== INPUT && !names.has(input.source)) continue;
    const samples = isSilent(input.source, at) ? silenced(input.labels) : samplesAt(input, index);
    if (samples !== null) store.commit({ source: input.source, target: input.target, at, samples });
  }
  for (const source of sources) commitHealth(store, inputs, source, at, isSilent(source.name, at));
  // A probe that fails has delivered: its failure is data.
  const commits = sources.map(({ name, type }) => commitOf(name, at, type.kind === 'probe' || !isSilent(name, at)));
  return inputs.some(({ source }) => source === INPUT) ? [commitOf(INPUT, at, true), ...commits] : commits;
}

function commitOf(source: string, at: Millis, ok: boolean): Commit {
  return { source, target: source, at, ok };
}

/** Null: nothing is committed, so that the series goes on. */
function samplesAt({ labels, points }: Input, index: number): readonly Sample[] | null {
  const point = points[index];
  if (point === undefined) return null;
  switch (point.kind) {
    case 'value':
      return [{ labels, value: point.value }];
    case 'stale':
      return [];
    case 'omitted':
      return null;
  }
}

function silenced(labels: Labels): readonly Sample[] {
  return Object.values(HEALTH).includes(labels['__name__'] ?? '') ? [{ labels, value: 0 }] : [];
}

/** What a sampler says of itself, unless the test says it. */
function commitHealth(
  store: SampleStore,
  inputs: readonly Input[],
  source: MetricSource,
  at: Millis,
  silent: boolean,
): void {
  if (source.type.kind === 'prometheus') return;
  const metric = HEALTH[source.type.kind];
  if (inputs.some((input) => input.source === source.name && input.labels['__name__'] === metric)) return;
  const labels = labelsOf([
    ['__name__', metric],
    ['job', source.name],
  ]);
  const value = silent ? 0 : 1;
  store.commit({ source: source.name, target: '', at, samples: [{ labels, value }] });
}

/** What revertd itself records of each sampling; of a server that answers queries it records nothing. */
const HEALTH: Readonly<Record<SampledType['kind'], string>> = {
  scrape: 'up',
  probe: 'probe_success',
  host: 'up',
  sql: 'up',
  command: 'up',
};

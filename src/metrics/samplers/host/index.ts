import { hostname } from 'node:os';
import type { HostType, MetricSource } from '../../../core/model/metric-source.ts';
import type { Labels } from '../../../promql/series.ts';
import type { Sample } from '../../batch.ts';
import { labelsOf } from '../../labels.ts';
import type { Outcome, Sampler, SamplerDriver, SamplerMeans, SamplingFault } from '../../sampler.ts';
import { reporter } from '../scrape-report.ts';
import { createCpuReader } from './cpu.ts';
import type { Figure, Roots } from './figure.ts';
import { createFilesystemReader } from './filesystems.ts';
import { readLoad } from './load.ts';
import { readMemory } from './memory.ts';
import { readPressure } from './pressure.ts';
import { createUnitsReader } from './units.ts';

export const host: SamplerDriver<HostType> = {
  open: (source, type, means) => [openHost(source, type, means, { proc: '/proc', sys: '/sys' })],
};

export function openHost(source: MetricSource, type: HostType, means: SamplerMeans, roots: Roots): Sampler {
  const own = labelsOf(Object.entries({ job: source.name, instance: hostname(), ...type.labels }));
  const report = reporter(own);
  const series = createSeries(own);
  const collect = createCollector(type, means, roots);
  return {
    target: 'this host',
    timeoutMs: type.timeoutMs,
    async sample(signal): Promise<Outcome> {
      const begun = means.clock.elapsed();
      const { figures, faults } = await collect(signal);
      const measured = figures.map(({ name, labels, value }) => ({ labels: series(name, labels), value }));
      const up = figures.length > 1 ? 1 : 0;
      const samples: Sample[] = [...report(up, means.clock.elapsed() - begun, measured.length), ...measured];
      return outcomeOf(samples, faults);
    },
    close: () => {},
  };
}

/** What could be read is data also when something else could not. */
function outcomeOf(samples: Sample[], faults: readonly SamplingFault[]): Outcome {
  const [first, ...others] = faults;
  if (first === undefined) return { kind: 'sampled', samples };
  const message = others.length === 0 ? first.message : `${first.message} (and ${others.length} more)`;
  return { kind: 'failed', samples, fault: { code: first.code, message } };
}

type Collected = { readonly figures: Figure[]; readonly faults: SamplingFault[] };

function createCollector(
  type: HostType,
  means: SamplerMeans,
  roots: Roots,
): (signal: AbortSignal) => Promise<Collected> {
  const cpu = createCpuReader(roots);
  const filesystems = createFilesystemReader(roots, type.filesystems);
  const units = createUnitsReader(roots, type.units, means.systemctl);
  const readers = {
    cpu: cpu.read,
    memory: () => readMemory(roots),
    load: () => readLoad(roots),
    pressure: () => readPressure(roots),
    filesystems: filesystems.read,
  };
  return async (signal) => {
    const [read, ofUnits] = await Promise.all([
      Promise.all(Object.entries(readers).map(([name, reader]) => attempt(name, reader))),
      units.read(signal),
    ]);
    const time = { name: 'node_time_seconds', value: means.clock.now() / 1000 };
    return {
      figures: [time, ...read.flatMap(({ figures }) => figures), ...ofUnits.figures],
      faults: [...read.flatMap(({ faults }) => faults), ...ofUnits.faults],
    };
  };
}

async function attempt(name: string, read: () => Promise<Figure[]>): Promise<Collected> {
  try {
    return { figures: await read(), faults: [] };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { figures: [], faults: [{ code: 'unreadable', message: `${name} cannot be read: ${why}` }] };
  }
}

/** More series than any host has; beyond, what comes and goes has filled it. */
const SERIES_KEPT = 20_000;

/** Hands out the same object for the same series, which saves looking it up by its labels. */
function createSeries(own: Labels): (name: string, labels?: Readonly<Record<string, string>>) => Labels {
  const known = new Map<string, Labels>();
  return (name, labels = {}) => {
    const key = `${name}\n${Object.values(labels).join('\n')}`;
    const found = known.get(key);
    if (found !== undefined) return found;
    if (known.size >= SERIES_KEPT) known.clear();
    const made = labelsOf(Object.entries({ ...own, ...labels, __name__: name }));
    known.set(key, made);
    return made;
  };
}

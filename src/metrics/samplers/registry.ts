import type { MetricSource } from '../../core/model/metric-source.ts';
import type { SampledKind, SampledTypeOf, Sampler, SamplerDriver, SamplerMeans } from '../sampler.ts';
import { command } from './command/index.ts';
import { host } from './host/index.ts';
import { probe } from './probe/index.ts';
import { scrape } from './scrape/index.ts';
import { sql } from './sql/index.ts';

/** Every type of source that gives samples, under the name of its folder. */
export const SAMPLERS = { command, host, probe, scrape, sql } satisfies {
  readonly [K in SampledKind]: SamplerDriver<SampledTypeOf<K>>;
};

/** The samplers of a source, one per target; none of a remote server, of which nothing is kept. */
export function openSamplers(source: MetricSource, means: SamplerMeans): readonly Sampler[] {
  const { type } = source;
  if (type.kind === 'prometheus') return [];
  // The map above holds the driver of each kind under that kind, which is what makes this widening right.
  const driver: SamplerDriver = SAMPLERS[type.kind];
  return driver.open(source, type, means);
}

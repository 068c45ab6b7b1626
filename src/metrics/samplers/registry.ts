import type { MetricSource } from '../../core/model/metric-source.ts';
import type { Sampler, SamplerDriver, SamplerMeans, SourceKind, SourceTypeOf } from '../sampler.ts';
import { probe } from './probe/index.ts';
import { scrape } from './scrape/index.ts';

/** Every type of source that gives samples, under the name of its folder. */
export const SAMPLERS = { probe, scrape } satisfies { readonly [K in SourceKind]: SamplerDriver<SourceTypeOf<K>> };

/** The samplers of a source, one per target. */
export function openSamplers(source: MetricSource, means: SamplerMeans): readonly Sampler[] {
  // The map above holds the driver of each kind under that kind, which is what makes this widening right.
  const driver: SamplerDriver = SAMPLERS[source.type.kind];
  return driver.open(source, source.type, means);
}

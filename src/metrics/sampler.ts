import type { MetricSource, SampledType } from '../core/model/metric-source.ts';
import type { SecretRef } from '../core/model/secret-ref.ts';
import type { Millis } from '../core/units.ts';
import type { Systemctl } from '../drivers/systemctl.ts';
import type { Sample } from './batch.ts';
import type { Clock } from './clock.ts';

/** Samples one target of a source. */
export interface Sampler {
  /** What is sampled, unique within the source and fit to be shown: without credentials. */
  readonly target: string;
  /** After this the sampling is aborted, with a DeadlineExceeded as the reason. */
  readonly timeoutMs: Millis;
  /** Takes one sampling. It ends soon after the signal is aborted, and rejects only on a fault of the program. */
  sample(signal: AbortSignal): Promise<Outcome>;
  /** Lets go of what is kept between samplings, such as connections. */
  close(): void;
}

/**
 * What a sampling gave. A failed one has samples too (`up 0`), and why it failed; they are what is committed,
 * so that everything else the target had goes stale.
 */
export type Outcome =
  | { readonly kind: 'sampled'; readonly samples: readonly Sample[] }
  | { readonly kind: 'failed'; readonly samples: readonly Sample[]; readonly fault: SamplingFault };

/** `code` is one word, stable, for machines; `message` tells a person what was found and what was expected. */
export type SamplingFault = { readonly code: string; readonly message: string };

/** What samplers are given by the daemon. */
export type SamplerMeans = {
  readonly clock: Clock;
  /** The secret that a policy names. Asked for at every sampling, so that a changed one is taken up. */
  readonly secret: (ref: SecretRef) => Promise<string>;
  readonly systemctl: Systemctl;
};

export type SampledKind = SampledType['kind'];
export type SampledTypeOf<K extends SampledKind> = Extract<SampledType, { readonly kind: K }>;

/** A type of source. `open` checks nothing that can be checked only by sampling. */
export interface SamplerDriver<T extends SampledType = SampledType> {
  open(source: MetricSource, type: T, means: SamplerMeans): readonly Sampler[];
}

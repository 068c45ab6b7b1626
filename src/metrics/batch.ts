import type { Millis } from '../core/units.ts';
import type { Labels } from '../promql/series.ts';

export type Sample = {
  /** Made by `labelsOf`. A sampler that hands the same object for the same series every time saves the look-up. */
  readonly labels: Labels;
  readonly value: number;
  /** Only if the target stated one; otherwise the sample has the time of its batch. */
  readonly timestamp?: Millis | undefined;
};

/**
 * All that one sampling of one target gave. It is committed whole: a series that was in the target's previous batch and
 * is missing from this one has ended. A failed sampling is therefore a batch with little more than `up 0` in it.
 */
export type Batch = {
  readonly source: string;
  readonly target: string;
  readonly at: Millis;
  readonly samples: readonly Sample[];
};

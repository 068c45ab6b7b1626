import { vi } from 'vitest';
import type { compileQuery } from '../../../src/promql/evaluate.ts';
import { legacyExtrapolatedRate } from './legacy-rate.ts';

const RATE = '../../../src/promql/eval/rate.ts';

export type Evaluators = {
  /** As it is. */
  readonly ours: typeof compileQuery;
  /** With one formula replaced by that of Prometheus 2. */
  readonly legacy: typeof compileQuery;
};

/** Loads the evaluator twice, as the second one has another formula for rates. */
export async function loadEvaluators(): Promise<Evaluators> {
  const { compileQuery: ours } = await import('../../../src/promql/evaluate.ts');
  vi.resetModules();
  vi.doMock(RATE, async (original) => ({
    ...(await original<object>()),
    extrapolatedRate: legacyExtrapolatedRate,
  }));
  const { compileQuery: legacy } = await import('../../../src/promql/evaluate.ts');
  vi.doUnmock(RATE);
  vi.resetModules();
  return { ours, legacy };
}

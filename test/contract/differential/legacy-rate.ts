import type { Window } from '../../../src/promql/eval/node.ts';
import type { RateKind } from '../../../src/promql/eval/rate.ts';

/** Gaps of more than this many average intervals are not filled by extrapolation. */
const WIDE_GAP = 1.1;

/**
 * `rate`, `increase` and `delta` by the rule of Prometheus 2: a counter's zero shortens the gap at the window's start before the
 * gap is judged to be wide; since version 3 after that. So a counter that begins within the window, and near zero, is
 * extrapolated to its zero by the old rule, and by half an interval at most by the new one.
 */
export function legacyExtrapolatedRate(window: Window, { isCounter, perSecond }: RateKind): number {
  const { from, to, rangeEnd } = window;
  // Without what `leftClosed` adds, so that a gap just as wide as the limit is judged as Prometheus judges it.
  const rangeStart = Math.ceil(window.rangeStart);
  const samples = Array.from(window.values.subarray(from, to));
  const times = Array.from(window.times.subarray(from, to));
  const [first = Number.NaN] = samples;
  const [begin = Number.NaN] = times;
  const end = times.at(-1) ?? Number.NaN;
  const lost = samples.map((value, i) => (value < (samples[i - 1] ?? Number.NaN) ? (samples[i - 1] ?? 0) : 0));
  const change = (samples.at(-1) ?? Number.NaN) - first + (isCounter ? lost.reduce((sum, one) => sum + one, 0) : 0);
  const sampled = (end - begin) / 1000;
  const average = sampled / (samples.length - 1);
  const toZero = isCounter && change > 0 && first >= 0 ? sampled * (first / change) : Number.POSITIVE_INFINITY;
  const extended = [Math.min((begin - rangeStart) / 1000, toZero), (rangeEnd - end) / 1000].reduce(
    (sum, gap) => sum + (gap < average * WIDE_GAP ? gap : average / 2),
    sampled,
  );
  return change * (extended / sampled / (perSecond ? (rangeEnd - rangeStart) / 1000 : 1));
}

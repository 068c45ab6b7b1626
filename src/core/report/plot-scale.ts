/** From values to places on paper, with round numbers along the edge. */
export type Scale = { readonly low: number; readonly high: number; readonly ticks: readonly number[] };

/** A scale that covers all values, about `count` steps of 1, 2 or 5 times a power of ten. */
export function scaleOf(values: readonly number[], count: number): Scale {
  const least = values.reduce((one, other) => Math.min(one, other), Number.POSITIVE_INFINITY);
  const most = values.reduce((one, other) => Math.max(one, other), Number.NEGATIVE_INFINITY);
  if (!Number.isFinite(least) || Math.max(Math.abs(least), Math.abs(most)) < 1e-300)
    return { low: 0, high: 1, ticks: [0, 1] };
  // Of what only goes up from nothing, nothing is part of the picture.
  const from = least > 0 && least < most * 0.75 ? 0 : least;
  // What hardly differs is drawn as one level in the middle, and not as noise of the last digit.
  const size = Math.max(Math.abs(most), Math.abs(from));
  const pad = most - from <= size * 1e-9 ? size * 0.1 || 1 : 0;
  const step = niceStep((most + pad - (from - pad)) / count);
  const low = Math.floor((from - pad) / step) * step;
  const high = Math.ceil((most + pad) / step) * step;
  const steps = Math.round((high - low) / step);
  return { low, high, ticks: Array.from({ length: steps + 1 }, (_, index) => low + index * step) };
}

function niceStep(raw: number): number {
  const power = 10 ** Math.floor(Math.log10(raw));
  const share = raw / power;
  return (share <= 1 ? 1 : share <= 2 ? 2 : share <= 5 ? 5 : 10) * power;
}

/** Steps of clock time that people count in. */
const TIME_STEPS_MS = [
  1_000, 2_000, 5_000, 10_000, 15_000, 30_000, 60_000, 120_000, 300_000, 600_000, 900_000, 1_800_000, 3_600_000,
  7_200_000, 21_600_000, 43_200_000, 86_400_000, 604_800_000,
] as const;

/** Instants on whole steps between two, at most `count` of them. */
export function timeTicks(from: number, to: number, count: number): number[] {
  const step = TIME_STEPS_MS.find((one) => (to - from) / one <= count) ?? (to - from) / count;
  const first = Math.ceil(from / step) * step;
  const steps = Math.max(0, Math.floor((to - first) / step));
  return Array.from({ length: steps + 1 }, (_, index) => first + index * step).filter((at) => at <= to);
}

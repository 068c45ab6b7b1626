/** Milliseconds since the UNIX epoch, or a span of them; the name of the value says which. */
export type Millis = number;

const UNIT_MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;
const DURATION = /^(?:(?:\d+(?:\.\d+)?)(?:ms|s|m|h|d|w))+$/;
const DURATION_PART = /(\d+(?:\.\d+)?)(ms|s|m|h|d|w)/g;

/** The longest span that is accepted: ten years. Longer ones are typing mistakes. */
export const LONGEST_DURATION_MS: Millis = 10 * 365 * UNIT_MS.d;

/**
 * `250ms`, `30s`, `1h30m` in milliseconds; undefined if the text is not a duration of at most ten years.
 * Units are ms, s, m, h, d (24 h) and w (7 d), as in Prometheus.
 */
export function parseDuration(text: string): Millis | undefined {
  if (!DURATION.test(text)) return undefined;
  let total = 0;
  for (const [, amount, unit] of text.matchAll(DURATION_PART)) {
    total += Number(amount) * UNIT_MS[unit as keyof typeof UNIT_MS];
  }
  return total <= LONGEST_DURATION_MS ? Math.round(total) : undefined;
}

/** The shortest exact form with at most two units for people: `1h30m`, `45s`, `1.2s`, `0s`. */
export function formatDuration(spanMs: Millis): string {
  const sign = spanMs < 0 ? '-' : '';
  const span = Math.abs(spanMs);
  if (span < 1000) return span === 0 ? '0s' : `${sign}${Math.round(span)}ms`;
  if (span < 10_000 && span % 1000 !== 0) return `${sign}${(span / 1000).toFixed(1).replace(/\.0$/, '')}s`;
  let rest = Math.round(span / 1000) * 1000;
  const parts: string[] = [];
  for (const unit of ['d', 'h', 'm', 's'] as const) {
    const count = Math.floor(rest / UNIT_MS[unit]);
    if (count > 0 && parts.length < 2) parts.push(`${count}${unit}`);
    rest -= count * UNIT_MS[unit];
  }
  return sign + parts.join('');
}

/** ISO 8601 in UTC with milliseconds, as the log and `--json` show instants. */
export function formatInstant(at: Millis): string {
  return new Date(at).toISOString();
}

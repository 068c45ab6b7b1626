/** What Go's `time.Duration` holds, and with it Prometheus: about 292 years. */
export const MAX_DURATION_SECONDS = 2 ** 63 / 1e9;

const SECONDS_PER_UNIT = { y: 31_536_000, w: 604_800, d: 86_400, h: 3600, m: 60, s: 1, ms: 0.001 } as const;
const DURATION = /^(?:(\d+)y)?(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+)s)?(?:(\d+)ms)?$/;
const UNITS = ['y', 'w', 'd', 'h', 'm', 's', 'ms'] as const;

/** Seconds of a duration such as `1h30m`, or undefined if it is not one or does not fit 292 years. */
export function parseDurationSeconds(text: string): number | undefined {
  if (text === '0') return 0;
  const match = text === '' ? null : DURATION.exec(text);
  if (match === null) return undefined;
  const seconds = UNITS.reduce((sum, unit, i) => sum + Number(match[i + 1] ?? 0) * SECONDS_PER_UNIT[unit], 0);
  return seconds < MAX_DURATION_SECONDS ? seconds : undefined;
}

/**
 * A number in the notations of Go's `ParseInt(s, 0, 64)` and `ParseFloat`: decimal, `0x`, `0o`, `0b`, the old octal
 * `017`, underscores between digits of an integer, exponents, `Inf` and `NaN` in any case.
 */
export function parseNumber(text: string): number | undefined {
  const sign = text.startsWith('-') ? -1 : 1;
  const unsigned = /^[+-]/.test(text) ? text.slice(1) : text;
  const value = parseInteger(unsigned) ?? parseFloatLiteral(unsigned);
  return value === undefined ? undefined : sign * value;
}

function parseInteger(text: string): number | undefined {
  if (!/^(?:0[xX](?:_?[0-9a-fA-F])+|0[bB](?:_?[01])+|0[oO]?(?:_?[0-7])+|0|[1-9](?:_?\d)*)$/.test(text))
    return undefined;
  const digits = text.replaceAll('_', '').toLowerCase();
  const value = Number(/^0\d/.test(digits) ? `0o${digits.slice(1)}` : digits);
  return value < 2 ** 63 || (!/^0[xbo]/.test(digits) && Number.isFinite(value)) ? value : undefined;
}

function parseFloatLiteral(text: string): number | undefined {
  if (/^inf(?:inity)?$/i.test(text)) return Infinity;
  if (/^nan$/i.test(text)) return NaN;
  const value = /^(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(text) ? Number(text) : NaN;
  return Number.isFinite(value) ? value : undefined;
}

/** A number as Go's `FormatFloat(f, 'f', -1, 64)` writes it: shortest, never with an exponent. */
export function formatFloat(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  if (Object.is(value, -0)) return '-0';
  const text = String(value);
  const match = /^(-?)(\d)(?:\.(\d+))?e([+-]\d+)$/.exec(text);
  if (match === null) return text;
  const [, sign = '', first = '', rest = '', exponentText = ''] = match;
  const digits = first + rest;
  const point = 1 + Number(exponentText);
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`;
  return `${sign}${digits.padEnd(point, '0')}`;
}

/** A number as Go's `%g` writes it: with an exponent below 1e-4 and from 1e21 on. */
export function formatGeneral(value: number): string {
  if (!Number.isFinite(value) || value === 0) return formatFloat(value);
  const [mantissa = '', exponent = ''] = value.toExponential().split('e');
  const power = Number(exponent);
  if (power >= -4 && power < 21) return formatFloat(value);
  return `${mantissa}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`;
}

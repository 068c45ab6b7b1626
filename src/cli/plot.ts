import { formatInstant, type Millis } from '../core/units.ts';
import { paint, type Style, type Terminal } from './terminal.ts';

export type PlottedSeries = { readonly name: string; readonly points: readonly (readonly [Millis, number])[] };

const COLOURS: readonly Style[] = ['cyan', 'yellow', 'magenta', 'green', 'blue', 'red'];
const HEIGHT = 12;
/** A braille character has two columns and four rows of dots; these are their bits, from the top. */
const DOTS = [
  [0x01, 0x02, 0x04, 0x40],
  [0x08, 0x10, 0x20, 0x80],
] as const;
const BLANK = 0x2800;

/**
 * Series over time as a chart of braille dots, with the range of values on the left, the span of time below, and a
 * legend. `width` is in characters. Values that are not finite leave gaps.
 */
export function plot(series: readonly PlottedSeries[], width: number, terminal: Pick<Terminal, 'colour'>): string {
  const finite = series.flatMap(({ points }) => points.filter(([, value]) => Number.isFinite(value)));
  if (finite.length === 0) return 'no values to plot';
  const scale = scaleOf(finite);
  const labels = axisLabels(scale.low, scale.high);
  const margin = Math.max(...labels.map((label) => label.length));
  const columns = Math.max(10, width - margin - 3);
  const cells = draw(series, scale, columns);
  const rows = cells.map((row, index) => {
    const body = row.map(({ dots, owner }) => cell(dots, owner, terminal)).join('');
    return `${(labels[index] ?? '').padStart(margin)} ┤${body}`;
  });
  const end = formatInstant(scale.to).slice(11, 19);
  const axis = `${' '.repeat(margin)}  ${formatInstant(scale.from).slice(11, 19)}${end.padStart(columns - 8)}`;
  const legend = series
    .slice(0, COLOURS.length)
    .map(({ name }, index) => `  ${paint(terminal, COLOURS[index] ?? 'cyan', '━━')} ${name}`);
  const more = series.length > COLOURS.length ? [`  and ${series.length - COLOURS.length} more`] : [];
  return [...rows, axis, ...legend, ...more].join('\n');
}

type Scale = { readonly from: Millis; readonly to: Millis; readonly low: number; readonly high: number };
type Cell = { dots: number; owner: number };

function scaleOf(points: readonly (readonly [Millis, number])[]): Scale {
  const scale = {
    from: Number.POSITIVE_INFINITY,
    to: Number.NEGATIVE_INFINITY,
    low: Number.POSITIVE_INFINITY,
    high: Number.NEGATIVE_INFINITY,
  };
  for (const [at, value] of points) {
    scale.from = Math.min(scale.from, at);
    scale.to = Math.max(scale.to, at);
    scale.low = Math.min(scale.low, value);
    scale.high = Math.max(scale.high, value);
  }
  // A level line is drawn at half height.
  if (scale.low === scale.high) return { ...scale, low: scale.low - 1, high: scale.high + 1 };
  return scale;
}

function axisLabels(low: number, high: number): string[] {
  return Array.from({ length: HEIGHT }, (_, row) =>
    row % 3 === 0 || row === HEIGHT - 1 ? short(high - ((high - low) * row) / (HEIGHT - 1)) : '',
  );
}

function short(value: number): string {
  return Number(value.toPrecision(4)).toString();
}

function draw(series: readonly PlottedSeries[], scale: Scale, columns: number): Cell[][] {
  const cells = Array.from({ length: HEIGHT }, () => Array.from({ length: columns }, () => ({ dots: 0, owner: 0 })));
  for (const [owner, { points }] of series.entries()) {
    for (const [at, value] of points) {
      if (!Number.isFinite(value)) continue;
      const x = Math.round(((at - scale.from) / Math.max(1, scale.to - scale.from)) * (columns * 2 - 1));
      const y = Math.round(((scale.high - value) / (scale.high - scale.low)) * (HEIGHT * 4 - 1));
      const target = cells[Math.floor(y / 4)]?.[Math.floor(x / 2)];
      if (target === undefined) continue;
      target.dots |= DOTS[(x % 2) as 0 | 1][(y % 4) as 0 | 1 | 2 | 3];
      target.owner = owner;
    }
  }
  return cells;
}

function cell(dots: number, owner: number, terminal: Pick<Terminal, 'colour'>): string {
  if (dots === 0) return ' ';
  return paint(terminal, COLOURS[owner % COLOURS.length] ?? 'cyan', String.fromCodePoint(BLANK + dots));
}

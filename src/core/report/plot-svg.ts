import { formatThreshold, isBeyond, shortNumber, type Trigger } from '../model/trigger.ts';
import { escapeHtml } from '../templates/escape-html.ts';
import { formatInstant, type Millis } from '../units.ts';
import type { IncidentReport, ReadingPoint, TriggerReadings } from './incident-report.ts';
import { type Scale, scaleOf, timeTicks } from './plot-scale.ts';
import { readingStatistics } from './reading-statistics.ts';

const WIDTH = 760;
const HEIGHT = 232;
const LEFT = 64;
const RIGHT = 12;
const TOP = 38;
const BOTTOM = 28;
/** More points than places on paper: neighbours are drawn as one. */
const MOST_POINTS = 350;

type Frame = { readonly x: (at: Millis) => number; readonly y: (value: number) => number; readonly scale: Scale };

/**
 * A trigger's readings against its threshold, as an image that needs nothing else: it takes its colours from the page,
 * says what it shows in words, and tells breaches by form as well as by colour.
 */
export function plotSvg(
  { key, trigger, readings }: TriggerReadings,
  span: { readonly from: Millis; readonly to: Millis },
  marks: IncidentReport['marks'],
  id: string,
): string {
  const points = thin(readings.filter(({ mean }) => mean !== null && Number.isFinite(mean)));
  const levels = levelsOf(trigger.threshold);
  const frame = frameOf(points, levels, span);
  const inSpan = marks.filter(({ at }) => at >= span.from && at <= span.to);
  const description = `${readingStatistics(readings)}; threshold ${formatThreshold(trigger.threshold)}`;
  return [
    `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-labelledby="${id}-t ${id}-d">`,
    `<title id="${id}-t">${escapeHtml(key)}</title><desc id="${id}-d">${escapeHtml(description)}</desc>`,
    ...beyondAreas(trigger.threshold, frame),
    ...frame.scale.ticks.map((tick) => valueTick(tick, frame)),
    ...timeTicks(span.from, span.to, 8).map((at) => timeTick(at, span, frame)),
    ...levels.map((level) => line('threshold', LEFT, frame.y(level), WIDTH - RIGHT, frame.y(level))),
    ...inSpan.map((mark, index) => markLine(mark, index, frame)),
    band(points, frame),
    `<path class="line" d="${path(points, frame)}"/>`,
    ...breached(points, trigger.threshold, frame),
    '</svg>',
  ].join('\n');
}

function frameOf(
  points: readonly ReadingPoint[],
  levels: readonly number[],
  { from, to }: { readonly from: Millis; readonly to: Millis },
): Frame {
  const values = points.flatMap(({ low, high, mean }) => [low ?? mean ?? 0, high ?? mean ?? 0]);
  const scale = scaleOf([...values, ...levels], 4);
  const width = WIDTH - LEFT - RIGHT;
  const height = HEIGHT - TOP - BOTTOM;
  return {
    scale,
    x: (at) => round(LEFT + ((at - from) / Math.max(1, to - from)) * width),
    y: (value) => round(TOP + (1 - (value - scale.low) / (scale.high - scale.low)) * height),
  };
}

function levelsOf(threshold: Trigger['threshold']): number[] {
  switch (threshold.kind) {
    case 'above':
    case 'below':
      return [threshold.value];
    case 'outside':
      return [threshold.low, threshold.high];
    case 'baseline':
      return [];
  }
}

/** Where a reading is beyond the threshold. */
function beyondAreas(threshold: Trigger['threshold'], { y, scale }: Frame): string[] {
  const area = (low: number, high: number): string =>
    `<rect class="beyond" x="${LEFT}" y="${y(high)}" width="${WIDTH - LEFT - RIGHT}" height="${round(Math.max(0, y(low) - y(high)))}"/>`;
  switch (threshold.kind) {
    case 'above':
      return [area(threshold.value, scale.high)];
    case 'below':
      return [area(scale.low, threshold.value)];
    case 'outside':
      return [area(scale.low, threshold.low), area(threshold.high, scale.high)];
    case 'baseline':
      return [];
  }
}

function valueTick(value: number, { y }: Frame): string {
  return `${line('grid', LEFT, y(value), WIDTH - RIGHT, y(value))}<text class="tick" x="${LEFT - 8}" y="${y(value) + 4}" text-anchor="end">${shortNumber(value)}</text>`;
}

function timeTick(at: Millis, { from, to }: { readonly from: Millis; readonly to: Millis }, { x }: Frame): string {
  const text = formatInstant(at);
  const shown =
    to - from > 86_400_000 ? text.slice(5, 16).replace('T', ' ') : text.slice(11, at % 60_000 === 0 ? 16 : 19);
  return `<text class="tick" x="${x(at)}" y="${HEIGHT - 8}" text-anchor="middle">${shown}</text>`;
}

/** Labels stand in two rows, so that neighbours do not cover each other. */
function markLine({ at, label }: IncidentReport['marks'][number], index: number, { x }: Frame): string {
  const isLate = x(at) > WIDTH - 90;
  const place = isLate ? `x="${x(at) - 4}" text-anchor="end"` : `x="${x(at) + 4}"`;
  return `${line('mark', x(at), TOP - 32 + (index % 2) * 14, x(at), HEIGHT - BOTTOM)}<text class="label" ${place} y="${TOP - 24 + (index % 2) * 14}">${escapeHtml(label)}</text>`;
}

/** Between the lowest and the highest of what was joined to one point. */
function band(points: readonly ReadingPoint[], { x, y }: Frame): string {
  if (!points.some(({ low, high }) => low !== high)) return '';
  const upper = points.map(({ at, high, mean }) => `${x(at)},${y(high ?? mean ?? 0)}`);
  const lower = points.map(({ at, low, mean }) => `${x(at)},${y(low ?? mean ?? 0)}`).reverse();
  return `<polygon class="band" points="${[...upper, ...lower].join(' ')}"/>`;
}

/** A line that is broken where nothing was read for long. */
function path(points: readonly ReadingPoint[], { x, y }: Frame): string {
  const gap = usualGap(points) * 5;
  return points
    .map(({ at, mean }, index) => {
      const before = points[index - 1];
      const move = before === undefined || at - before.at > gap;
      return `${move ? 'M' : 'L'}${x(at)} ${y(mean ?? 0)}`;
    })
    .join('');
}

function usualGap(points: readonly ReadingPoint[]): Millis {
  const gaps = points.slice(1).map(({ at }, index) => at - (points[index]?.at ?? at));
  return gaps.sort((a, b) => a - b)[Math.floor(gaps.length / 2)] ?? 0;
}

function breached(points: readonly ReadingPoint[], threshold: Trigger['threshold'], { x, y }: Frame): string[] {
  if (threshold.kind === 'baseline') return [];
  return points
    .filter(({ low, high, mean }) => [low, high, mean].some((value) => value !== null && isBeyond(threshold, value)))
    .map(({ at, mean }) => `<circle class="breach" cx="${x(at)}" cy="${y(mean ?? 0)}" r="2.5"/>`);
}

function thin(points: readonly ReadingPoint[]): ReadingPoint[] {
  if (points.length <= MOST_POINTS) return [...points];
  return Array.from({ length: MOST_POINTS }, (_, index) => {
    const share = points.slice(
      Math.floor((index * points.length) / MOST_POINTS),
      Math.floor(((index + 1) * points.length) / MOST_POINTS),
    );
    const means = share.map(({ mean }) => mean ?? 0);
    return {
      at: share[0]?.at ?? 0,
      mean: means.reduce((sum, mean) => sum + mean, 0) / Math.max(1, means.length),
      low: share.reduce((one, { low, mean }) => Math.min(one, low ?? mean ?? one), Number.POSITIVE_INFINITY),
      high: share.reduce((one, { high, mean }) => Math.max(one, high ?? mean ?? one), Number.NEGATIVE_INFINITY),
    };
  });
}

function line(name: string, x1: number, y1: number, x2: number, y2: number): string {
  return `<line class="${name}" x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}"/>`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

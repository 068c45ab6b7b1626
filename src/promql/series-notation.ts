import { METRIC_NAME } from './labels.ts';
import { parseNumber } from './literals.ts';
import { PromqlError, unsupported } from './promql-error.ts';
import type { Labels } from './series.ts';
import { isLabelName, unquote } from './string-literals.ts';

/** One step of a sequence: a sample, a staleness marker, or nothing at all. */
export type SequencePoint =
  | { readonly kind: 'value'; readonly value: number }
  | { readonly kind: 'stale' }
  | { readonly kind: 'omitted' };

export type SeriesLine = { readonly labels: Labels; readonly points: readonly SequencePoint[] };

/** More points than a test can need; a typing mistake such as `x100000000` ends in an error instead of in swap. */
export const MAX_POINTS = 1_000_000;

/**
 * A series as Prometheus' rule tests write it: `http_requests_total{code="500"} 0+10x20 _ 5 stale`. The values stand one
 * interval apart: `a+bxn` and `a-bxn` are n+1 values, `axn` the same value n+1 times, `_xn` n gaps.
 * Throws a `PromqlError` with positions in `text`; native histograms (`{{…}}`) are `unsupported`.
 */
export function parseSeriesLine(text: string): SeriesLine {
  const { labels, end } = readMetric(text, 0);
  return { labels, points: parseSequence(text.slice(end), end) };
}

/** A label set such as `up{job="node"}`, `{job="node"}` or `{"utf8.name"}`, with nothing after it. */
export function parseMetric(text: string): Labels {
  const { labels, end } = readMetric(text, 0);
  if (text.slice(end).trim() !== '') throw fault(`unexpected ${text.slice(end).trim()}`, end, text.length);
  return labels;
}

/** Reads a label set at the beginning of a text; `end` is where the rest begins. */
export function readMetric(text: string, from: number): { readonly labels: Labels; readonly end: number } {
  const name = /^\s*([A-Za-z_:][\w:]*)?\s*/.exec(text.slice(from));
  const labels: LabelMap = new Map();
  if (name?.[1] !== undefined) labels.set(METRIC_NAME, name[1]);
  const at = from + (name?.[0].length ?? 0);
  if (text[at] !== '{' || text[at + 1] === '{') {
    if (name?.[1] === undefined) throw fault('expected a metric name or {', at, at + 1);
    return { labels: Object.fromEntries(labels), end: from + name[0].trimEnd().length };
  }
  const end = readLabels(text, at + 1, labels);
  return { labels: Object.fromEntries(labels), end };
}

/** A map, because an object would take a label named `__proto__` for its prototype. */
type LabelMap = Map<string, string>;

const LABEL_NAME = /\s*(?:([A-Za-z_]\w*)|("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'))\s*/y;
const LABEL_VALUE = /=\s*("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`)\s*/y;
const SEPARATOR = /\s*(,)?\s*(\})?/y;

/** Reads `a="b", c="d"}` into `labels`; returns the position after the brace. */
function readLabels(text: string, from: number, labels: LabelMap): number {
  let at = from;
  const closing = match(/\s*\}/y, text, at);
  if (closing !== null) return at + closing[0].length;
  for (;;) {
    const name = match(LABEL_NAME, text, at);
    if (name === null) throw fault('expected a label name', at, at + 1);
    at += name[0].length;
    const value = match(LABEL_VALUE, text, at);
    setLabel(labels, name, value, at);
    at += value?.[0].length ?? 0;
    const separator = match(SEPARATOR, text, at);
    at += separator?.[0].length ?? 0;
    if (separator?.[2] !== undefined) return at;
    if (separator?.[1] === undefined) throw fault('expected , or }', at, at + 1);
  }
}

function setLabel(labels: LabelMap, name: RegExpExecArray, value: RegExpExecArray | null, at: number): void {
  const key = name[1] ?? unquote(name[2] ?? '');
  if (key === undefined || !isLabelName(key)) throw fault('malformed label name', at - name[0].length, at);
  if (value === null) {
    // A quoted name on its own is the metric's.
    if (name[2] === undefined) throw fault('expected = and a quoted value', at, at + 1);
    if (labels.has(METRIC_NAME)) throw fault('the metric name is set twice', at - name[0].length, at);
    labels.set(METRIC_NAME, key);
    return;
  }
  const text = unquote(value[1] ?? '');
  if (text === undefined) throw fault('malformed label value', at, at + value[0].length);
  labels.set(key, text);
}

function match(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

/** The values of a series, separated by spaces; `offset` is added to the positions of errors. */
export function parseSequence(text: string, offset = 0): SequencePoint[] {
  const points: SequencePoint[] = [];
  for (const token of text.matchAll(/\S+/g)) {
    const start = offset + token.index;
    appendItem(points, token[0], { start, end: start + token[0].length });
    if (points.length > MAX_POINTS) throw fault(`more than ${MAX_POINTS} values`, start, start + token[0].length);
  }
  return points;
}

const NUMBER = String.raw`(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|[iI][nN][fF]|[nN][aA][nN]`;
const ITEM = new RegExp(`^([+-]?(?:${NUMBER}))(?:([+-](?:${NUMBER})))?(?:x(\\d+))?$`);

function appendItem(points: SequencePoint[], item: string, span: { start: number; end: number }): void {
  if (item.startsWith('{{')) throw unsupported('a native histogram in a series', span);
  const gap = /^_(?:x(\d+))?$/.exec(item);
  if (gap !== null) {
    repeat(points, Number(gap[1] ?? 1), span, () => ({ kind: 'omitted' }));
  } else if (item === 'stale') {
    points.push({ kind: 'stale' });
  } else {
    appendNumbers(points, item, span);
  }
}

function appendNumbers(points: SequencePoint[], item: string, span: { start: number; end: number }): void {
  const found = ITEM.exec(item);
  const first = found === null ? undefined : parseNumber(found[1] ?? '');
  const step = found?.[2] === undefined ? 0 : parseNumber(found[2]);
  if (
    found === null ||
    first === undefined ||
    step === undefined ||
    (found[2] !== undefined && found[3] === undefined)
  ) {
    throw fault(`unexpected ${item}, expected a number, a+bxn, axn, _, _xn or stale`, span.start, span.end);
  }
  let value = first;
  repeat(points, found[3] === undefined ? 1 : Number(found[3]) + 1, span, () => {
    const point: SequencePoint = { kind: 'value', value };
    value += step;
    return point;
  });
}

function repeat(
  points: SequencePoint[],
  count: number,
  span: { start: number; end: number },
  next: () => SequencePoint,
): void {
  if (points.length + count > MAX_POINTS) throw fault(`more than ${MAX_POINTS} values`, span.start, span.end);
  for (let i = 0; i < count; i += 1) points.push(next());
}

function fault(message: string, start: number, end: number): PromqlError {
  return new PromqlError('syntax', message, { start, end });
}

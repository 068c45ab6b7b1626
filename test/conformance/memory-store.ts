import { labelsKey, labelValue, METRIC_NAME } from '../../src/promql/labels.ts';
import { labelsPredicate } from '../../src/promql/matcher.ts';
import { PromqlError } from '../../src/promql/promql-error.ts';
import type { Labels, Matcher, Queryable, Series } from '../../src/promql/series.ts';
import { parseSeriesLine, readMetric, type SequencePoint } from '../../src/promql/series-notation.ts';
import { writeStale } from '../../src/promql/staleness.ts';

/** Series of `load` blocks. Series that the evaluator cannot know are remembered, to tell which queries touch them. */
export type MemoryStore = Queryable & {
  /** Returns the lines that could not be read, with reasons. */
  load(lines: readonly string[], stepMs: number, nhcb: boolean): { readonly line: string; readonly reason: string }[];
  clear(): void;
  /** Why a query since the last call touched something out of scope, or undefined if none did. */
  takeTouched(): string | undefined;
};

type Stored = { readonly labels: Labels; times: Float64Array; values: Float64Array; readonly first: 0; end: number };

export function createMemoryStore(): MemoryStore {
  const series = new Map<string, Stored>();
  const foreign = new Map<string, { readonly labels: Labels; readonly reason: string }>();
  let generation = 0;
  let touched: string | undefined;
  return {
    get generation() {
      return generation;
    },
    load(lines, stepMs, nhcb) {
      generation += 1;
      return lines.flatMap((line) => {
        const reason = faultIn(() => loadLine(series, foreign, line, stepMs, nhcb));
        return reason === undefined ? [] : [{ line, reason }];
      });
    },
    clear() {
      generation += 1;
      series.clear();
      foreign.clear();
    },
    resolve(matchers: readonly Matcher[]): readonly Series[] {
      const matches = labelsPredicate(matchers);
      for (const { labels, reason } of foreign.values()) if (matches(labels)) touched = reason;
      return [...series.values()].filter(({ labels }) => matches(labels));
    },
    takeTouched() {
      const reason = touched;
      touched = undefined;
      return reason;
    },
  };
}

type Foreign = Map<string, { readonly labels: Labels; readonly reason: string }>;

function loadLine(series: Map<string, Stored>, foreign: Foreign, line: string, stepMs: number, nhcb: boolean): void {
  if (/^\S*@st\s/.test(line)) {
    const labels = readMetric(line, 0).labels;
    foreign.set(`${labelsKey(labels)}@st`, { labels, reason: 'reads start timestamps' });
    return;
  }
  const { labels } = readMetric(line, 0);
  if (nhcb) markConverted(foreign, labels);
  const points = pointsOf(line);
  if (points === undefined) foreign.set(labelsKey(labels), { labels, reason: 'reads native histograms' });
  else append(series, labels, points, stepMs);
}

function faultIn(action: () => void): string | undefined {
  try {
    action();
    return undefined;
  } catch (error) {
    if (error instanceof PromqlError) return error.message;
    throw error;
  }
}

/** The points of a line, or undefined if it has native histograms. */
function pointsOf(line: string): readonly SequencePoint[] | undefined {
  try {
    return parseSeriesLine(line).points;
  } catch (error) {
    if (error instanceof PromqlError && error.code === 'unsupported') return undefined;
    throw error;
  }
}

/** `load_with_nhcb` also makes a native histogram of each classic one, under the name without its suffix. */
function markConverted(foreign: Foreign, labels: Labels): void {
  const name = labelValue(labels, METRIC_NAME);
  const base = name.replace(/_(?:bucket|count|sum)$/, '');
  if (base === name) return;
  const { le: _, ...rest } = labels;
  const converted = { ...rest, [METRIC_NAME]: base };
  foreign.set(labelsKey(converted), { labels: converted, reason: 'reads native histograms' });
}

function append(series: Map<string, Stored>, labels: Labels, points: readonly SequencePoint[], stepMs: number): void {
  const key = labelsKey(labels);
  const known = series.get(key);
  const added = points.flatMap((point, i) => (point.kind === 'omitted' ? [] : [{ at: i * stepMs, point }]));
  const start = known?.end ?? 0;
  const times = new Float64Array(start + added.length);
  const values = new Float64Array(start + added.length);
  times.set(known?.times ?? []);
  values.set(known?.values ?? []);
  for (const [i, { at, point }] of added.entries()) {
    times[start + i] = at;
    if (point.kind === 'value') values[start + i] = point.value;
    else writeStale(values, start + i);
  }
  series.set(key, { labels, times, values, first: 0, end: start + added.length });
}

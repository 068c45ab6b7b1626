import { RE2JS } from 're2js';
import type { AnnotationTexts } from '../../src/promql/eval/annotations.ts';
import type { InstantResult, MatrixSeries, VectorElement } from '../../src/promql/evaluate.ts';
import { formatLabels, labelsKey } from '../../src/promql/labels.ts';
import type { SeriesLine } from '../../src/promql/series-notation.ts';
import type { Case, Expectation, Times } from './test-file.ts';

/** Prometheus' test suite compares values within this relative difference. */
const EPSILON = 1e-6;
const MIN_NORMAL = 2.2250738585072014e-308;

/** All comparisons return what is wrong, or undefined. */
type Fault = string | undefined;

export function isAlmostEqual(a: number, b: number): boolean {
  if (a === b || (Number.isNaN(a) && Number.isNaN(b))) return true;
  const sum = Math.abs(a) + Math.abs(b);
  const difference = Math.abs(a - b);
  if (a === 0 || b === 0 || sum < MIN_NORMAL) return difference < EPSILON * MIN_NORMAL;
  return difference / Math.min(sum, Number.MAX_VALUE) < EPSILON;
}

export function compareInstant(expected: Case, result: InstantResult): Fault {
  switch (result.type) {
    case 'scalar':
      if (expected.scalar === undefined) return `got the scalar ${result.value}`;
      return isAlmostEqual(expected.scalar, result.value)
        ? undefined
        : `expected ${expected.scalar}, got ${result.value}`;
    case 'string':
      return expected.text === result.value ? undefined : `expected the string ${expected.text}, got ${result.value}`;
    case 'vector':
      return compareVector(expected, result.elements);
    case 'matrix': {
      const times = expected.rangeVector;
      return times === undefined ? 'got a range vector' : compareMatrix(expected.series, result.series, times);
    }
    default:
      return result satisfies never;
  }
}

export function compareVector(expected: Case, elements: readonly VectorElement[], ignoreOrder = false): Fault {
  if (expected.scalar !== undefined) return 'expected a scalar, got a vector';
  const wanted = new Map(expected.series.map((line, position) => [labelsKey(line.labels), { line, position }]));
  for (const [position, { labels, value }] of elements.entries()) {
    const found = wanted.get(labelsKey(labels));
    if (found === undefined) return `unexpected ${formatLabels(labels)} ${value}`;
    const [point] = found.line.points;
    const number = point?.kind === 'value' ? point.value : undefined;
    if (number === undefined || !isAlmostEqual(number, value)) {
      return `expected ${number} for ${formatLabels(labels)}, got ${value}`;
    }
    if (!ignoreOrder && expected.expectations.ordered !== undefined && found.position !== position) {
      return `expected ${formatLabels(labels)} at position ${found.position + 1}, got it at ${position + 1}`;
    }
    wanted.delete(labelsKey(labels));
  }
  return missing([...wanted.values()].map(({ line }) => line));
}

export function compareMatrix(expected: readonly SeriesLine[], series: readonly MatrixSeries[], times: Times): Fault {
  const wanted = new Map(expected.map((line) => [labelsKey(line.labels), line]));
  for (const one of series) {
    const line = wanted.get(labelsKey(one.labels));
    if (line === undefined) return `unexpected ${formatLabels(one.labels)} ${one.values.join(' ')}`;
    const fault = compareSamples(line, one, times);
    if (fault !== undefined) return fault;
    wanted.delete(labelsKey(one.labels));
  }
  return missing([...wanted.values()]);
}

function compareSamples(line: SeriesLine, { labels, times, values }: MatrixSeries, { from, stepMs }: Times): Fault {
  const wanted = line.points.flatMap((point, i) =>
    point.kind === 'omitted' ? [] : [{ at: from + i * stepMs, value: point.kind === 'value' ? point.value : NaN }],
  );
  const fits =
    wanted.length === values.length &&
    wanted.every(({ at, value }, i) => times[i] === at && isAlmostEqual(value, values[i] ?? NaN));
  if (fits) return undefined;
  const show = (pairs: readonly (readonly [number, number])[]): string =>
    pairs.map(([at, v]) => `${v}@${at}`).join(' ');
  const expectedText = show(wanted.map(({ at, value }) => [at, value]));
  return `for ${formatLabels(labels)} expected ${expectedText}, got ${show(values.map((v, i) => [times[i] ?? NaN, v]))}`;
}

function missing(lines: readonly SeriesLine[]): Fault {
  return lines.length === 0 ? undefined : `missing ${lines.map((line) => formatLabels(line.labels)).join(', ')}`;
}

export function compareAnnotations({ expectations }: Case, { warnings, infos }: AnnotationTexts): Fault {
  if (expectations.no_warn !== undefined && warnings.length > 0) return `unexpected warnings: ${warnings.join('; ')}`;
  if (expectations.no_info !== undefined && infos.length > 0) return `unexpected infos: ${infos.join('; ')}`;
  return compareTexts('warning', expectations.warn, warnings) ?? compareTexts('info', expectations.info, infos);
}

function compareTexts(kind: string, expected: readonly Expectation[] | undefined, found: readonly string[]): Fault {
  if (expected === undefined) return undefined;
  const unmet = expected.find((one) => !found.some((text) => meets(one, text)));
  if (unmet !== undefined)
    return `expected the ${kind} ${unmet.message ?? unmet.pattern ?? ''}, got ${JSON.stringify(found)}`;
  const extra = found.find((text) => !expected.some((one) => meets(one, text)));
  return extra === undefined ? undefined : `unexpected ${kind} ${extra}`;
}

/** Whether a text is the message, or contains a match of the pattern. */
export function meets({ message, pattern }: Expectation, text: string): boolean {
  if (message !== undefined) return message === text;
  return pattern === undefined || RE2JS.compile(pattern).matcher(text).find();
}

import { type InstantResult, type MatrixSeries, type RangeResult } from '../../../src/promql/evaluate.ts';
import { formatLabels, labelsKey } from '../../../src/promql/labels.ts';
import { PromqlError } from '../../../src/promql/promql-error.ts';
import type { Labels } from '../../../src/promql/series.ts';
import type { Answer } from './api-answer.ts';

/** Equal up to the order of additions; differences of nearly equal numbers have no more digits to offer. */
const RELATIVE = 1e-9;
const ABSOLUTE = 1e-9;

export type Tolerance = { readonly relative: number; readonly absolute: number };
export const EXACT: Tolerance = { relative: RELATIVE, absolute: ABSOLUTE };

/** Runs an evaluation; a fault of the query's data is an answer too. */
export function answerOf(evaluate: () => InstantResult | RangeResult): Answer {
  try {
    return toAnswer(evaluate());
  } catch (error) {
    // By its name, as the evaluator that is loaded a second time has a class of its own.
    if (error instanceof Error && error.name === PromqlError.name) return { kind: 'failed', message: error.message };
    throw error;
  }
}

function toAnswer(result: InstantResult | RangeResult): Answer {
  switch (result.type) {
    case 'scalar':
      return { kind: 'scalar', value: result.value };
    case 'vector':
      return { kind: 'vector', elements: result.elements };
    case 'matrix':
      return { kind: 'matrix', series: result.series };
    case 'string':
      return { kind: 'failed', message: 'a string' };
    default:
      return result satisfies never;
  }
}

/** What differs between two answers, or undefined. The text of a fault and, unless asked for, the order do not matter. */
export function difference(theirs: Answer, ours: Answer, tolerance: Tolerance, ordered = false): string | undefined {
  if (theirs.kind === 'failed' && ours.kind === 'failed') return undefined;
  if (theirs.kind === 'scalar' && ours.kind === 'scalar') return values('', theirs.value, ours.value, tolerance);
  if (theirs.kind === 'vector' && ours.kind === 'vector') {
    return vectors(theirs.elements, ours.elements, tolerance) ?? (ordered ? order(theirs, ours, tolerance) : undefined);
  }
  if (theirs.kind === 'matrix' && ours.kind === 'matrix') return matrices(theirs.series, ours.series, tolerance);
  return `theirs ${describe(theirs)}, ours ${describe(ours)}`;
}

type Element = { readonly labels: Labels; readonly value: number };

function vectors(theirs: readonly Element[], ours: readonly Element[], tolerance: Tolerance): string | undefined {
  const left = new Map(ours.map((element) => [labelsKey(element.labels), element]));
  for (const { labels, value } of theirs) {
    const mine = left.get(labelsKey(labels));
    if (mine === undefined) return `ours lacks ${formatLabels(labels)} ${value}`;
    left.delete(labelsKey(labels));
    const fault = values(formatLabels(labels), value, mine.value, tolerance);
    if (fault !== undefined) return fault;
  }
  const [extra] = left.values();
  return extra === undefined ? undefined : `theirs lacks ${formatLabels(extra.labels)} ${extra.value}`;
}

function order(
  theirs: { elements: readonly Element[] },
  ours: { elements: readonly Element[] },
  tolerance: Tolerance,
): string | undefined {
  const place = theirs.elements.findIndex(({ value }, i) => !close(value, ours.elements[i]?.value ?? NaN, tolerance));
  return place === -1 ? undefined : `the order differs at ${place}`;
}

function matrices(
  theirs: readonly MatrixSeries[],
  ours: readonly MatrixSeries[],
  tolerance: Tolerance,
): string | undefined {
  const flat = (series: readonly MatrixSeries[]): Element[] =>
    series.flatMap(({ labels, times, values }) =>
      times.map((at, i) => ({ labels: { ...labels, '@': String(at) }, value: values[i] ?? NaN })),
    );
  return vectors(flat(theirs), flat(ours), tolerance);
}

function values(what: string, theirs: number, ours: number, tolerance: Tolerance): string | undefined {
  return close(theirs, ours, tolerance) ? undefined : `${what} theirs ${theirs}, ours ${ours}`;
}

function close(a: number, b: number, { relative, absolute }: Tolerance): boolean {
  if (Object.is(a, b) || a === b) return true;
  if (Number.isNaN(a) || Number.isNaN(b)) return false;
  return Math.abs(a - b) <= Math.max(absolute, relative * Math.max(Math.abs(a), Math.abs(b)));
}

function describe(answer: Answer): string {
  return answer.kind === 'failed' ? `failed: ${answer.message}` : JSON.stringify(answer).slice(0, 200);
}

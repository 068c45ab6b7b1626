import type { SampleStore } from '../../../src/metrics/store/sample-store.ts';
import type { Expr } from '../../../src/promql/ast.ts';
import { dropLabels, METRIC_NAME } from '../../../src/promql/labels.ts';
import type { Labels } from '../../../src/promql/series.ts';
import type { Answer } from './api-answer.ts';
import type { Case } from './cases.ts';
import { answerOf, difference, EXACT, type Tolerance } from './compare.ts';
import type { Evaluators } from './evaluators.ts';
import { EDGE_MS, leftClosed } from './left-closed.ts';

/** How a query compares at one instant or over one range. */
export type Comparison =
  | { readonly kind: 'same' }
  | { readonly kind: 'explained'; readonly why: Explanation }
  | { readonly kind: 'unexplained'; readonly one: Case; readonly what: string };

export type Explanation = keyof typeof EXPLANATIONS;

export type Means = {
  readonly store: SampleStore;
  readonly evaluators: Evaluators;
  readonly settings: { readonly lookbackMs: number; readonly defaultStepMs: number };
};

/** With edges moved by half a microsecond rates differ in the last digits. */
const MOVED_EDGE: Tolerance = { relative: 1e-6, absolute: 1e-6 };

/**
 * What changed between Prometheus 2.42 and 3, each as a way to get from our answer to the old one. A difference is explained
 * only if what is evaluated by the old rules equals Prometheus' answer.
 */
const EXPLANATIONS = {
  'ranges and the lookback were closed on the left': (one, theirs, means) =>
    matches(one, theirs, evaluate(one, leftClosed(one.expr), means, 'ours', EDGE_MS), MOVED_EDGE),
  'a zero shortened the gap before it was judged': (one, theirs, means) =>
    matches(one, theirs, evaluate(one, leftClosed(one.expr), means, 'legacy', EDGE_MS), MOVED_EDGE),
  'atan2 kept the name of the metric': (one, theirs, means) =>
    one.query.includes(' atan2 ') &&
    matches(one, withoutNames(theirs), evaluate(one, leftClosed(one.expr), means, 'ours', EDGE_MS), MOVED_EDGE),
  'many-to-one was no error if the comparison left at most one': (one, theirs, means) => {
    const mine = evaluate(one, one.expr, means, 'ours', 0);
    const refused = mine.kind === 'failed' && mine.message.includes('many-to-one matching must be explicit');
    return refused && theirs.kind !== 'failed' && / (==|!=|>|<|>=|<=) (?!bool)/.test(one.query);
  },
  'of equal values any may be the top ones': (one, theirs, means) =>
    /^(topk|bottomk)/.test(one.query) &&
    ['ours' as const, 'legacy' as const].some((rules) =>
      matches(one, bare(theirs), bare(evaluate(one, leftClosed(one.expr), means, rules, EDGE_MS)), MOVED_EDGE),
    ),
} satisfies Record<string, (one: Case, theirs: Answer, means: Means) => boolean>;

export function compareCase(one: Case, theirs: Answer, means: Means): Comparison {
  const what = difference(theirs, evaluate(one, one.expr, means, 'ours', 0), EXACT, isOrdered(one));
  if (what === undefined) return { kind: 'same' };
  for (const why of Object.keys(EXPLANATIONS) as Explanation[]) {
    if (EXPLANATIONS[why](one, theirs, means)) return { kind: 'explained', why };
  }
  return { kind: 'unexplained', one, what };
}

function matches(one: Case, theirs: Answer, mine: Answer, tolerance: Tolerance): boolean {
  return difference(theirs, mine, tolerance, isOrdered(one)) === undefined;
}

function isOrdered(one: Case): boolean {
  return one.kind === 'instant' && one.query.startsWith('sort');
}

function evaluate(one: Case, expr: Expr, means: Means, rules: keyof Evaluators, edgeMs: number): Answer {
  const { store, evaluators, settings } = means;
  // Prometheus 2.42 has one function under another name, and not behind a flag.
  const compiled = evaluators[rules](expr, {
    ...settings,
    lookbackMs: settings.lookbackMs + edgeMs,
    experimental: true,
  });
  return answerOf(() =>
    one.kind === 'instant' ? compiled.instant(store, one.at) : compiled.range(store, one.from, one.to, one.stepMs),
  );
}

function withoutNames(answer: Answer): Answer {
  if (answer.kind === 'vector') {
    return { ...answer, elements: answer.elements.map((one) => ({ ...one, labels: unnamed(one.labels) })) };
  }
  if (answer.kind === 'matrix') {
    return { ...answer, series: answer.series.map((one) => ({ ...one, labels: unnamed(one.labels) })) };
  }
  return answer;
}

function unnamed(labels: Labels): Labels {
  return dropLabels(labels, [METRIC_NAME]);
}

/** Only the values at each time, in order, whatever they belong to. */
function bare(answer: Answer): Answer {
  const points =
    answer.kind === 'matrix'
      ? answer.series.flatMap(({ times, values }) => times.map((at, i) => ({ at, value: values[i] ?? Number.NaN })))
      : answer.kind === 'vector'
        ? answer.elements.map(({ value }) => ({ at: 0, value }))
        : [];
  points.sort((a, b) => a.at - b.at || a.value - b.value);
  const elements = points.map(({ at, value }, i) => ({ labels: { place: String(i), at: String(at) }, value }));
  return { kind: 'vector', elements };
}

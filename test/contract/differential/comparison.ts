import type { SampleStore } from '../../../src/metrics/store/sample-store.ts';
import type { Expr } from '../../../src/promql/ast.ts';
import { compileQuery } from '../../../src/promql/evaluate.ts';
import type { Answer } from './api-answer.ts';
import type { Case } from './cases.ts';
import { answerOf, difference, EXACT, type Tolerance } from './compare.ts';
import { EDGE_MS, leftClosed } from './left-closed.ts';

/** How a query compares at one instant or over one range; `why` says what explains a difference. */
export type Comparison =
  | { readonly kind: 'same' }
  | { readonly kind: 'explained'; readonly why: string }
  | { readonly kind: 'unexplained'; readonly one: Case; readonly what: string };

export type Settings = { readonly lookbackMs: number; readonly defaultStepMs: number };

/** With edges moved by half a microsecond rates differ in the last digits. */
const MOVED_EDGE: Tolerance = { relative: 1e-6, absolute: 1e-6 };

export function compareCase(one: Case, theirs: Answer, store: SampleStore, settings: Settings): Comparison {
  const ordered = one.kind === 'instant' && /^sort/.test(one.query);
  const strict = difference(theirs, evaluate(one, one.expr, store, settings), EXACT, ordered);
  if (strict === undefined) return { kind: 'same' };
  const closed = { ...settings, lookbackMs: settings.lookbackMs + EDGE_MS };
  const moved = difference(theirs, evaluate(one, leftClosed(one.expr), store, closed), MOVED_EDGE, ordered);
  if (moved === undefined) return { kind: 'explained', why: 'a sample lies on the left edge' };
  return { kind: 'unexplained', one, what: strict };
}

function evaluate(one: Case, expr: Expr, store: SampleStore, settings: Settings): Answer {
  // Prometheus 2.42 has one function under another name, and not behind a flag.
  const compiled = compileQuery(expr, { ...settings, experimental: true });
  return answerOf(() =>
    one.kind === 'instant' ? compiled.instant(store, one.at) : compiled.range(store, one.from, one.to, one.stepMs),
  );
}

import type { Expr } from '../../src/promql/ast.ts';
import { type CompiledQuery, compileQuery, type EvaluateOptions } from '../../src/promql/evaluate.ts';
import { parseQuery } from '../../src/promql/parse.ts';
import { PromqlError } from '../../src/promql/promql-error.ts';
import { pinnedVariants } from './at-variants.ts';
import { compareAnnotations, compareInstant, compareMatrix, compareVector, meets } from './compare.ts';
import type { MemoryStore } from './memory-store.ts';
import type { Case } from './test-file.ts';

export type Outcome =
  | { readonly kind: 'passed' }
  | { readonly kind: 'failed'; readonly reason: string }
  | { readonly kind: 'skipped'; readonly reason: string };

const PASSED: Outcome = { kind: 'passed' };

/** Functions that mean something else when the same instant is evaluated as part of a range. */
const CONTEXT_FUNCTIONS = /(?:start|end|range|step)\(\)/;

/** Runs one case on what is loaded. */
export function runCase(store: MemoryStore, test: Case, options: EvaluateOptions): Outcome {
  if (test.skip !== undefined) return { kind: 'skipped', reason: test.skip };
  if (test.malformed !== undefined) return { kind: 'failed', reason: test.malformed };
  store.takeTouched();
  const outcome = guarded(() => evaluateCase(store, test, options));
  const touched = store.takeTouched();
  // Samples that the store cannot hold may be just what the case is about; if it passes without them, it passes.
  return outcome.kind === 'failed' && touched !== undefined ? { kind: 'skipped', reason: touched } : outcome;
}

function evaluateCase(store: MemoryStore, test: Case, options: EvaluateOptions): Outcome {
  try {
    const expr = parseQuery(test.query);
    const query = compileQuery(expr, { ...options, text: test.query });
    const fault =
      'at' in test.time
        ? instantFault(store, test, test.time.at, expr, query, options)
        : rangeFault(store, test, query);
    if (test.expectations.fail !== undefined) return failed('expected a failure, got none');
    return fault === undefined ? PASSED : failed(fault);
  } catch (error) {
    if (!(error instanceof PromqlError)) throw error;
    return judgeError(test, error);
  }
}

/** A fault of the evaluator itself fails its case and no other. */
function guarded(run: () => Outcome): Outcome {
  try {
    return run();
  } catch (error) {
    return failed(`crashed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  }
}

function judgeError(test: Case, error: PromqlError): Outcome {
  if (error.code === 'unsupported') return { kind: 'skipped', reason: `out of scope: ${error.message.split(';')[0]}` };
  const [expected] = test.expectations.fail ?? [];
  if (expected === undefined) return failed(`${error.name}: ${error.message}`);
  return meets(expected, error.message) ? PASSED : failed(`failed with another message: ${error.message}`);
}

function failed(reason: string): Outcome {
  return { kind: 'failed', reason };
}

function rangeFault(store: MemoryStore, test: Case, query: CompiledQuery): string | undefined {
  if ('at' in test.time) return 'not a range';
  const { from, to, stepMs } = test.time;
  const result = query.range(store, from, to, stepMs);
  return compareAnnotations(test, result.annotations) ?? compareMatrix(test.series, result.series, test.time);
}

/** Like Prometheus' suite: also as the middle of a range, and pinned to the instant with `@` at other instants. */
function instantFault(
  store: MemoryStore,
  test: Case,
  at: number,
  expr: Expr,
  query: CompiledQuery,
  options: EvaluateOptions,
): string | undefined {
  const result = query.instant(store, at);
  const fault = compareAnnotations(test, result.annotations) ?? compareInstant(test, result);
  if (fault !== undefined || test.expectations.fail !== undefined) return fault;
  return asRangeFault(store, test, at, query) ?? pinnedFault(store, test, at, expr, options);
}

function asRangeFault(store: MemoryStore, test: Case, at: number, query: CompiledQuery): string | undefined {
  const hasNoRange =
    test.rangeVector !== undefined || test.text !== undefined || test.expectations.ordered !== undefined;
  if (hasNoRange || CONTEXT_FUNCTIONS.test(test.query)) return undefined;
  const { series } = query.range(store, at - 60_000, at + 60_000, 60_000);
  const elements = series.flatMap(({ labels, times, values }) => {
    const index = times.indexOf(at);
    return index === -1 ? [] : [{ labels, value: values[index] ?? NaN }];
  });
  const { scalar, ...rest } = test;
  const expected =
    scalar === undefined
      ? test
      : { ...rest, series: [{ labels: {}, points: [{ kind: 'value', value: scalar } as const] }] };
  const fault = compareVector(expected, elements, true);
  return fault === undefined ? undefined : `in range mode: ${fault}`;
}

function pinnedFault(
  store: MemoryStore,
  test: Case,
  at: number,
  expr: Expr,
  options: EvaluateOptions,
): string | undefined {
  for (const variant of pinnedVariants(expr, at)) {
    const result = compileQuery(variant.expr, { ...options, text: test.query }).instant(store, variant.at);
    const fault = compareInstant(test, result);
    if (fault !== undefined) return `pinned with @ and evaluated at ${variant.at}: ${fault}`;
  }
  return undefined;
}

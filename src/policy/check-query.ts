import { isScalar } from 'yaml';
import type { Millis } from '../core/units.ts';
import { type Expr, type QueryType, unwrapParens } from '../promql/ast.ts';
import { checkQuery } from '../promql/check.ts';
import { selectorsOf, windowOf } from '../promql/inspect.ts';
import { parseQuery } from '../promql/parse.ts';
import { PromqlError } from '../promql/promql-error.ts';
import { type BuildContext, fault } from './build-context.ts';
import { errorAt } from './diagnostic.ts';
import { meantByForeignQuery } from './foreign-words.ts';
import { quote } from './found.ts';
import { type Filled, fillVariables } from './host-variables.ts';
import type { Path } from './path.ts';
import { nodeAt, originInText } from './policy-document.ts';

export type CheckedQuery = {
  /** The query with its variables filled in. */
  readonly text: string;
  /** Undefined if the query is faulty. */
  readonly expr: Expr | undefined;
  readonly windowMs: Millis;
  /** The `job` labels that it asks for by name: names of sources. */
  readonly jobs: readonly string[];
};

/** Without a host, a variable in a query stands for a number or a duration, whichever parses. */
const STAND_INS = ['1', '1m'] as const;

/**
 * Parses and type-checks the query at the path; faults are positioned inside of the YAML text. `lenient`: a server will
 * evaluate it, which may know what revertd does not.
 */
export function checkQueryAt(
  context: BuildContext,
  path: Path,
  text: string,
  { lenient }: { readonly lenient: boolean } = { lenient: false },
): CheckedQuery {
  const original = originalText(context, path) ?? text;
  const unknown: CheckedQuery = { text, expr: undefined, windowMs: 0, jobs: [] };
  const attempts = fillings(context, original);
  if (attempts.some(({ faults }) => faults.length > 0)) return unknown;
  let first: { readonly filled: Filled; readonly error: PromqlError } | undefined;
  for (const filled of attempts) {
    const checked = tryQuery(filled.text);
    if (!(checked instanceof PromqlError)) return accept(context, path, text, checked);
    first ??= { filled, error: checked };
  }
  if (lenient && attempts.length > 0 && first?.error.code === 'unsupported') return unknown;
  if (first !== undefined) refuse(context, path, first.filled, first.error);
  return unknown;
}

/** A query that was found right, as its tree; undefined for one that only a remote server understands. */
export function parsedQuery(text: string): Expr | undefined {
  for (const standIn of text.includes('${') ? STAND_INS : STAND_INS.slice(0, 1)) {
    const checked = tryQuery(fillVariables(text, () => standIn, []).text);
    if (!(checked instanceof PromqlError)) return checked.expr;
  }
  return undefined;
}

/** The text as the author wrote it: offsets into it lead back to the file. */
function originalText(context: BuildContext, path: Path): string | undefined {
  const node = nodeAt(context.document, path);
  return isScalar(node) && typeof node.value === 'string' ? node.value : undefined;
}

function fillings({ host }: BuildContext, original: string): readonly Filled[] {
  if (host !== undefined) return [fillVariables(original, host.lookup, host.names)];
  const standIns = original.includes('${') ? STAND_INS : STAND_INS.slice(0, 1);
  return standIns.map((standIn) => fillVariables(original, (_, fallback) => fallback ?? standIn, []));
}

type Typed = { readonly expr: Expr; readonly type: QueryType };

function tryQuery(text: string): Typed | PromqlError {
  try {
    const expr = parseQuery(text);
    return { expr, type: checkQuery(expr) };
  } catch (error) {
    if (error instanceof PromqlError) return error;
    throw error;
  }
}

function refuse(context: BuildContext, path: Path, filled: Filled, error: PromqlError): void {
  const origin = originInText(context.document, path, filled.offsetInOriginal(error.offset));
  const code = error.code === 'unsupported' ? 'E-NOT-SUPPORTED' : 'E-QUERY';
  const found = filled.text.slice(error.offset, error.end);
  const advice = error.code === 'unsupported' ? undefined : meantByForeignQuery(filled.text, error.offset);
  const message = `the query is not right: ${error.message}${advice === undefined ? '' : `; ${advice}`}`;
  const wording = { message, ...(found === '' ? {} : { found }) };
  context.diagnostics.push(errorAt(origin, code, wording));
}

function accept(context: BuildContext, path: Path, text: string, { expr, type }: Typed): CheckedQuery {
  if (type !== 'vector') {
    const message = `the query gives ${TYPE_WORDS[type]}, expected an instant vector; ${TYPE_ADVICE[type]}`;
    fault(context, path, 'E-QUERY-TYPE', { message, found: type, expected: 'vector' });
    return { text, expr: undefined, windowMs: 0, jobs: [] };
  }
  return { text, expr, windowMs: windowOf(expr), jobs: jobsOf(expr) };
}

const TYPE_WORDS: Readonly<Record<QueryType, string>> = {
  vector: 'an instant vector',
  matrix: 'a range vector',
  scalar: 'a scalar',
  string: 'a string',
};

const TYPE_ADVICE: Readonly<Record<QueryType, string>> = {
  vector: '',
  matrix: 'put it into a function such as rate(…) or max_over_time(…), or leave the range out',
  scalar: 'it must look at series, each of which is judged; vector(…) makes a series of a scalar',
  string: 'leave the quotes out if it is meant as a query',
};

function jobsOf(expr: Expr): readonly string[] {
  const matchers = selectorsOf(expr).flatMap((selector) => selector.matchers);
  return [...new Set(matchers.filter(({ name, op }) => name === 'job' && op === '=').map(({ value }) => value))];
}

const COMPARISONS: readonly string[] = ['==', '!=', '>', '<', '>=', '<='];

/**
 * Why a query has no data when all is well, or undefined. A comparison keeps what meets it and drops the rest, as an
 * alerting rule of Prometheus wants it; here "no data" is not "clear".
 */
export function dropsGoodData(expr: Expr): string | undefined {
  const top = unwrapParens(expr);
  if (top.kind === 'binary' && COMPARISONS.includes(top.op) && !top.bool) {
    return `the comparison ${quote(top.op)} drops every series that does not meet it, and no data is not clear`;
  }
  if (top.kind === 'call' && top.name.startsWith('absent')) {
    return `${top.name}() gives no data while the series is there, and no data is not clear`;
  }
  return undefined;
}

import { nearestName } from '../core/nearest-name.ts';
import {
  type Aggregate,
  type Binary,
  type Call,
  type Expr,
  type QueryType,
  type Span,
  unwrapParens,
  type VectorSelector,
} from './ast.ts';
import { checkCallLiterals } from './check-literals.ts';
import { AGGREGATE_PARAMS, FUNCTIONS, type Signature, signatureOf } from './functions.ts';
import { METRIC_NAME } from './labels.ts';
import { badRegex, valuePredicate } from './matcher.ts';
import { PromqlError, unsupported } from './promql-error.ts';
import { isLabelName } from './string-literals.ts';

export type CheckOptions = {
  /** Accept what Prometheus has behind `promql-experimental-functions` and the fill modifiers. Default: refuse. */
  readonly experimental?: boolean;
};

const COMPARISONS: ReadonlySet<string> = new Set(['==', '!=', '>', '<', '>=', '<=']);
const SET_OPERATORS: ReadonlySet<string> = new Set(['and', 'or', 'unless']);

const TYPE_NAMES: Readonly<Record<QueryType, string>> = {
  scalar: 'scalar',
  vector: 'instant vector',
  matrix: 'range vector',
  string: 'string',
};

/**
 * The type of a query, after checking everything that Prometheus 3 checks before it evaluates: types, argument counts,
 * matchers, matching and grouping rules, names, patterns. What is out of scope here is a `PromqlError` of code `unsupported`,
 * any other fault one of code `semantic`.
 */
export function checkQuery(expr: Expr, options: CheckOptions = {}): QueryType {
  return typeOf(expr, options);
}

function typeOf(expr: Expr, options: CheckOptions): QueryType {
  switch (expr.kind) {
    case 'number':
      return 'scalar';
    case 'string':
      return 'string';
    case 'selector':
      checkSelector(expr);
      return 'vector';
    case 'range':
      checkSelector(expr.selector);
      return 'matrix';
    case 'subquery':
      expectType(expr.expr, 'vector', 'a subquery', options);
      return 'matrix';
    case 'paren':
      return typeOf(expr.expr, options);
    case 'unary':
      return unaryType(expr, options);
    case 'binary':
      return binaryType(expr, options);
    case 'aggregate':
      return aggregateType(expr, options);
    case 'call':
      return callType(expr, options);
    default:
      return expr satisfies never;
  }
}

function expectType(expr: Expr, wanted: QueryType, where: string, options: CheckOptions): void {
  const found = typeOf(expr, options);
  if (found === wanted) return;
  throw semantic(`expected ${TYPE_NAMES[wanted]} in ${where}, got ${TYPE_NAMES[found]}`, expr);
}

function checkSelector(selector: VectorSelector): void {
  let selectsSomething = selector.name !== undefined;
  for (const [i, matcher] of selector.matchers.entries()) {
    if (!isLabelName(matcher.name)) throw semantic('a label name must be valid and not empty', selector);
    const test = valuePredicate(matcher);
    if (test === undefined) throw badRegex(matcher, selector);
    if (selector.name !== undefined && matcher.name === METRIC_NAME && i < selector.matchers.length - 1) {
      throw semantic(`metric name must not be set twice: ${selector.name} or ${matcher.value}`, selector);
    }
    selectsSomething ||= !test('');
  }
  if (!selectsSomething) {
    throw semantic('vector selector must contain at least one matcher that does not match the empty string', selector);
  }
}

function unaryType(expr: Expr & { kind: 'unary' }, options: CheckOptions): QueryType {
  const type = typeOf(expr.expr, options);
  if (type === 'scalar' || type === 'vector') return type;
  throw semantic(`a sign is only allowed before a scalar or instant vector, got ${TYPE_NAMES[type]}`, expr);
}

function binaryType(expr: Binary, options: CheckOptions): QueryType {
  const left = typeOf(expr.left, options);
  const right = typeOf(expr.right, options);
  for (const [type, side] of [
    [left, expr.left],
    [right, expr.right],
  ] as const) {
    if (type !== 'scalar' && type !== 'vector') {
      throw semantic(`operands must be scalars or instant vectors, got ${TYPE_NAMES[type]}`, side);
    }
  }
  const areVectors = left === 'vector' && right === 'vector';
  checkOperator(expr, left === 'scalar' && right === 'scalar', areVectors);
  checkMatching(expr, areVectors, options);
  return left === 'scalar' && right === 'scalar' ? 'scalar' : 'vector';
}

function checkOperator(expr: Binary, areScalars: boolean, areVectors: boolean): void {
  const isComparison = COMPARISONS.has(expr.op);
  if (expr.bool && !isComparison) throw semantic('bool modifier can only be used on comparison operators', expr.opSpan);
  if (isComparison && !expr.bool && areScalars) {
    throw semantic('comparisons between scalars must use the bool modifier', expr.opSpan);
  }
  if (SET_OPERATORS.has(expr.op) && !areVectors) {
    throw semantic(`set operator ${expr.op} is only allowed between instant vectors`, expr.opSpan);
  }
}

function checkMatching(expr: Binary, areVectors: boolean, options: CheckOptions): void {
  const { matching } = expr;
  const fills = matching.fillLeft !== undefined || matching.fillRight !== undefined;
  if (fills && options.experimental !== true) throw unsupported('the experimental modifier fill', expr);
  if (!areVectors && matching.labels.length > 0) {
    throw semantic('vector matching only allowed between instant vectors', expr);
  }
  if (fills && !areVectors) throw semantic('filling in is only allowed between instant vectors', expr);
  if (SET_OPERATORS.has(expr.op)) {
    if (matching.group !== undefined) throw semantic(`no grouping allowed for ${expr.op} operation`, expr);
    if (fills) throw semantic('filling in missing series not allowed for set operators', expr);
  }
  const both = matching.on ? matching.labels.find((label) => matching.include.includes(label)) : undefined;
  if (both !== undefined) throw semantic(`label ${both} must not occur in ON and GROUP clause at once`, expr.opSpan);
}

function aggregateType(expr: Aggregate, options: CheckOptions): QueryType {
  if (expr.op === 'limitk' || expr.op === 'limit_ratio') throw unsupported(`${expr.op}()`, expr);
  const wanted = AGGREGATE_PARAMS[expr.op];
  expectType(expr.expr, 'vector', `aggregation ${expr.op}`, options);
  if (wanted !== undefined && expr.param !== undefined) {
    expectType(expr.param, wanted, `the parameter of ${expr.op}`, options);
    const param = unwrapParens(expr.param);
    if (param.kind === 'string' && !isLabelName(param.value)) {
      throw semantic(`invalid label name ${goQuote(param.value)}`, param);
    }
  }
  return 'vector';
}

function callType(expr: Call, options: CheckOptions): QueryType {
  const signature = signatureOf(expr.name);
  if (signature === undefined) {
    const hint = nearestName(expr.name, Object.keys(FUNCTIONS));
    throw semantic(`unknown function ${expr.name}()${hint === undefined ? '' : `; did you mean ${hint}()?`}`, expr);
  }
  if (signature.unsupported !== undefined)
    throw unsupported(`${expr.name}(), which needs ${signature.unsupported},`, expr);
  if (signature.experimental === true && options.experimental !== true) {
    throw unsupported(`the experimental function ${expr.name}()`, expr);
  }
  checkArgumentCount(expr, signature);
  for (const [i, arg] of expr.args.entries()) {
    const wanted = signature.args[i] ?? signature.args.at(-1);
    if (wanted !== undefined) expectType(arg, wanted, `argument ${i + 1} of ${expr.name}()`, options);
  }
  checkCallLiterals(expr);
  return signature.returns;
}

function checkArgumentCount(expr: Call, signature: Signature): void {
  const least = signature.args.length - (signature.optional ?? 0);
  const most = signature.args.length + (signature.repeats ?? 0);
  if (expr.args.length >= least && expr.args.length <= most) return;
  const wanted = least === most ? `${least}` : `${least} to ${most === Infinity ? 'any number of' : most}`;
  throw semantic(`${expr.name}() takes ${wanted} arguments, got ${expr.args.length}`, expr);
}

function goQuote(text: string): string {
  return JSON.stringify(text).replaceAll(/\\udc([0-9a-f]{2})/g, String.raw`\x$1`);
}

function semantic(message: string, span: Span): PromqlError {
  return new PromqlError('semantic', message, span);
}

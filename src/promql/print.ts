import type { Aggregate, Binary, Expr, TimeShift, VectorMatching, VectorSelector } from './ast.ts';
import { METRIC_NAME } from './labels.ts';
import { formatFloat } from './literals.ts';
import { operatorLevel, SIGN_LEVEL } from './precedence.ts';
import type { Matcher } from './series.ts';
import { quote } from './string-literals.ts';

const IDENTIFIER = /^[A-Za-z_:][\w:]*$/;
const LABEL_NAME = /^[A-Za-z_]\w*$/;
/** Words that the grammar never takes for a metric's name. */
const RESERVED = /^(?:inf|nan|bool|ignoring|on|group_left|group_right|offset|atan2)$/i;

/** The expression as PromQL that parses to it again, apart from redundant parentheses. */
export function printQuery(expr: Expr): string {
  switch (expr.kind) {
    case 'number':
      return printNumber(expr.value);
    case 'string':
      return quote(expr.value);
    case 'selector':
      return printSelector(expr) + printShift(expr);
    case 'range':
      return `${printSelector(expr.selector)}[${printDuration(expr.rangeMs)}]${printShift(expr.selector)}`;
    case 'subquery': {
      const step = expr.stepMs === undefined ? '' : printDuration(expr.stepMs);
      return `${printOperand(expr.expr)}[${printDuration(expr.rangeMs)}:${step}]${printShift(expr)}`;
    }
    case 'paren':
      return `(${printQuery(expr.expr)})`;
    case 'unary':
      return `${expr.op}${printWithin(expr.expr, SIGN_LEVEL + 1)}`;
    case 'binary':
      return printBinary(expr);
    case 'aggregate':
      return printAggregate(expr);
    case 'call':
      return `${expr.name}(${expr.args.map(printQuery).join(', ')})`;
    default:
      return expr satisfies never;
  }
}

function printNumber(value: number): string {
  // A plus sign would be an operator of its own.
  return value === Infinity ? 'Inf' : formatFloat(value);
}

function printBinary(expr: Binary): string {
  const level = operatorLevel(expr.op);
  const isRight = expr.op === '^';
  const left = printWithin(expr.left, isRight ? level + 1 : level);
  const right = printWithin(expr.right, isRight ? level : level + 1);
  const parts = [left, expr.op, expr.bool ? 'bool' : '', printMatching(expr.matching), right];
  return parts.filter((part) => part !== '').join(' ');
}

function printMatching({ on, labels, group, include, fillLeft, fillRight }: VectorMatching): string {
  const clause =
    on || labels.length > 0 || group !== undefined ? [`${on ? 'on' : 'ignoring'} ${printNames(labels)}`] : [];
  if (group !== undefined) clause.push(`group_${group} ${printNames(include)}`);
  if (fillLeft !== undefined) clause.push(`fill_left(${formatFloat(fillLeft)})`);
  if (fillRight !== undefined) clause.push(`fill_right(${formatFloat(fillRight)})`);
  return clause.join(' ');
}

function printAggregate(expr: Aggregate): string {
  const param = expr.param === undefined ? '' : `${printQuery(expr.param)}, `;
  const needsClause = expr.without || expr.grouping.length > 0;
  const clause = needsClause ? ` ${expr.without ? 'without' : 'by'} ${printNames(expr.grouping)} ` : '';
  return `${expr.op}${clause}(${param}${printQuery(expr.expr)})`;
}

function printNames(names: readonly string[]): string {
  return `(${names.map((name) => (LABEL_NAME.test(name) ? name : quote(name))).join(', ')})`;
}

/** Puts what binds less tightly than `level` in parentheses. */
function printWithin(expr: Expr, level: number): string {
  const text = printQuery(expr);
  return bindingOf(expr) < level ? `(${text})` : text;
}

function bindingOf(expr: Expr): number {
  if (expr.kind === 'binary') return operatorLevel(expr.op);
  const isSigned = expr.kind === 'unary' || (expr.kind === 'number' && (expr.value < 0 || Object.is(expr.value, -0)));
  return isSigned ? SIGN_LEVEL : Infinity;
}

/** What a subquery's brackets follow must not be signed or binary. */
function printOperand(expr: Expr): string {
  return printWithin(expr, Infinity);
}

function printSelector({ name, matchers }: VectorSelector): string {
  const isPlain = name !== undefined && IDENTIFIER.test(name) && !RESERVED.test(name);
  const inBraces = isPlain ? matchers.slice(0, -1) : matchers;
  const braces = inBraces.length === 0 && isPlain ? '' : `{${inBraces.map(printMatcher).join(', ')}}`;
  return `${isPlain ? name : ''}${braces}`;
}

function printMatcher({ name, op, value }: Matcher): string {
  if (name === METRIC_NAME && op === '=' && !IDENTIFIER.test(value)) return quote(value);
  return `${LABEL_NAME.test(name) ? name : quote(name)}${op}${quote(value)}`;
}

function printShift({ offsetMs, at }: TimeShift): string {
  const offset = offsetMs === 0 ? '' : ` offset ${printDuration(offsetMs)}`;
  if (at === undefined) return offset;
  return ` @ ${at.kind === 'time' ? formatFloat(at.at / 1000) : `${at.kind}()`}${offset}`;
}

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
] as const;

function printDuration(spanMs: number): string {
  const size = Math.abs(spanMs);
  const sign = spanMs < 0 ? '-' : '';
  for (const [unit, unitMs] of UNITS) if (size % unitMs === 0) return `${sign}${size / unitMs}${unit}`;
  return `${sign}${size}ms`;
}

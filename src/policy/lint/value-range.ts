import { type Aggregate, type Binary, type Call, type Expr, unwrapParens } from '../../promql/ast.ts';
import { isCounterFunction, isCounterName, isShareOf } from './counters.ts';

/** The least and the greatest value that an expression can have, as far as its form says. */
export type ValueRange = { readonly low: number; readonly high: number };

const ANY: ValueRange = { low: -Infinity, high: Infinity };
const NOT_NEGATIVE: ValueRange = { low: 0, high: Infinity };
const UNIT: ValueRange = { low: 0, high: 1 };
const ONE: ValueRange = { low: 1, high: 1 };

/** What the names of metrics promise; nothing is known of others. */
export function rangeOfMetric(name: string | undefined): ValueRange {
  if (name === undefined) return ANY;
  if (['up', 'probe_success', 'sql_query_success'].includes(name)) return UNIT;
  return isCounterName(name) || /_(bytes|seconds)$/.test(name) ? NOT_NEGATIVE : ANY;
}

export function valueRange(expr: Expr): ValueRange {
  switch (expr.kind) {
    case 'number':
      return { low: expr.value, high: expr.value };
    case 'selector':
      return rangeOfMetric(expr.name);
    case 'range':
      return rangeOfMetric(expr.selector.name);
    case 'subquery':
    case 'paren':
      return valueRange(expr.expr);
    case 'unary':
      return expr.op === '+' ? valueRange(expr.expr) : negated(valueRange(expr.expr));
    case 'call':
      return rangeOfCall(expr);
    case 'aggregate':
      return rangeOfAggregate(expr);
    case 'binary':
      return rangeOfBinary(expr);
    case 'string':
      return ANY;
    default:
      return expr satisfies never;
  }
}

const SAME_AS_ARGUMENT = [
  'avg_over_time',
  'min_over_time',
  'max_over_time',
  'last_over_time',
  'first_over_time',
  'vector',
  'scalar',
  'sort',
  'sort_desc',
];

function rangeOfCall({ name, args }: Call): ValueRange {
  const [first] = args;
  if (isCounterFunction(name) || ['count_over_time', 'abs', 'sqrt', 'time', 'timestamp'].includes(name))
    return NOT_NEGATIVE;
  if (name.startsWith('absent') || name === 'present_over_time') return ONE;
  if (first !== undefined && SAME_AS_ARGUMENT.includes(name)) return valueRange(first);
  if (name === 'quantile_over_time' && args[1] !== undefined) return valueRange(args[1]);
  if (name === 'sum_over_time' && first !== undefined && valueRange(first).low >= 0) return NOT_NEGATIVE;
  return ANY;
}

function rangeOfAggregate({ op, expr }: Aggregate): ValueRange {
  const inner = valueRange(expr);
  switch (op) {
    case 'avg':
    case 'min':
    case 'max':
    case 'quantile':
    case 'topk':
    case 'bottomk':
    case 'limitk':
    case 'limit_ratio':
      return inner;
    case 'group':
      return ONE;
    case 'count':
    case 'count_values':
      return { low: 1, high: Infinity };
    case 'stddev':
    case 'stdvar':
      return NOT_NEGATIVE;
    case 'sum':
      return inner.low >= 0 ? NOT_NEGATIVE : ANY;
    default:
      return op satisfies never;
  }
}

function rangeOfBinary(binary: Binary): ValueRange {
  const [left, right] = [valueRange(binary.left), valueRange(binary.right)];
  switch (binary.op) {
    case '+':
      return sound({ low: left.low + right.low, high: left.high + right.high });
    case '-':
      return sound({ low: left.low - right.high, high: left.high - right.low });
    case '*':
      return product(left, right);
    case '/':
      return quotient(binary, left, right);
    case '==':
    case '!=':
    case '>':
    case '<':
    case '>=':
    case '<=':
      return binary.bool ? UNIT : left;
    case 'or':
      return { low: Math.min(left.low, right.low), high: Math.max(left.high, right.high) };
    case 'and':
    case 'unless':
      return left;
    case '%':
    case '^':
    case 'atan2':
      return ANY;
    default:
      return binary.op satisfies never;
  }
}

function product(left: ValueRange, right: ValueRange): ValueRange {
  const corners = [left.low * right.low, left.low * right.high, left.high * right.low, left.high * right.high];
  const known = corners.map((corner) => (Number.isNaN(corner) ? 0 : corner));
  return { low: Math.min(...known), high: Math.max(...known) };
}

function quotient({ left, right }: Binary, above: ValueRange, below: ValueRange): ValueRange {
  if (isShareOf(left, right)) return UNIT;
  const divisor = unwrapParens(right);
  if (divisor.kind === 'number' && divisor.value !== 0)
    return product(above, { low: 1 / divisor.value, high: 1 / divisor.value });
  return above.low >= 0 && below.low >= 0 ? NOT_NEGATIVE : ANY;
}

function negated({ low, high }: ValueRange): ValueRange {
  return { low: -high, high: -low };
}

/** Infinity less infinity is no bound. */
function sound({ low, high }: ValueRange): ValueRange {
  return { low: Number.isNaN(low) ? -Infinity : low, high: Number.isNaN(high) ? Infinity : high };
}

import type { Millis } from '../core/units.ts';
import type { Matcher } from './series.ts';

/** UTF-16 positions in the query's text; `end` is exclusive. */
export type Span = { readonly start: number; readonly end: number };

export type ArithmeticOperator = '+' | '-' | '*' | '/' | '%' | '^' | 'atan2';
export type ComparisonOperator = '==' | '!=' | '>' | '<' | '>=' | '<=';
export type SetOperator = 'and' | 'or' | 'unless';
export type BinaryOperator = ArithmeticOperator | ComparisonOperator | SetOperator;

export type AggregateOperator =
  | 'avg'
  | 'bottomk'
  | 'count'
  | 'count_values'
  | 'group'
  | 'limit_ratio'
  | 'limitk'
  | 'max'
  | 'min'
  | 'quantile'
  | 'stddev'
  | 'stdvar'
  | 'sum'
  | 'topk';

/** The `@` modifier: a fixed time, or the first or last instant of the whole query. */
export type AtModifier =
  | { readonly kind: 'time'; readonly at: Millis }
  | { readonly kind: 'start' }
  | { readonly kind: 'end' };

/** What moves a selector or subquery in time. A positive `offsetMs` looks into the past. */
export type TimeShift = { readonly offsetMs: Millis; readonly at?: AtModifier };

export type NumberLiteral = Span & { readonly kind: 'number'; readonly value: number };
export type StringLiteral = Span & { readonly kind: 'string'; readonly value: string };

export type VectorSelector = Span &
  TimeShift & {
    readonly kind: 'selector';
    /** The name before the braces; one inside them is among the matchers. */
    readonly name?: string;
    /** All matchers, the one for `name` last. */
    readonly matchers: readonly Matcher[];
  };

export type RangeSelector = Span & {
  readonly kind: 'range';
  readonly selector: VectorSelector;
  readonly rangeMs: Millis;
};

export type Subquery = Span &
  TimeShift & {
    readonly kind: 'subquery';
    readonly expr: Expr;
    readonly rangeMs: Millis;
    readonly stepMs?: Millis;
  };

export type Paren = Span & { readonly kind: 'paren'; readonly expr: Expr };
export type Unary = Span & { readonly kind: 'unary'; readonly op: '+' | '-'; readonly expr: Expr };

export type VectorMatching = {
  readonly on: boolean;
  readonly labels: readonly string[];
  readonly group?: 'left' | 'right';
  /** The labels that `group_left` or `group_right` takes over from the "one" side. */
  readonly include: readonly string[];
  readonly fillLeft?: number;
  readonly fillRight?: number;
};

export type Binary = Span & {
  readonly kind: 'binary';
  readonly op: BinaryOperator;
  readonly opSpan: Span;
  readonly left: Expr;
  readonly right: Expr;
  readonly bool: boolean;
  readonly matching: VectorMatching;
};

export type Aggregate = Span & {
  readonly kind: 'aggregate';
  readonly op: AggregateOperator;
  readonly param?: Expr;
  readonly expr: Expr;
  readonly grouping: readonly string[];
  readonly without: boolean;
};

export type Call = Span & { readonly kind: 'call'; readonly name: string; readonly args: readonly Expr[] };

export type Expr =
  | NumberLiteral
  | StringLiteral
  | VectorSelector
  | RangeSelector
  | Subquery
  | Paren
  | Unary
  | Binary
  | Aggregate
  | Call;

export type QueryType = 'scalar' | 'vector' | 'matrix' | 'string';

/** The expression without the parentheses around it. */
export function unwrapParens(expr: Expr): Expr {
  let inner = expr;
  while (inner.kind === 'paren') inner = inner.expr;
  return inner;
}

/** The direct operands of an expression, in the order of the text. */
export function childrenOf(expr: Expr): readonly Expr[] {
  switch (expr.kind) {
    case 'number':
    case 'string':
    case 'selector':
      return [];
    case 'range':
      return [expr.selector];
    case 'subquery':
    case 'paren':
    case 'unary':
      return [expr.expr];
    case 'binary':
      return [expr.left, expr.right];
    case 'aggregate':
      return expr.param === undefined ? [expr.expr] : [expr.param, expr.expr];
    case 'call':
      return expr.args;
    default:
      return expr satisfies never;
  }
}

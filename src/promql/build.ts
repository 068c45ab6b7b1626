import type { SyntaxNode } from '@lezer/common';
import type { AggregateOperator, Expr, Span, VectorMatching } from './ast.ts';
import {
  atModifier,
  durationSeconds,
  labelNames,
  numberOf,
  positiveMs,
  selector,
  stringOf,
  valueAt,
  wholeMs,
} from './build-values.ts';
import { AGGREGATE_PARAMS } from './functions.ts';
import { bindPieces, type Modifier, type Piece } from './precedence.ts';
import { PromqlError, unsupported } from './promql-error.ts';
import { childNodes, lastOf, type Source, spanOf, textOf } from './tree.ts';

/** Operators in a row count as nesting too: `a + b + c …` is a tree that deep. */
const MAX_DEPTH = 1000;

const OPERATORS = new Set(['+', '-', '*', '/', '%', '^', '==', '!=', '>', '<', '>=', '<=']);
const WORD_OPERATORS = new Set(['atan2', 'and', 'or', 'unless']);

/** Turns a tree without error nodes into an expression. */
export function buildExpression(top: SyntaxNode, text: string): Expr {
  const expression = top.firstChild;
  if (expression === null) throw new PromqlError('syntax', 'the query is empty', { start: 0, end: text.length });
  return expr({ text, depth: 0 }, expression);
}

/**
 * The grammar binds `offset`, `@`, `[…]` and signs too loosely (`a > b offset 1d` is one `offset` around all of it), so its tree
 * is taken for the order of operands, operators and modifiers only, and they are bound anew.
 */
function expr(source: Source, node: SyntaxNode): Expr {
  const pieces: Piece[] = [];
  flatten(source, node, pieces);
  return bindPieces(pieces);
}

function flatten(source: Source, node: SyntaxNode, into: Piece[]): void {
  source.depth += 1;
  if (source.depth > MAX_DEPTH) {
    throw new PromqlError('syntax', `the expression is nested deeper than ${MAX_DEPTH} levels`, spanOf(node));
  }
  flattenNode(source, node, into);
  source.depth -= 1;
}

function flattenNode(source: Source, node: SyntaxNode, into: Piece[]): void {
  const [first = node, ...rest] = childNodes(node);
  switch (node.name) {
    case 'BinaryExpr':
      flatten(source, first, into);
      into.push(binaryOperator(source, rest));
      flatten(source, lastOf(node), into);
      return;
    case 'UnaryExpr':
      into.push({ kind: 'sign', op: textOf(source, first) === '-' ? '-' : '+', start: node.from });
      flatten(source, lastOf(node), into);
      return;
    case 'OffsetExpr':
    case 'StepInvariantExpr':
    case 'MatrixSelector':
    case 'SubqueryExpr':
      flatten(source, first, into);
      into.push({ kind: 'modifier', modifier: modifier(source, node, rest), end: node.to });
      return;
    case 'AnchoredExpr':
    case 'SmoothedExpr':
      throw unsupported(`the ${node.name === 'AnchoredExpr' ? 'anchored' : 'smoothed'} modifier`, spanOf(lastOf(node)));
    default:
      into.push(...operand(source, node));
  }
}

function binaryOperator(source: Source, nodes: readonly SyntaxNode[]): Piece {
  const [operator, ...modifiers] = nodes.slice(0, -1);
  if (operator === undefined) throw new Error('a binary expression of the grammar has an operator');
  const op = textOf(source, operator).toLowerCase();
  if (!OPERATORS.has(op) && !WORD_OPERATORS.has(op)) {
    throw unsupported(`the operator ${op} for native histograms`, spanOf(operator));
  }
  const clause = modifiers.find((node) => node.name === 'MatchingModifierClause');
  const fill = modifiers.find((node) => node.name === 'FillModifier');
  return {
    kind: 'binary',
    // The sets above hold exactly the operators of the type.
    op: op as (Piece & { kind: 'binary' })['op'],
    span: spanOf(operator),
    bool: modifiers.some((node) => node.name === 'BoolModifier'),
    matching: { ...matching(source, clause), ...fills(source, fill) },
  };
}

function matching(source: Source, clause: SyntaxNode | undefined): VectorMatching {
  const nodes = clause === undefined ? [] : childNodes(clause);
  const [labels, include] = nodes.filter((node) => node.name === 'GroupingLabels').map((n) => labelNames(source, n));
  const group = nodes.find((node) => node.name === 'GroupLeft' || node.name === 'GroupRight')?.name;
  return {
    on: nodes[0]?.name === 'On',
    labels: labels ?? [],
    include: include ?? [],
    ...(group === undefined ? {} : { group: group === 'GroupLeft' ? 'left' : 'right' }),
  };
}

function fills(source: Source, node: SyntaxNode | undefined): Pick<VectorMatching, 'fillLeft' | 'fillRight'> {
  const found: { fillLeft?: number; fillRight?: number } = {};
  for (const clause of node === undefined ? [] : childNodes(node)) {
    const value = numberOf(source, lastOf(clause));
    if (clause.name !== 'FillRightClause') found.fillLeft = value;
    if (clause.name !== 'FillLeftClause') found.fillRight = value;
  }
  return found;
}

function modifier(source: Source, node: SyntaxNode, rest: readonly SyntaxNode[]): Modifier {
  const [value, second] = rest.filter((child) => child.name !== 'Offset' && child.name !== 'At');
  if (value === undefined) throw new Error(`a ${node.name} of the grammar has a value`);
  switch (node.name) {
    case 'OffsetExpr':
      return { kind: 'offset', offsetMs: wholeMs(durationSeconds(source, value)) };
    case 'StepInvariantExpr':
      return { kind: 'at', at: atModifier(source, value) };
    case 'MatrixSelector':
      return { kind: 'range', rangeMs: positiveMs(source, value), span: spanOf(node) };
    default: {
      const rangeMs = positiveMs(source, value);
      return { kind: 'subquery', rangeMs, ...(second === undefined ? {} : { stepMs: positiveMs(source, second) }) };
    }
  }
}

function operand(source: Source, node: SyntaxNode): Piece[] {
  if (node.name === 'NumberDurationLiteral') return numberPieces(source, node);
  return [{ kind: 'operand', expr: primary(source, node) }];
}

function primary(source: Source, node: SyntaxNode): Expr {
  switch (node.name) {
    case 'StringLiteral':
      return { kind: 'string', value: stringOf(source, node), ...spanOf(node) };
    case 'VectorSelector':
      return selector(source, node);
    case 'ParenExpr':
      return { kind: 'paren', expr: expr(source, lastOf(node)), ...spanOf(node) };
    case 'FunctionCall':
      return call(source, node);
    case 'AggregateExpr':
      return aggregate(source, node);
    default:
      throw unsupported(`the syntax ${textOf(source, node)}`, spanOf(node));
  }
}

/** A sign before a number is taken off: it binds less tightly than `^`. */
function numberPieces(source: Source, node: SyntaxNode): Piece[] {
  const text = textOf(source, node);
  const sign = /^[+-]\s*/.exec(text)?.[0] ?? '';
  const start = node.from + sign.length;
  const value = valueAt(source, start, node.to);
  const number: Piece = { kind: 'operand', expr: { kind: 'number', value, start, end: node.to } };
  if (sign === '') return [number];
  return [{ kind: 'sign', op: sign.startsWith('-') ? '-' : '+', start: node.from }, number];
}

function call(source: Source, node: SyntaxNode): Expr {
  const [name, body] = childNodes(node);
  if (name === undefined || body === undefined) throw new Error('a call of the grammar has a name and a body');
  return { kind: 'call', name: textOf(source, name), args: args(source, body), ...spanOf(node) };
}

function args(source: Source, body: SyntaxNode): Expr[] {
  return childNodes(body).map((node) => expr(source, node));
}

function aggregate(source: Source, node: SyntaxNode): Expr {
  const parts = childNodes(node);
  const body = parts.find((part) => part.name === 'FunctionCallBody');
  const clause = parts.find((part) => part.name === 'AggregateModifier');
  const [kind, labels] = clause === undefined ? [] : childNodes(clause);
  const [name] = parts;
  if (name === undefined || body === undefined) throw new Error('an aggregation of the grammar has a name and a body');
  // The grammar knows the operators of the type, in any case.
  const op = textOf(source, name).toLowerCase() as AggregateOperator;
  const [param, operand] = aggregateArguments(op, args(source, body), spanOf(node));
  return {
    kind: 'aggregate',
    op,
    ...(param === undefined ? {} : { param }),
    expr: operand,
    grouping: labels === undefined ? [] : labelNames(source, labels),
    without: kind?.name === 'Without',
    ...spanOf(node),
  };
}

function aggregateArguments(op: AggregateOperator, found: readonly Expr[], span: Span): [Expr | undefined, Expr] {
  const wanted = AGGREGATE_PARAMS[op] === undefined ? 1 : 2;
  const [first, second] = found;
  if (first !== undefined && found.length === wanted)
    return second === undefined ? [undefined, first] : [first, second];
  throw new PromqlError(
    'semantic',
    `${op} takes ${wanted} argument${wanted === 1 ? '' : 's'}, got ${found.length}`,
    span,
  );
}

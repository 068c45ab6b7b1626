import type { SyntaxNode } from '@lezer/common';
import type { AggregateOperator, Expr, Span, VectorMatching, VectorSelector } from './ast.ts';
import { AGGREGATE_PARAMS } from './functions.ts';
import { MAX_DURATION_SECONDS, parseDurationSeconds, parseNumber } from './literals.ts';
import { bindPieces, type Modifier, type Piece } from './precedence.ts';
import { PromqlError, unsupported } from './promql-error.ts';
import type { Matcher } from './series.ts';
import { isLabelName, unquote } from './string-literals.ts';

/** Operators in a row count as nesting too: `a + b + c …` is a tree that deep. */
const MAX_DEPTH = 1000;

const OPERATORS = new Set(['+', '-', '*', '/', '%', '^', '==', '!=', '>', '<', '>=', '<=']);
const WORD_OPERATORS = new Set(['atan2', 'and', 'or', 'unless']);

type Source = { readonly text: string; depth: number };

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

function atModifier(source: Source, value: SyntaxNode): Extract<Modifier, { kind: 'at' }>['at'] {
  if (value.name === 'AtModifierPreprocessors') {
    return { kind: textOf(source, value).toLowerCase() === 'start' ? 'start' : 'end' };
  }
  const seconds = numberOf(source, value);
  if (!(Math.abs(seconds) < 2 ** 63)) {
    throw new PromqlError('semantic', `timestamp out of bounds for @ modifier: ${seconds}`, spanOf(value));
  }
  return { kind: 'time', at: Math.round(seconds * 1000) };
}

function positiveMs(source: Source, node: SyntaxNode): number {
  const seconds = durationSeconds(source, node);
  if (seconds > 0) return wholeMs(seconds);
  throw new PromqlError('semantic', 'duration must be greater than 0', spanOf(node));
}

/** A duration with at most one sign; anything longer is an experimental duration expression. */
function durationSeconds(source: Source, node: SyntaxNode): number {
  const match = /^([+-]?)\s*([\w.]+(?:(?<=[eE])[+-]?\d+)?)$/.exec(textOf(source, node));
  const seconds = match?.[2] === undefined ? undefined : valueOf(match[2]);
  if (seconds === undefined) throw unsupported('a duration expression', spanOf(node));
  if (!(seconds < MAX_DURATION_SECONDS)) throw new PromqlError('semantic', 'duration out of range', spanOf(node));
  return match?.[1] === '-' ? -seconds : seconds;
}

/** Prometheus keeps durations in nanoseconds and evaluates in whole milliseconds, both towards zero in the end. */
function wholeMs(seconds: number): number {
  return Math.trunc(Math.round(seconds * 1e9) / 1e6);
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

function numberOf(source: Source, node: SyntaxNode): number {
  const sign = /^[+-]\s*/.exec(textOf(source, node))?.[0] ?? '';
  const value = valueAt(source, node.from + sign.length, node.to);
  return sign.startsWith('-') ? -value : value;
}

function valueAt(source: Source, start: number, end: number): number {
  const value = /[\w.]/.test(source.text[end] ?? '') ? undefined : valueOf(source.text.slice(start, end));
  if (value !== undefined) return value;
  const token = /^[\w.]+/.exec(source.text.slice(start))?.[0] ?? '';
  throw new PromqlError('syntax', `bad number or duration: ${token}`, { start, end: start + token.length });
}

function valueOf(text: string): number | undefined {
  return parseNumber(text) ?? parseDurationSeconds(text);
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

function labelNames(source: Source, node: SyntaxNode): string[] {
  return childNodes(node).map((label) => {
    const name = label.name === 'LabelName' ? textOf(source, label) : stringOf(source, label);
    if (isLabelName(name)) return name;
    throw new PromqlError('semantic', `invalid label name for grouping: ${textOf(source, label)}`, spanOf(label));
  });
}

function selector(source: Source, node: SyntaxNode): VectorSelector {
  const parts = childNodes(node);
  const identifier = parts.find((part) => part.name === 'Identifier');
  const braces = parts.find((part) => part.name === 'LabelMatchers');
  const matchers = braces === undefined ? [] : childNodes(braces).map((part) => matcher(source, part));
  const base = { kind: 'selector', offsetMs: 0, ...spanOf(node) } as const;
  if (identifier === undefined) return { ...base, matchers };
  const name = textOf(source, identifier);
  return { ...base, name, matchers: [...matchers, { name: '__name__', op: '=', value: name }] };
}

function matcher(source: Source, node: SyntaxNode): Matcher {
  if (node.name === 'QuotedLabelName') return { name: '__name__', op: '=', value: stringOf(source, node) };
  const [label, op, value] = childNodes(node);
  if (label === undefined || op === undefined || value === undefined) {
    throw new Error('a matcher of the grammar has a name, an operator and a value');
  }
  const name = label.name === 'LabelName' ? textOf(source, label) : stringOf(source, label);
  // The grammar knows four operators.
  return { name, op: textOf(source, op) as Matcher['op'], value: stringOf(source, value) };
}

function stringOf(source: Source, node: SyntaxNode): string {
  const value = unquote(textOf(source, node));
  if (value !== undefined) return value;
  throw new PromqlError('syntax', `malformed string ${textOf(source, node)}`, spanOf(node));
}

function childNodes(node: SyntaxNode): SyntaxNode[] {
  const children: SyntaxNode[] = [];
  for (let child = node.firstChild; child !== null; child = child.nextSibling) {
    if (child.name !== 'LineComment') children.push(child);
  }
  return children;
}

function lastOf(node: SyntaxNode): SyntaxNode {
  const last = childNodes(node).at(-1);
  if (last === undefined) throw new Error(`a ${node.name} of the grammar has parts`);
  return last;
}

function textOf(source: Source, node: SyntaxNode): string {
  return source.text.slice(node.from, node.to);
}

function spanOf(node: SyntaxNode): Span {
  return { start: node.from, end: node.to };
}

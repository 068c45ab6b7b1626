import type { AtModifier, BinaryOperator, Expr, Span, VectorMatching, VectorSelector } from './ast.ts';
import { PromqlError } from './promql-error.ts';

/** What follows a selector or subquery and changes which samples it means. */
export type Modifier =
  | { readonly kind: 'offset'; readonly offsetMs: number }
  | { readonly kind: 'at'; readonly at: AtModifier }
  | { readonly kind: 'range'; readonly rangeMs: number; readonly span: Span }
  | { readonly kind: 'subquery'; readonly rangeMs: number; readonly stepMs?: number };

/** One item of an expression at one level of parentheses, in the order of the text. */
export type Piece =
  | { readonly kind: 'operand'; readonly expr: Expr }
  | { readonly kind: 'sign'; readonly op: '+' | '-'; readonly start: number }
  | { readonly kind: 'modifier'; readonly modifier: Modifier; readonly end: number }
  | {
      readonly kind: 'binary';
      readonly op: BinaryOperator;
      readonly span: Span;
      readonly bool: boolean;
      readonly matching: VectorMatching;
    };

const LEVEL: Readonly<Record<BinaryOperator, number>> = {
  or: 1,
  and: 2,
  unless: 2,
  '==': 3,
  '!=': 3,
  '>': 3,
  '<': 3,
  '>=': 3,
  '<=': 3,
  '+': 4,
  '-': 4,
  '*': 5,
  '/': 5,
  '%': 5,
  atan2: 5,
  '^': 6,
};
/** A sign binds as `*` does: `-2^2` is -4, and `-a * b` is `(-a) * b`. */
export const SIGN_LEVEL = 5;

/** How tightly an operator binds; a greater number binds more tightly. */
export function operatorLevel(op: BinaryOperator): number {
  return LEVEL[op];
}

/**
 * Binds the pieces by precedence climbing with Prometheus' levels. All operators are left-associative but `^`, and
 * modifiers belong to the operand right before them.
 */
export function bindPieces(pieces: readonly Piece[]): Expr {
  return binaryFrom({ pieces, next: 0 }, 0);
}

type Cursor = { readonly pieces: readonly Piece[]; next: number };

function binaryFrom(cursor: Cursor, minimum: number): Expr {
  let left = operandFrom(cursor);
  for (;;) {
    const piece = cursor.pieces[cursor.next];
    if (piece?.kind !== 'binary' || LEVEL[piece.op] < minimum) return left;
    cursor.next += 1;
    const right = binaryFrom(cursor, piece.op === '^' ? LEVEL['^'] : LEVEL[piece.op] + 1);
    const { op, span: opSpan, bool, matching } = piece;
    left = { kind: 'binary', op, opSpan, bool, matching, left, right, start: left.start, end: right.end };
  }
}

function operandFrom(cursor: Cursor): Expr {
  const piece = cursor.pieces[cursor.next];
  cursor.next += 1;
  if (piece?.kind === 'sign') return signed(piece.op, piece.start, binaryFrom(cursor, SIGN_LEVEL + 1));
  if (piece?.kind !== 'operand') throw new Error('the grammar puts an operand here');
  let operand = piece.expr;
  for (;;) {
    const next = cursor.pieces[cursor.next];
    if (next?.kind !== 'modifier') return operand;
    cursor.next += 1;
    operand = applyModifier(operand, next.modifier, next.end);
  }
}

function signed(op: '+' | '-', start: number, operand: Expr): Expr {
  if (operand.kind !== 'number') return { kind: 'unary', op, expr: operand, start, end: operand.end };
  return { ...operand, value: op === '-' ? -operand.value : operand.value, start };
}

function applyModifier(operand: Expr, modifier: Modifier, end: number): Expr {
  switch (modifier.kind) {
    case 'offset':
      return shifted(operand, { offsetMs: modifier.offsetMs }, end);
    case 'at':
      return shifted(operand, { at: modifier.at }, end);
    case 'range':
      return ranged(operand, modifier.rangeMs, { start: operand.end, end });
    case 'subquery': {
      const { rangeMs, stepMs } = modifier;
      const step = stepMs === undefined ? {} : { stepMs };
      return { kind: 'subquery', expr: operand, rangeMs, ...step, offsetMs: 0, start: operand.start, end };
    }
    default:
      return modifier satisfies never;
  }
}

function ranged(operand: Expr, rangeMs: number, brackets: Span): Expr {
  if (operand.kind !== 'selector') throw misplaced('ranges only allowed for vector selectors', brackets);
  if (operand.offsetMs !== 0) throw misplaced('no offset modifiers allowed before range', brackets);
  if (operand.at !== undefined) throw misplaced('no @ modifiers allowed before range', brackets);
  return { kind: 'range', selector: operand, rangeMs, start: operand.start, end: brackets.end };
}

type Shift = { readonly offsetMs?: number; readonly at?: AtModifier };

function shifted(operand: Expr, shift: Shift, end: number): Expr {
  if (operand.kind === 'range') return { ...operand, selector: withShift(operand.selector, shift), end };
  if (operand.kind === 'selector' || operand.kind === 'subquery') return { ...withShift(operand, shift), end };
  const name = shift.at === undefined ? 'offset' : '@';
  throw misplaced(`${name} modifier must be preceded by a selector, a range selector or a subquery`, operand);
}

function withShift<T extends VectorSelector | (Expr & { kind: 'subquery' })>(target: T, shift: Shift): T {
  if (shift.offsetMs !== undefined && target.offsetMs !== 0)
    throw misplaced('offset may not be set multiple times', target);
  if (shift.at !== undefined && target.at !== undefined) throw misplaced('@ may not be set multiple times', target);
  return { ...target, ...shift };
}

function misplaced(message: string, span: Span): PromqlError {
  return new PromqlError('syntax', message, { start: span.start, end: span.end });
}

import type { SyntaxNode } from '@lezer/common';
import type { AtModifier, VectorSelector } from './ast.ts';
import { MAX_DURATION_SECONDS, parseDurationSeconds, parseNumber } from './literals.ts';
import { PromqlError, unsupported } from './promql-error.ts';
import type { Matcher } from './series.ts';
import { isLabelName, unquote } from './string-literals.ts';
import { childNodes, type Source, spanOf, textOf } from './tree.ts';

export function labelNames(source: Source, node: SyntaxNode): string[] {
  return childNodes(node).map((label) => {
    const name = label.name === 'LabelName' ? textOf(source, label) : stringOf(source, label);
    if (isLabelName(name)) return name;
    throw new PromqlError('semantic', `invalid label name for grouping: ${textOf(source, label)}`, spanOf(label));
  });
}

export function selector(source: Source, node: SyntaxNode): VectorSelector {
  const parts = childNodes(node);
  const identifier = parts.find((part) => part.name === 'Identifier');
  const braces = parts.find((part) => part.name === 'LabelMatchers');
  const matchers = braces === undefined ? [] : childNodes(braces).map((part) => matcher(source, part));
  const base = { kind: 'selector', offsetMs: 0, ...spanOf(node) } as const;
  if (identifier === undefined) return { ...base, matchers };
  const name = textOf(source, identifier);
  if (name.toLowerCase() === 'atan2')
    throw new PromqlError('syntax', 'unexpected atan2, expected an expression', spanOf(identifier));
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

export function stringOf(source: Source, node: SyntaxNode): string {
  const value = unquote(textOf(source, node));
  if (value !== undefined) return value;
  throw new PromqlError('syntax', `malformed string ${textOf(source, node)}`, spanOf(node));
}

export function atModifier(source: Source, value: SyntaxNode): AtModifier {
  if (value.name === 'AtModifierPreprocessors') {
    return { kind: textOf(source, value).toLowerCase() === 'start' ? 'start' : 'end' };
  }
  const seconds = numberOf(source, value);
  if (!(Math.abs(seconds) < 2 ** 63)) {
    throw new PromqlError('semantic', `timestamp out of bounds for @ modifier: ${seconds}`, spanOf(value));
  }
  return { kind: 'time', at: Math.round(seconds * 1000) };
}

export function positiveMs(source: Source, node: SyntaxNode): number {
  const seconds = durationSeconds(source, node);
  if (seconds > 0) return wholeMs(seconds);
  throw new PromqlError('semantic', 'duration must be greater than 0', spanOf(node));
}

/** A duration with at most one sign; anything longer is an experimental duration expression. */
export function durationSeconds(source: Source, node: SyntaxNode): number {
  const match = /^([+-]?)\s*([\w.]+(?:(?<=[eE])[+-]?\d+)?)$/.exec(textOf(source, node));
  const seconds = match?.[2] === undefined ? undefined : valueOf(match[2]);
  if (isGlued(source, node.to)) throw badNumber(source, node.from);
  const isWord = /^\d+[a-z]/.test(match?.[2] ?? '');
  if (seconds === undefined && !isWord) throw unsupported('a duration expression', spanOf(node));
  if (seconds === undefined || !(seconds < MAX_DURATION_SECONDS)) {
    throw new PromqlError('semantic', 'duration out of range', spanOf(node));
  }
  return match?.[1] === '-' ? -seconds : seconds;
}

/** Prometheus keeps durations in nanoseconds and evaluates in whole milliseconds, both towards zero in the end. */
export function wholeMs(seconds: number): number {
  return Math.trunc(Math.round(seconds * 1e9) / 1e6);
}

export function numberOf(source: Source, node: SyntaxNode): number {
  const sign = /^[+-]\s*/.exec(textOf(source, node))?.[0] ?? '';
  const value = valueAt(source, node.from + sign.length, node.to);
  return sign.startsWith('-') ? -value : value;
}

export function valueAt(source: Source, start: number, end: number): number {
  const value = isGlued(source, end) ? undefined : valueOf(source.text.slice(start, end));
  if (value === undefined) throw badNumber(source, start);
  return value;
}

/** The grammar takes `1and x` for `1 and x`; Prometheus does not. */
function isGlued(source: Source, end: number): boolean {
  return /[\w.]/.test(source.text[end] ?? '');
}

function badNumber(source: Source, start: number): PromqlError {
  const token = /^[\w.]+/.exec(source.text.slice(start))?.[0] ?? '';
  return new PromqlError('syntax', `bad number or duration: ${token}`, { start, end: start + token.length });
}

function valueOf(text: string): number | undefined {
  return parseNumber(text) ?? parseDurationSeconds(text);
}

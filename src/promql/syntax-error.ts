import type { SyntaxNode, Tree } from '@lezer/common';
import { nearestName } from '../core/nearest-name.ts';
import { FUNCTIONS, signatureOf } from './functions.ts';
import { PromqlError, unsupported } from './promql-error.ts';

/** What may stand in a node, for the message about what does not. */
const EXPECTED: Readonly<Record<string, string>> = {
  PromQL: 'an operator or the end of the query',
  BinaryExpr: 'an expression',
  UnaryExpr: 'an expression',
  ParenExpr: 'an expression',
  FunctionCallBody: 'an argument',
  AggregateExpr: 'by, without or the arguments in parentheses',
  GroupingLabels: 'label names separated by commas',
  LabelMatchers: 'matchers such as name="value", separated by commas',
  UnquotedLabelMatcher: 'one of = != =~ !~ and a quoted value',
  QuotedLabelMatcher: 'one of = != =~ !~ and a quoted value',
  MatrixSelector: 'a duration such as 5m and ]',
  SubqueryExpr: 'a duration such as 5m and ]',
  DurationExpr: 'a duration such as 5m',
  OffsetExpr: 'a duration such as 5m',
  OffsetDurationExpr: 'a duration such as 5m',
  StepInvariantExpr: 'a timestamp, start() or end()',
  MatchingModifierClause: 'label names in parentheses',
};

/** In texts of several thousand characters the grammar may give up on longer chains of operators. */
const MAX_OPERATORS_IN_A_ROW = 100;

/** The first fault that the error-tolerant grammar stepped over, or undefined if there is none. */
export function findSyntaxError(tree: Tree, text: string): PromqlError | undefined {
  let first: SyntaxNode | undefined;
  let operators = 0;
  tree.iterate({
    enter: (node) => {
      if (node.name === 'BinaryExpr') operators += 1;
      if (node.type.isError && (first === undefined || node.from < first.from)) first = node.node;
      return first === undefined || node.from <= first.from;
    },
  });
  if (first === undefined) return undefined;
  if (operators > MAX_OPERATORS_IN_A_ROW) return tooLong(first);
  return durationExpression(first, text) ?? unknownFunction(first, text) ?? describe(first, text);
}

function tooLong({ from, to }: SyntaxNode): PromqlError {
  const message = `more than ${MAX_OPERATORS_IN_A_ROW} operators in a row; use parentheses, or one selector for several series`;
  return new PromqlError('syntax', message, { start: from, end: to });
}

/** The grammar knows the words of duration expressions in lower case and in some places only. */
function durationExpression(error: SyntaxNode, text: string): PromqlError | undefined {
  const before = text.slice(0, error.from);
  const word = /^\s*\(?\s*(?:step|range|min_of|max_of)\s*\(/i.exec(text.slice(error.from));
  const isDuration = /(?:\[[^\]]*|\boffset[\s+-]*\(?\s*)$/i.test(before);
  return word !== null && isDuration
    ? unsupported('a duration expression', { start: error.from, end: error.to })
    : undefined;
}

function describe(error: SyntaxNode, text: string): PromqlError {
  const rest = text.slice(error.from);
  const found = /^\s*(?:"[^"]*"|'[^']*'|`[^`]*`|[\w:.]+|\S)/.exec(rest)?.[0].trim() ?? '';
  const from = error.from + rest.indexOf(found);
  const expected = text.trim() === '' ? 'an expression' : expectation(error);
  const message = `unexpected ${found === '' ? 'end of the query' : found}, expected ${expected}`;
  return new PromqlError('syntax', message, { start: from, end: from + found.length });
}

function expectation(error: SyntaxNode): string {
  for (let node = error.parent; node !== null; node = node.parent) {
    const expected = EXPECTED[node.name];
    if (expected !== undefined) return expected;
  }
  return 'an expression';
}

/** A name before a parenthesis that is neither a function nor an aggregation of the grammar. */
function unknownFunction(error: SyntaxNode, text: string): PromqlError | undefined {
  const before = /([A-Za-z_:][\w:]*)\s*$/.exec(text.slice(0, error.from));
  if (before?.[1] === undefined || text[error.from] !== '(') return undefined;
  const name = before[1];
  const span = { start: before.index, end: before.index + name.length };
  const signature = signatureOf(name);
  if (signature !== undefined) {
    return signature.unsupported === undefined ? undefined : unsupported(signature.unsupported, span);
  }
  const hint = nearestName(name, Object.keys(FUNCTIONS));
  const question = hint === undefined ? '' : `; did you mean ${hint}()?`;
  return new PromqlError('semantic', `unknown function ${name}()${question}`, span);
}

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Expr } from './ast.ts';
import { parseQuery } from './parse.ts';
import { PromqlError } from './promql-error.ts';

function faultOf(query: string): PromqlError {
  try {
    parseQuery(query);
  } catch (error) {
    if (error instanceof PromqlError) return error;
    throw error;
  }
  throw new Error(`${query} was accepted`);
}

/** Operators in prefix form, selectors by name, so that binding shows. */
function shape(expr: Expr): string {
  switch (expr.kind) {
    case 'number':
      return String(expr.value);
    case 'string':
      return JSON.stringify(expr.value);
    case 'selector':
      return `${expr.name}${expr.offsetMs === 0 ? '' : `~${expr.offsetMs}`}${expr.at === undefined ? '' : `@${expr.at.kind}`}`;
    case 'range':
      return `${shape(expr.selector)}[${expr.rangeMs}]`;
    case 'subquery':
      return `${shape(expr.expr)}[${expr.rangeMs}:${expr.stepMs ?? ''}]${expr.offsetMs === 0 ? '' : `~${expr.offsetMs}`}`;
    case 'paren':
      return shape(expr.expr);
    case 'unary':
      return `(${expr.op} ${shape(expr.expr)})`;
    case 'binary':
      return `(${expr.op} ${shape(expr.left)} ${shape(expr.right)})`;
    case 'aggregate':
      return `(${expr.op} ${shape(expr.expr)})`;
    case 'call':
      return `(${expr.name} ${expr.args.map(shape).join(' ')})`;
    default:
      return expr satisfies never;
  }
}

describe('parseQuery', () => {
  it.each([
    ['a > 2 * b offset 1d', '(> a (* 2 b~86400000))'],
    ['a + b offset 5m * c', '(+ a (* b~300000 c))'],
    ['a * b offset 5m + c', '(+ (* a b~300000) c)'],
    ['-m @ 100', '(- m@time)'],
    ['a + b[5m:1m]', '(+ a b[300000:60000])'],
    ['-a[5m:]', '(- a[300000:])'],
    ['a ^ -b ^ c', '(^ a (- (^ b c)))'],
    ['-1 ^ 2', '(- (^ 1 2))'],
    ['-a * b', '(* (- a) b)'],
    ['-2', '-2'],
    ['a - -1', '(- a -1)'],
    ['a -1', '(- a 1)'],
    ['a or b and c unless d', '(or a (unless (and b c) d))'],
    ['a == b + c', '(== a (+ b c))'],
    ['a % b atan2 c', '(atan2 (% a b) c)'],
    ['x[5m] offset 1m @ 3', 'x~60000@time[300000]'],
    ['x @ end() offset -1m', 'x~-60000@end'],
    ['rate(x[1h30m:90])', '(rate x[5400000:90000])'],
    ['sum by (x) (a) / on (x) group_left b', '(/ (sum a) b)'],
    ['start + end', '(+ start end)'],
    ['1. + 1.e2 + 0XfF', '(+ (+ 1 100) 255)'],
    ['min_of(1, max_of(2, 3))', '(min_of 1 (max_of 2 3))'],
    ['"a" # b', '"a"'],
    ['a\r\n+\tb', '(+ a b)'],
  ])('binds %s', (query, expected) => {
    expect(shape(parseQuery(query))).toBe(expected);
  });

  it('keeps positions in the text as it was', () => {
    const expr = parseQuery('up  ==  2. # why\n');
    expect(expr).toMatchObject({
      kind: 'binary',
      start: 0,
      opSpan: { start: 4, end: 6 },
      right: { start: 8, value: 2 },
    });
  });

  it.each([
    ['', 'unexpected end of the query, expected an expression', 0],
    ['a +', 'unexpected end of the query, expected an expression', 3],
    ['sum(a', 'unclosed (', 3],
    ['a)', 'unexpected ): nothing is open', 1],
    ['a[5m)', 'unexpected ), expected ]', 4],
    ['a{b="c}', 'unterminated quoted string', 4],
    ['a{b}', 'unexpected }, expected one of = != =~ !~ and a quoted value', 3],
    ['a{b="\\q"}', 'malformed string "\\q"', 4],
    ['a b', 'unexpected b, expected an operator or the end of the query', 2],
    ['1and b', 'bad number or duration: 1and', 0],
    ['a offset 5mand b', 'bad number or duration: 5mand', 9],
    ['atan2', 'unexpected atan2, expected an expression', 0],
    ['1_000.5', 'bad number or duration: 1_000.5', 0],
    ['a\u00a0+ b', 'unexpected character "\u00a0"', 1],
    ['"\ufffd"', 'invalid UTF-8 in a quoted string', 1],
    ['\ud800', 'the query is no valid Unicode text', 0],
    ['a offset 5m offset 5m', 'offset may not be set multiple times', 0],
    ['a @ 1 @ 2', '@ may not be set multiple times', 0],
    ['(a)[5m]', 'ranges only allowed for vector selectors', 3],
    ['a offset 5m [5m]', 'no offset modifiers allowed before range', 11],
    ['a @ 1 [5m]', 'no @ modifiers allowed before range', 5],
    ['sum(a) offset 5m', 'offset modifier must be preceded by a selector, a range selector or a subquery', 0],
    ['a[0s]', 'duration must be greater than 0', 2],
    ['a[-5m]', 'duration must be greater than 0', 2],
    ['a[300y]', 'duration out of range', 2],
    ['a @ Inf', 'timestamp out of bounds for @ modifier: Infinity', 4],
    ['foo(a)', 'unknown function foo()', 0],
    ['rates(a[5m])', 'unknown function rates(); did you mean rate()?', 0],
    ['Rate(a[5m])', 'unknown function Rate(); did you mean rate()?', 0],
    ['topk(a)', 'topk takes 2 arguments, got 1', 0],
    ['sum(a, b)', 'sum takes 1 argument, got 2', 0],
    ['sum by ("") (a)', 'invalid label name for grouping: ""', 8],
    ['abs(a,)', 'unexpected ), expected an argument', 6],
  ])('refuses %j', (query, message, offset) => {
    expect(faultOf(query)).toMatchObject({ message, offset });
  });

  it.each([
    'a[5m * 2]',
    'a[step()]',
    'a offset STEP()',
    'a offset -min_of(1m, 2m)',
    'rate(a[5m] anchored)',
    'a smoothed',
    'a </ 5',
  ])('says that %s needs a server', (query) => {
    expect(faultOf(query)).toMatchObject({ code: 'unsupported' });
    expect(faultOf(query).message).toContain('MetricSource of type prometheus');
  });

  it.each([
    ['parentheses', `${'('.repeat(10_000)}1${')'.repeat(10_000)}`],
    ['signs', `${'-'.repeat(50_000)}1`],
    ['operators', `1${'+1'.repeat(40_000)}`],
    ['powers', `2${'^2'.repeat(40_000)}`],
    ['subqueries', `a${'[5m:1m]'.repeat(10_000)}`],
    ['offsets', `a${' offset 5m'.repeat(9000)}`],
    ['calls', `${'abs('.repeat(10_000)}a${')'.repeat(10_000)}`],
    ['a long text', `a{b="${'x'.repeat(200_000)}"}`],
  ])('survives a bomb of %s', (_, query) => {
    expect(faultOf(query).code).toBe('syntax');
  });

  it('accepts as many operators as any person writes', () => {
    expect(parseQuery(`a${' or on (x) rate(a[5m])'.repeat(100)}`).kind).toBe('binary');
    expect(faultOf(`a${' or on (x) rate(a[5m])'.repeat(400)}`).message).toContain('operators in a row');
  });

  const tokens =
    'a b sum rate by on ( ) [ ] { } , : = =~ + - ^ and offset @ 5m 1 1. "x" bool start() nan # \\ é max_of('.split(' ');
  const token = fc.constantFrom(...tokens, ' ', '\n', "'");

  /** Whether a query parses, or is refused at a place that it has. */
  function endsWell(query: string): boolean {
    try {
      const { start, end } = parseQuery(query);
      return start <= end;
    } catch (error) {
      if (!(error instanceof PromqlError)) throw error;
      return error.offset >= 0 && error.offset <= error.end && error.end <= query.length;
    }
  }

  it('ends in an expression or a positioned fault, whatever the text', () => {
    fc.assert(
      fc.property(fc.array(token, { maxLength: 25 }), fc.boolean(), (words, spaced) => {
        expect(endsWell(words.join(spaced ? ' ' : ''))).toBe(true);
      }),
      { numRuns: 3000 },
    );
  });
});

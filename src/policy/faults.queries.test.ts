import { describe, expect, it } from 'vitest';
import { badFixtures, faultsOf } from '../../test/tools/policy-fixtures.ts';

/** By fixture: every line that is printed of it. */
const EXPECTED: Readonly<Record<string, readonly string[]>> = {
  'query-argument': [
    '22:19 error[E-QUERY] the query is not right: expected range vector in argument 1 of rate(), got instant vector; a range is missing: `rate(x[5m])`',
  ],
  'query-check': [
    '30:34 error[E-QUERY] the query is not right: expected range vector in argument 1 of rate(), got instant vector; a range is missing: `rate(x[5m])`',
  ],
  'query-empty': ['22:14 error[E-EMPTY] `query` is empty; expected a query in PromQL such as up{job="memory-service"}'],
  'query-function': ['22:14 error[E-QUERY] the query is not right: unknown function ratee(); did you mean rate()?'],
  'query-mapping': [
    '22:14 error[E-TYPE] `query` must be a query in PromQL such as up{job="memory-service"}; found a mapping; a text that begins with { needs quotes',
  ],
  'query-number': [
    '22:14 error[E-TYPE] `query` must be a query in PromQL such as up{job="memory-service"}; found the number 5; write "5"',
  ],
  'query-plain-folded': [
    '23:9 error[E-QUERY] the query is not right: unexpected plus, expected by, without or the arguments in parentheses',
  ],
  'query-range': [
    '22:14 error[E-QUERY-TYPE] the query gives a range vector, expected an instant vector; put it into a function such as rate(…) or max_over_time(…), or leave the range out',
  ],
  'query-scalar': [
    '22:14 error[E-QUERY-TYPE] the query gives a scalar, expected an instant vector; it must look at series, each of which is judged; vector(…) makes a series of a scalar',
  ],
  'query-string': [
    '22:14 error[E-QUERY-TYPE] the query gives a string, expected an instant vector; leave the quotes out if it is meant as a query',
  ],
  'query-syntax-block': ['23:12 error[E-QUERY] the query is not right: unclosed ('],
  'query-syntax-folded': [
    '24:9 error[E-QUERY] the query is not right: unexpected plus, expected by, without or the arguments in parentheses',
  ],
  'query-syntax-quoted': [
    '22:49 error[E-QUERY] the query is not right: unexpected x, expected a duration such as 5m and ]',
  ],
  'query-syntax': ['22:17 error[E-QUERY] the query is not right: unclosed ('],
  'query-variable': ['22:44 error[E-QUERY] the query is not right: unexpected /, expected an expression'],
};

describe('queries', () => {
  it('has an expectation for every fixture', () => {
    expect(badFixtures('queries')).toEqual(Object.keys(EXPECTED).sort());
  });

  it.each(Object.entries(EXPECTED))('%s', (name, lines) => {
    expect(faultsOf('queries', name)).toEqual({ refused: true, lines });
  });
});

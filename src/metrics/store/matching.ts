import { RE2JS } from 're2js';
import type { Labels, Matcher } from '../../promql/series.ts';

type Test = (value: string) => boolean;

/** Whether a label set satisfies all matchers; an absent label is matched as an empty value. */
export function compileMatchers(matchers: readonly Matcher[]): (labels: Labels) => boolean {
  const tests = matchers.map((matcher) => [matcher.name, compileMatcher(matcher)] as const);
  return (labels) => tests.every(([name, accepts]) => accepts(labels[name] ?? ''));
}

/**
 * Regular expressions are RE2's, anchored at both ends, and `.` matches a line break, as in Prometheus 3.
 * Throws re2js' syntax error for an invalid expression; the checker of queries has refused those before.
 */
export function compileMatcher({ op, value }: Matcher): Test {
  return TESTS[op](value);
}

const TESTS: Readonly<Record<Matcher['op'], (value: string) => Test>> = {
  '=': (value) => (found) => found === value,
  '!=': (value) => (found) => found !== value,
  '=~': anchored,
  '!~': (value) => {
    const matches = anchored(value);
    return (found) => !matches(found);
  },
};

function anchored(expression: string): Test {
  const pattern = RE2JS.compile(expression, RE2JS.DOTALL);
  return (found) => pattern.testExact(found);
}

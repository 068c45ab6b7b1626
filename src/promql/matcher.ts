import { labelValue } from './labels.ts';
import { PromqlError } from './promql-error.ts';
import { compileMatcher } from './regex.ts';
import type { Labels, Matcher } from './series.ts';

/** Whether a label's value (empty if the label is absent) satisfies the matcher; undefined if its regex is no RE2. */
export function valuePredicate(matcher: Matcher): ((value: string) => boolean) | undefined {
  switch (matcher.op) {
    case '=':
      return (value) => value === matcher.value;
    case '!=':
      return (value) => value !== matcher.value;
    case '=~':
      return compileMatcher(matcher.value);
    case '!~': {
      const matches = compileMatcher(matcher.value);
      return matches === undefined ? undefined : (value) => !matches(value);
    }
    default:
      return matcher.op satisfies never;
  }
}

/** Whether a label set satisfies all matchers. Throws a `PromqlError` for a regex that is no RE2. */
export function labelsPredicate(matchers: readonly Matcher[]): (labels: Labels) => boolean {
  const tests = matchers.map((matcher) => {
    const test = valuePredicate(matcher);
    if (test === undefined) throw badRegex(matcher, { start: 0, end: 0 });
    return { name: matcher.name, test };
  });
  return (labels) => tests.every(({ name, test }) => test(labelValue(labels, name)));
}

export function badRegex(matcher: Matcher, span: { readonly start: number; readonly end: number }): PromqlError {
  const message = `the pattern of ${matcher.name}${matcher.op}${JSON.stringify(matcher.value)} is no valid RE2 regular expression`;
  return new PromqlError('semantic', message, span);
}

import { RE2JS } from 're2js';

/**
 * A regular expression of RE2's syntax that must match the whole text, as everywhere in Prometheus; `.` matches newlines too.
 * RE2 matches in linear time, so no pattern can stall the evaluator. Undefined if the pattern is no RE2.
 */
export function compileAnchored(pattern: string): RE2JS | undefined {
  try {
    return RE2JS.compile(`^(?s:${pattern})$`);
  } catch (error) {
    if (error instanceof Error) return undefined;
    throw error;
  }
}

/** `compileAnchored` as a predicate, with shortcuts for the patterns that most queries use. */
export function compileMatcher(pattern: string): ((text: string) => boolean) | undefined {
  const literals = pattern.split('|');
  if (literals.every((literal) => /^[\w /:-]*$/.test(literal))) {
    const known = new Set(literals);
    return (text) => known.has(text);
  }
  if (pattern === '.*') return () => true;
  if (pattern === '.+') return (text) => text !== '';
  const regex = compileAnchored(pattern);
  return regex === undefined ? undefined : (text) => regex.matches(text);
}

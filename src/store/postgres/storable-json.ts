/** Any escape, so that what follows a backslash that is escaped itself is not taken for one. */
const ESCAPE = /\\(?:u0000|u[dD][89a-fA-F][0-9a-fA-F]{2}|.)/g;

/**
 * The text of JSON without what `jsonb` refuses: the character 0 and halves of surrogate pairs, which JavaScript and SQLite
 * write as escapes. They become U+FFFD, the replacement character; the log keeps them as they are.
 */
export function storableJson(json: string): string {
  return json.replace(ESCAPE, (escape) => (escape.length === 6 ? '\uFFFD' : escape));
}

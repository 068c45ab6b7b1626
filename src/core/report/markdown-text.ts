/** Text in one line of a report: no value begins a tag, a link, a span of code or the next cell of a table. */
export function markdownText(text: string): string {
  return text.replaceAll(/\s*[\r\n\u2028\u2029]\s*/g, ' ').replaceAll(/[\\`*[\]<|]/g, '\\$&');
}

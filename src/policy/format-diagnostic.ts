import { type Diagnostic, MOST_DIAGNOSTICS } from './diagnostic.ts';

export type FormatOptions = {
  readonly colour: boolean;
  /** The text of a file, if its lines are to be shown; undefined for a file that cannot be read. */
  readonly textOf?: (file: string) => string | undefined;
};

/** `file:line:col severity[CODE] message`, and below it, if texts are given, the line and a caret. */
export function formatDiagnostic(diagnostic: Diagnostic, options: FormatOptions = { colour: false }): string {
  const { file, line, column, severity, code, message, related = [] } = diagnostic;
  const paint = painter(options.colour);
  const tone = severity === 'error' ? RED : YELLOW;
  const head = `${paint(BOLD, `${file}:${line}:${column}`)} ${paint(tone, `${severity}[${code}]`)} ${message}`;
  const excerpt = excerptOf(diagnostic, options, (text) => paint(tone, text));
  const notes = related.map((place) => `    ${place.file}:${place.line}:${place.column} ${place.message}`);
  return [head, ...excerpt, ...notes].join('\n');
}

/** All of them, one below the other, and how many more there are. */
export function formatDiagnostics(
  { diagnostics, omitted }: { readonly diagnostics: readonly Diagnostic[]; readonly omitted: number },
  options: FormatOptions = { colour: false },
): string {
  const lines = diagnostics.map((diagnostic) => formatDiagnostic(diagnostic, options));
  if (omitted > 0) lines.push(`and ${omitted} more (only the first ${MOST_DIAGNOSTICS} are shown)`);
  return lines.join('\n');
}

const BOLD = 1;
const RED = 31;
const YELLOW = 33;
const DIM = 2;

function painter(colour: boolean): (style: number, text: string) => string {
  return (style, text) => (colour ? `\u001b[${style}m${text}\u001b[0m` : text);
}

/** Longer lines are cut around the place. */
const WIDEST = 100;

function excerptOf(
  { file, line, column }: Diagnostic,
  { textOf, colour }: FormatOptions,
  mark: (text: string) => string,
): readonly string[] {
  const source = textOf?.(file)?.split(/\r?\n/)[line - 1];
  if (source === undefined) return [];
  const from = column > WIDEST ? column - WIDEST / 2 : 0;
  const shown = source.slice(from, from + WIDEST).replaceAll(/\p{Cc}/gu, ' ');
  const number = String(line).padStart(5);
  const bar = painter(colour)(DIM, '|');
  return [`${number} ${bar} ${shown}`, `${' '.repeat(5)} ${bar} ${' '.repeat(column - 1 - from)}${mark('^')}`];
}

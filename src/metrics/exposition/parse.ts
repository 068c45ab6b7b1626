import type { Millis } from '../../core/units.ts';
import type { Sample } from '../batch.ts';
import { type ExpositionFormat, html } from './decode.ts';
import { ExpositionError, excerpt } from './exposition-error.ts';
import type { SeriesTable } from './series-table.ts';

export type ParseOptions = {
  readonly format: ExpositionFormat;
  /** The most samples that are accepted. */
  readonly limit: number;
};

const LONGEST_LINE = 65_536;
const METADATA = /^#[ \t]+(?:(HELP|TYPE|UNIT)[ \t]+(\S+)(?:[ \t]+(.*))?|(HELP|TYPE|UNIT)[ \t]*)$/;
const TYPES: ReadonlySet<string> = new Set(
  'counter gauge histogram gaugehistogram summary untyped unknown info stateset'.split(' '),
);

const TAB = 9;
const NEWLINE = 10;
const SPACE = 32;
const QUOTE = 34;
const HASH = 35;
const LESS = 60;
const BACKSLASH = 92;
const OPEN_BRACE = 123;
const CLOSE_BRACE = 125;

/** Where a line is being read. */
type Cursor = { readonly text: string; readonly end: number; readonly line: number; at: number };

/**
 * The samples of an exposition: the Prometheus text format 0.0.4
 * (https://prometheus.io/docs/instrumenting/exposition_formats/) or OpenMetrics 1.0
 * (https://prometheus.io/docs/specs/om/open_metrics_spec/). Metadata is checked and ignored, exemplars are skipped.
 * All or nothing: throws an ExpositionError at the first fault.
 */
export function parseExposition(text: string, table: SeriesTable, options: ParseOptions): Sample[] {
  const samples: Sample[] = [];
  let ended = false;
  let line = 0;
  refuseTooMany(text, options.limit);
  table.begin();
  for (let start = 0, end: number; start < text.length; start = end + 1) {
    end = lineEnd(text, start, ++line);
    const cursor: Cursor = { text, end, line, at: start };
    skipBlanks(cursor);
    if (cursor.at === end) continue;
    if (ended) throw new ExpositionError('text_after_eof', line, `expected nothing after # EOF, found ${rest(cursor)}`);
    if (text.charCodeAt(cursor.at) === HASH) ended = readComment(cursor, options.format);
    else samples.push(readSample(cursor, table, options));
  }
  if (!ended && options.format === 'openmetrics') throw eofMissing(line);
  return samples;
}

/** Before anything is parsed: taking apart the first fifty thousand of a million series would take the longest. */
function refuseTooMany(text: string, limit: number): void {
  let samples = 0;
  for (let start = 0, line = 1; start < text.length; line++) {
    const code = text.charCodeAt(start);
    if (code !== HASH && code !== NEWLINE && ++samples > limit) throw tooMany(line, limit);
    const newline = text.indexOf('\n', start);
    start = newline === -1 ? text.length : newline + 1;
  }
}

function lineEnd(text: string, start: number, line: number): number {
  const newline = text.indexOf('\n', start);
  const end = newline === -1 ? text.length : newline;
  if (end - start <= LONGEST_LINE) return end;
  const what = `${end - start} characters in one line; at most ${LONGEST_LINE} are accepted`;
  throw new ExpositionError('line_too_long', line, what);
}

/** Whether the comment is OpenMetrics' end. */
function readComment(cursor: Cursor, format: ExpositionFormat): boolean {
  const comment = cursor.text.slice(cursor.at, cursor.end);
  if (format === 'openmetrics' && comment === '# EOF') return true;
  const [, kind, , detail, incomplete] = METADATA.exec(comment) ?? [];
  if (incomplete !== undefined) throw badMetadata(cursor.line, `expected a metric name after # ${incomplete}`);
  if (kind === 'TYPE' && !TYPES.has((detail ?? '').trim())) {
    throw badMetadata(cursor.line, `expected one of ${[...TYPES].join(', ')}, found ${excerpt(detail ?? '')}`);
  }
  return false;
}

function readSample(cursor: Cursor, table: SeriesTable, { format }: ParseOptions): Sample {
  const entry = table.lookUp(readSeriesText(cursor), cursor.line);
  const value = readValue(cursor);
  const timestamp = readTimestamp(cursor, format);
  if (!atExemplar(cursor, format) && cursor.at < cursor.end) {
    throw new ExpositionError('trailing_text', cursor.line, `expected the end of the line, found ${rest(cursor)}`);
  }
  if (!table.see(entry, timestamp)) throw repeated(cursor);
  const { labels } = entry;
  return timestamp === undefined ? { labels, value } : { labels, value, timestamp };
}

/** The text up to the value; it is taken apart only the first time it is seen. */
function readSeriesText(cursor: Cursor): string {
  const start = cursor.at;
  if (cursor.text.charCodeAt(start) === LESS) throw html(cursor.line);
  while (cursor.at < cursor.end && !isBlankOrBrace(cursor.text.charCodeAt(cursor.at))) cursor.at++;
  let stop = cursor.at;
  skipBlanks(cursor);
  if (cursor.text.charCodeAt(cursor.at) === OPEN_BRACE) {
    skipBraces(cursor);
    stop = cursor.at;
  }
  return cursor.text.slice(start, stop);
}

function isBlankOrBrace(code: number): boolean {
  return code === SPACE || code === OPEN_BRACE || code === TAB;
}

function skipBraces(cursor: Cursor): void {
  const { text, end } = cursor;
  const start = cursor.at;
  let quoted = false;
  for (let at = start; at < end; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) quoted = !quoted;
    else if (quoted && code === BACKSLASH) at++;
    else if (!quoted && code === CLOSE_BRACE) {
      cursor.at = at + 1;
      return;
    }
  }
  const found = excerpt(text.slice(start, end));
  throw new ExpositionError('bad_label', cursor.line, `expected ${quoted ? 'a closing "' : 'a closing }'} in ${found}`);
}

function readValue(cursor: Cursor): number {
  const word = readWord(cursor);
  const value = parseNumber(word);
  if (value !== undefined) return value;
  const found = word === '' ? 'nothing' : excerpt(word);
  throw new ExpositionError(
    'bad_value',
    cursor.line,
    `expected a number, NaN, +Inf or -Inf as the value, found ${found}`,
  );
}

/** Milliseconds in the text format, seconds with a fraction in OpenMetrics. */
function readTimestamp(cursor: Cursor, format: ExpositionFormat): Millis | undefined {
  if (cursor.at === cursor.end || atExemplar(cursor, format)) return undefined;
  const word = readWord(cursor);
  const stated = parseNumber(word) ?? Number.NaN;
  const timestamp = format === 'openmetrics' ? Math.round(stated * 1000) : stated;
  if (Number.isSafeInteger(timestamp)) return timestamp;
  const unit = format === 'openmetrics' ? 'seconds' : 'whole milliseconds';
  throw new ExpositionError('bad_timestamp', cursor.line, `expected a timestamp in ${unit}, found ${excerpt(word)}`);
}

function atExemplar({ text, at }: Cursor, format: ExpositionFormat): boolean {
  return format === 'openmetrics' && text.charCodeAt(at) === HASH;
}

/** The next word; the cursor goes to what follows the blanks behind it. */
function readWord(cursor: Cursor): string {
  skipBlanks(cursor);
  const start = cursor.at;
  while (cursor.at < cursor.end && !isBlank(cursor.text.charCodeAt(cursor.at))) cursor.at++;
  const word = cursor.text.slice(start, cursor.at);
  skipBlanks(cursor);
  return word;
}

const SPECIAL: Readonly<Record<string, number>> = {
  nan: Number.NaN,
  inf: Number.POSITIVE_INFINITY,
  '+inf': Number.POSITIVE_INFINITY,
  '-inf': Number.NEGATIVE_INFINITY,
  infinity: Number.POSITIVE_INFINITY,
  '+infinity': Number.POSITIVE_INFINITY,
  '-infinity': Number.NEGATIVE_INFINITY,
};

/** A decimal number or one of Go's words for the others; undefined for what only JavaScript takes for a number. */
function parseNumber(word: string): number | undefined {
  const value = Number(word);
  if (Number.isFinite(value)) return word === '' || isRadixLetter(word.charCodeAt(1)) ? undefined : value;
  const name = word.toLowerCase();
  return Object.hasOwn(SPECIAL, name) ? SPECIAL[name] : undefined;
}

/** The second character of `0x1f`, `0b1` and `0o7`. */
function isRadixLetter(code: number): boolean {
  const letter = code | 0x20;
  return letter === 0x78 || letter === 0x62 || letter === 0x6f;
}

function skipBlanks(cursor: Cursor): void {
  while (cursor.at < cursor.end && isBlank(cursor.text.charCodeAt(cursor.at))) cursor.at++;
}

function isBlank(code: number): boolean {
  return code === SPACE || code === TAB;
}

function rest(cursor: Cursor): string {
  return excerpt(cursor.text.slice(cursor.at, cursor.end));
}

function badMetadata(line: number, what: string): ExpositionError {
  return new ExpositionError('bad_metadata', line, what);
}

function repeated({ text, end, line }: Cursor): ExpositionError {
  const found = excerpt(text.slice(text.lastIndexOf('\n', end - 1) + 1, end));
  return new ExpositionError('repeated_series', line, `a series that was already in this answer: ${found}`);
}

function tooMany(line: number, limit: number): ExpositionError {
  const what = `more than ${limit} samples; raise the source's limits.samples if the target really has so many`;
  return new ExpositionError('too_many_samples', line, what);
}

function eofMissing(line: number): ExpositionError {
  return new ExpositionError('eof_missing', line, 'the answer is cut short: OpenMetrics ends with a line # EOF');
}

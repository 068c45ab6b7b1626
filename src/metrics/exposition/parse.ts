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
/** So much is parsed sooner than its samples are counted. */
const LONG_TEXT = 1024 * 1024;
const METADATA = /^#[ \t]+(?:(HELP|TYPE|UNIT)[ \t]+(\S+)(?:[ \t]+(.*))?|(HELP|TYPE|UNIT)[ \t]*)$/;
const TYPES: ReadonlySet<string> = new Set(
  'counter gauge histogram gaugehistogram summary untyped unknown info stateset'.split(' '),
);

const MINUS = 45;
const POINT = 46;
const ZERO = 48;
const NINE = 57;
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
type Cursor = { readonly text: string; end: number; line: number; at: number };

/**
 * The samples of an exposition: the Prometheus text format 0.0.4
 * (https://prometheus.io/docs/instrumenting/exposition_formats/) or OpenMetrics 1.0
 * (https://prometheus.io/docs/specs/om/open_metrics_spec/). Metadata is checked and ignored, exemplars are skipped.
 * All or nothing: throws an ExpositionError at the first fault. The samples are the table's: right until its next scrape begins.
 */
export function parseExposition(text: string, table: SeriesTable, options: ParseOptions): Sample[] {
  const samples: Sample[] = [];
  const cursor: Cursor = { text, end: -1, line: 0, at: 0 };
  let ended = false;
  if (text.length > LONG_TEXT) refuseTooMany(text, options.limit);
  table.begin();
  while (nextLine(cursor)) {
    skipBlanks(cursor);
    if (cursor.at === cursor.end) continue;
    if (ended) throw textAfterEnd(cursor);
    if (text.charCodeAt(cursor.at) === HASH) ended = readComment(cursor, options.format);
    else if (samples.length === options.limit) throw tooMany(cursor.line, options.limit);
    else samples.push(readSample(cursor, table, options));
  }
  if (!ended && options.format === 'openmetrics') throw eofMissing(cursor.line);
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

/** Goes to the next line; false if there is none. */
function nextLine(cursor: Cursor): boolean {
  const { text } = cursor;
  const start = cursor.end + 1;
  if (start >= text.length) return false;
  const newline = text.indexOf('\n', start);
  cursor.end = newline === -1 ? text.length : newline;
  cursor.at = start;
  cursor.line += 1;
  if (cursor.end - start <= LONGEST_LINE) return true;
  const what = `${cursor.end - start} characters in one line; at most ${LONGEST_LINE} are accepted`;
  throw new ExpositionError('line_too_long', cursor.line, what);
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
  const end = table.foreseen(cursor.text, cursor.at);
  if (end === -1) table.lookUp(readSeriesText(cursor), cursor.line);
  else cursor.at = end;
  const plain = readPlainNumber(cursor);
  const value = Number.isNaN(plain) ? readValue(cursor) : plain;
  const timestamp = readTimestamp(cursor, format);
  if (!atExemplar(cursor, format) && cursor.at < cursor.end) {
    throw new ExpositionError('trailing_text', cursor.line, `expected the end of the line, found ${rest(cursor)}`);
  }
  const sample = table.take(value, timestamp);
  if (sample === undefined) throw repeated(cursor);
  return sample;
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

/** Below it every whole number is a double, and so is every power of ten that so many digits after the point can ask for. */
const MOST_DIGITS = 15;
const POWERS_OF_TEN = Array.from({ length: MOST_DIGITS + 1 }, (_, exponent) => 10 ** exponent);

/**
 * Digits with at most one point, without making a text of them first: the quotient of two doubles that are exact is the double
 * next to the number, as `Number` has it. NaN, and the cursor stays, for anything else.
 */
function readPlainNumber(cursor: Cursor): number {
  const { text, end } = cursor;
  skipBlanks(cursor);
  let at = cursor.at;
  const isNegative = text.charCodeAt(at) === MINUS;
  if (isNegative) at += 1;
  let digits = 0;
  let mantissa = 0;
  let point = -1;
  for (; at < end; at += 1) {
    const code = text.charCodeAt(at);
    if (code >= ZERO && code <= NINE) {
      mantissa = mantissa * 10 + (code - ZERO);
      digits += 1;
    } else if (code === POINT && point === -1) point = digits;
    else break;
  }
  if (digits === 0 || digits > MOST_DIGITS || (at < end && !isBlank(text.charCodeAt(at)))) return Number.NaN;
  cursor.at = at;
  skipBlanks(cursor);
  const value = point === -1 ? mantissa : mantissa / (POWERS_OF_TEN[digits - point] ?? Number.NaN);
  return isNegative ? -value : value;
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

function textAfterEnd(cursor: Cursor): ExpositionError {
  const what = `expected nothing after # EOF, found ${rest(cursor)}`;
  return new ExpositionError('text_after_eof', cursor.line, what);
}

function tooMany(line: number, limit: number): ExpositionError {
  const what = `more than ${limit} samples; raise the source's limits.samples if the target really has so many`;
  return new ExpositionError('too_many_samples', line, what);
}

function eofMissing(line: number): ExpositionError {
  return new ExpositionError('eof_missing', line, 'the answer is cut short: OpenMetrics ends with a line # EOF');
}

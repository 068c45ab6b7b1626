import { PromqlError } from './promql-error.ts';

/** Deeper brackets than any person writes; the parser's memory and the call stack stay bounded. */
export const MAX_NESTING = 200;

/** Longer queries are refused before anything looks at them. */
export const MAX_QUERY_LENGTH = 100_000;

const CLOSER: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}' };
const OPENERS = /[([{]/;
const CLOSERS = /[)\]}]/;
/** Functions that the grammar does not know outside of durations, and one of equal length that it parses alike. */
const RESPELT_FUNCTIONS = /\b(?:min_of|max_of)(?=\s*\()/g;
const STAND_IN = 'absent';

/** The text with those functions replaced, or undefined if there are none. Names are to be read from the original. */
export function withStandIns(prepared: string): string | undefined {
  const respelt = prepared.replaceAll(RESPELT_FUNCTIONS, STAND_IN);
  return respelt === prepared ? undefined : respelt;
}

/** What lies outside of quotes, comments and brackets, in one step. */
const PLAIN = /[^"'`#()[\]{}]+/y;

/**
 * Checks what the grammar is too lenient about (quotes that never end, brackets that do not match, exotic spaces) and
 * returns the text with the numbers that it does not know (`2.`, `0X1F`) respelt. Every position stays what it was.
 */
export function prepare(text: string): string {
  if (text.length > MAX_QUERY_LENGTH) {
    throw syntaxError(`the query has ${text.length} characters, at most ${MAX_QUERY_LENGTH} are read`, 0, text.length);
  }
  if (!text.isWellFormed()) throw syntaxError('the query is no valid Unicode text', 0, text.length);
  const open: { readonly char: string; readonly at: number }[] = [];
  let out = '';
  for (let at = 0; at < text.length; ) {
    const token = tokenAt(text, at);
    out += respell(token, at);
    trackBrackets(open, token, at);
    at += token.length;
  }
  const unclosed = open.at(-1);
  if (unclosed !== undefined) throw syntaxError(`unclosed ${unclosed.char}`, unclosed.at, unclosed.at + 1);
  return out;
}

/** A quoted string, a comment, a bracket, or the run of anything else that begins at `at`. */
function tokenAt(text: string, at: number): string {
  const char = text.charAt(at);
  if (char === '"' || char === "'" || char === '`') return text.slice(at, endOfString(text, at, char));
  if (char === '#') return text.slice(at, endOfComment(text, at));
  PLAIN.lastIndex = at;
  return PLAIN.exec(text)?.[0] ?? char;
}

function endOfString(text: string, start: number, quote: string): number {
  for (let at = start + 1; at < text.length; at += 1) {
    const char = text.charAt(at);
    if (char === quote) return at + 1;
    if (char === '\uFFFD') throw syntaxError('invalid UTF-8 in a quoted string', at, at + 1);
    if (quote === '`') continue;
    if (char === '\n') break;
    if (char === '\\') at += 1;
  }
  throw syntaxError('unterminated quoted string', start, text.length);
}

function endOfComment(text: string, start: number): number {
  const length = text.slice(start).search(/[\r\n]/);
  return length === -1 ? text.length : start + length;
}

function respell(token: string, at: number): string {
  if (/^["'`]/.test(token)) return token;
  if (token.startsWith('#')) return ' '.repeat(token.length);
  const strange = /[^\S \t\r\n]/.exec(token);
  if (strange !== null) {
    const from = at + strange.index;
    throw syntaxError(`unexpected character ${JSON.stringify(strange[0])}`, from, from + 1);
  }
  return token
    .replaceAll('\r', '\n')
    .replaceAll(
      /(?<![\w:.])(\d[\d_]*)\.([eE][+-]?\d+)?(?![\w.])/g,
      (_, digits: string, exponent = '') => `${digits}${exponent} `,
    )
    .replaceAll(/(?<![\w:.])0X(?=[0-9a-fA-F])/g, '0x');
}

function trackBrackets(open: { char: string; at: number }[], token: string, at: number): void {
  if (OPENERS.test(token[0] ?? '')) {
    open.push({ char: token, at });
    if (open.length > MAX_NESTING) {
      throw syntaxError(`brackets are nested deeper than ${MAX_NESTING} levels`, at, at + 1);
    }
  } else if (CLOSERS.test(token[0] ?? '')) {
    const opened = open.pop();
    if (opened === undefined) throw syntaxError(`unexpected ${token}: nothing is open`, at, at + 1);
    if (CLOSER[opened.char] !== token) {
      throw syntaxError(`unexpected ${token}, expected ${CLOSER[opened.char]}`, at, at + 1);
    }
  }
}

function syntaxError(message: string, start: number, end: number): PromqlError {
  return new PromqlError('syntax', message, { start, end });
}

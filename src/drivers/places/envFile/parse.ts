import { FormatError } from '../text-format.ts';

/** `NAME=value` in the text. The span covers the value as it is written, quotes included. */
export type Assignment = {
  readonly name: string;
  /** Written as `export NAME=value`, for files that a shell reads too. systemd ignores such lines. */
  readonly exported: boolean;
  readonly value: string;
  readonly nameAt: number;
  readonly valueAt: number;
  readonly valueEnd: number;
};

type Value = { readonly value: string; readonly valueAt: number; readonly valueEnd: number; readonly next: number };

const NEWLINE = '\n\r';
const WHITESPACE = ' \t\n\r';
const EXPORT = /^export[ \t]+/;

/**
 * Reads an EnvironmentFile by systemd's rules (systemd.exec(5); `parse_env_file_internal` in its env-file.c, v254): lines
 * without `=` are passed over, a backslash joins lines, quotes count only before a bare value begins, and of quoted text
 * only `\" \\ \` \$` and escaped newlines are unescaped. A quote that is never closed is refused, although systemd takes
 * the rest of the file for the value: it is always a mistake.
 */
export function parseEnvFile(text: string): readonly Assignment[] {
  const nul = text.indexOf('\0');
  if (nul !== -1) throw new FormatError('syntax', 'holds a NUL character, at which systemd stops reading', nul);
  const assignments: Assignment[] = [];
  for (let at = 0; at < text.length; ) {
    const char = text.charAt(at);
    if (WHITESPACE.includes(char)) at += 1;
    else if (char === '#' || char === ';') at = endOfLine(text, at);
    else at = readLine(text, at, assignments);
  }
  return assignments;
}

function readLine(text: string, at: number, assignments: Assignment[]): number {
  const lineEnd = endOfLine(text, at);
  const equals = text.indexOf('=', at);
  if (equals === -1 || equals > lineEnd) return lineEnd;
  const key = text.slice(at, equals).trimEnd();
  const name = key.replace(EXPORT, '');
  const { next, ...value } = readValue(text, equals + 1);
  assignments.push({ name, exported: name !== key, nameAt: at, ...value });
  return next;
}

function readValue(text: string, start: number): Value {
  let value = '';
  let at = start;
  let valueAt = start;
  let valueEnd = start;
  while (at < text.length && !NEWLINE.includes(text.charAt(at))) {
    const char = text.charAt(at);
    if (WHITESPACE.includes(char)) {
      at += 1;
      continue;
    }
    if (valueEnd === start) valueAt = at;
    const part = char === "'" ? readSingle(text, at) : char === '"' ? readDouble(text, at) : readBare(text, at);
    value += part.value;
    at = part.next;
    valueEnd = part.valueEnd;
  }
  return { value, valueAt: valueEnd === start ? start : valueAt, valueEnd, next: at };
}

/** Up to the end of the line; blanks at the end are dropped unless escaped. */
function readBare(text: string, start: number): Omit<Value, 'valueAt'> {
  let value = '';
  let kept = 0;
  let at = start;
  let valueEnd = start;
  while (at < text.length && !NEWLINE.includes(text.charAt(at))) {
    const escaped = text.charAt(at) === '\\';
    const char = text.charAt(escaped ? at + 1 : at);
    if (!escaped || !NEWLINE.includes(char)) value += char;
    at = Math.min(text.length, at + (escaped ? 2 : 1));
    if (escaped || !WHITESPACE.includes(char)) {
      kept = value.length;
      valueEnd = at;
    }
  }
  return { value: value.slice(0, kept), valueEnd, next: at };
}

function readSingle(text: string, start: number): Omit<Value, 'valueAt'> {
  const end = text.indexOf("'", start + 1);
  if (end === -1) throw new FormatError('syntax', "this ' is never closed", start);
  return { value: text.slice(start + 1, end), valueEnd: end + 1, next: end + 1 };
}

function readDouble(text: string, start: number): Omit<Value, 'valueAt'> {
  let value = '';
  for (let at = start + 1; at < text.length; at += 1) {
    const char = text.charAt(at);
    if (char === '"') return { value, valueEnd: at + 1, next: at + 1 };
    if (char === '\\' && at + 1 < text.length) {
      at += 1;
      value += unescaped(text.charAt(at));
    } else {
      value += char;
    }
  }
  throw new FormatError('syntax', 'this " is never closed', start);
}

function unescaped(char: string): string {
  if (char === '\n') return '';
  return '"\\`$'.includes(char) ? char : `\\${char}`;
}

function endOfLine(text: string, at: number): number {
  const ends = [text.indexOf('\n', at), text.indexOf('\r', at)].filter((end) => end !== -1);
  return Math.min(text.length, ...ends);
}

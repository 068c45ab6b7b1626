import { formatEnv } from '../../envFile/format.ts';
import type { PlaceChange } from '../../place-driver.ts';
import { FormatError, lineEnding, type TextFormat } from '../../text-format.ts';
import { pointerParts } from '../pointer.ts';
import { nextLine, splice } from './text-lines.ts';

/** Java's properties, as `java.util.Properties.load` reads them. Values are texts. The last of equal keys counts. */
export const propertiesFormat = {
  empty: '',
  read: (text, entries) => {
    const all = parse(text);
    return new Map(entries.map((entry) => [entry, effective(all, keyOf(entry))?.value]));
  },
  edit: (text, changes) => changes.reduce(setEntry, text),
  remove: (text, entries) => entries.reduce(removeEntry, text),
  matches: (observed, desired) => observed === formatEnv(desired),
} satisfies TextFormat;

type Property = {
  readonly key: string;
  readonly value: string;
  readonly start: number;
  readonly valueAt: number;
  /** Before the line ending. */
  readonly end: number;
};

/** The key itself, or a JSON pointer of one part, as flags name their entries. */
function keyOf(entry: string): string {
  if (!entry.startsWith('/')) return entry;
  const [key = '', ...more] = pointerParts(entry);
  if (more.length === 0) return key;
  throw new FormatError(
    'badEntry',
    `${entry} has several parts, but properties do not nest: write ~1 for a / in a key`,
  );
}

function effective(all: readonly Property[], key: string): Property | undefined {
  return all.findLast((property) => property.key === key);
}

function parse(text: string): readonly Property[] {
  const properties: Property[] = [];
  for (let at = 0; at < text.length; ) {
    const end = logicalEnd(text, at);
    const property = parseLine(text, at, end);
    if (property !== undefined) properties.push(property);
    at = nextLine(text, end);
  }
  return properties;
}

/** A backslash that none precedes joins the next line, but not in a comment. */
function logicalEnd(text: string, start: number): number {
  const isComment = /^[ \t\f]*[#!]/.test(text.slice(start, start + 4096));
  for (let at = start; ; ) {
    const found = /[\n\r]/.exec(text.slice(at));
    const end = found === null ? text.length : at + found.index;
    if (isComment || found === null || !/(?:^|[^\\])(?:\\\\)*\\$/.test(text.slice(at, end))) return end;
    at = nextLine(text, end);
    if (at >= text.length) return text.length;
  }
}

function parseLine(text: string, start: number, end: number): Property | undefined {
  const line = text.slice(start, end);
  const [, indent = '', key = ''] = /^([ \t\f]*)((?:\\[\s\S]|[^\\=: \t\f\n\r])*)/.exec(line) ?? [];
  if (/^[#!]/.test(line.slice(indent.length)) || line.trim() === '') return undefined;
  const [gap = ''] = /^[ \t\f]*[=:]?[ \t\f]*/.exec(line.slice(indent.length + key.length)) ?? [];
  const valueAt = start + indent.length + key.length + gap.length;
  const value = unescape(text.slice(valueAt, end), start);
  return { key: unescape(key, start), value, start, valueAt, end };
}

const ESCAPES: Readonly<Record<string, string>> = { t: '\t', n: '\n', r: '\r', f: '\f' };

function unescape(text: string, offset: number): string {
  return text.replaceAll(/\\(?:(\r\n|\n|\r)[ \t\f]*|u([0-9A-Fa-f]{4})|([\s\S])|$)/g, (_, eol, code, sign) => {
    if (typeof eol === 'string') return '';
    if (typeof code === 'string') return String.fromCharCode(Number.parseInt(code, 16));
    if (sign === 'u') throw new FormatError('syntax', 'has a \\u without its four hexadecimal digits', offset);
    return typeof sign === 'string' ? (ESCAPES[sign] ?? sign) : '';
  });
}

/** Whoever reads the file as Latin-1, as Java did for long, or as UTF-8, reads the same: the rest is escaped. */
function escape(text: string, special: RegExp): string {
  return text
    .replaceAll(special, '\\$&')
    .replaceAll('\t', '\\t')
    .replaceAll('\n', '\\n')
    .replaceAll('\r', '\\r')
    .replaceAll('\f', '\\f')
    .replaceAll(/[^\x20-\x7e]/g, (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

const written = (value: string): string => escape(value, /\\|^ /g);
const writtenKey = (key: string): string => escape(key, /[\\ =:#!]/g);

function setEntry(text: string, { entry, value }: PlaceChange): string {
  const key = keyOf(entry);
  if (key === '') throw new FormatError('badEntry', 'the key of a property is empty');
  const wanted = formatEnv(value);
  const all = parse(text);
  const present = effective(all, key);
  if (present?.value === wanted) return text;
  if (present !== undefined) {
    const bare = present.valueAt === present.start + text.slice(present.start, present.end).trimEnd().length;
    const sign = bare && !/[=:][ \t\f]*$/.test(text.slice(present.start, present.valueAt)) ? '=' : '';
    return splice(text, present.valueAt, present.end, sign + written(wanted));
  }
  const last = all.at(-1);
  const between =
    last === undefined ? '=' : (/[ \t\f]*[=:][ \t\f]*$/.exec(text.slice(last.start, last.valueAt))?.[0] ?? '=');
  const line = `${writtenKey(key)}${between}${written(wanted)}`;
  const eol = lineEnding(text);
  // A backslash at the end would join the new line to its own.
  const safe = /(?:^|[^\\])(?:\\\\)*\\(?:\r\n|\n|\r)?$/.test(text) ? text + eol : text;
  return text === '' || /[\n\r]$/.test(text) ? `${safe}${line}${eol}` : `${safe}${eol}${line}`;
}

/** Every line of the key goes, or an earlier one would count. */
function removeEntry(text: string, entry: string): string {
  const key = keyOf(entry);
  return parse(text)
    .filter((property) => property.key === key)
    .reduceRight<string>((rest, { start, end }) => splice(rest, start, nextLine(rest, end), ''), text);
}

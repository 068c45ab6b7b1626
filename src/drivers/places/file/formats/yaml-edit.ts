import { isCollection, isScalar, type ParsedNode, stringify, type YAMLMap } from 'yaml';
import type { JsonValue } from '../../../../core/model/step.ts';
import { lineEnding } from '../../text-format.ts';
import { lineEnd, lineStart, nextLine, splice, trimmedEnd } from './text-lines.ts';
import type { YamlDocument, YamlPair } from './yaml.ts';

/** What both YAML 1.1 and 1.2 read as this very text, without quotes. */
const PLAIN = /^[A-Za-z_/][A-Za-z0-9_./@+-]*$/;
const SPECIAL = /^(?:y|n|yes|no|on|off|true|false|null)$/i;

/** The text with the value in the place of the node. Comments behind it stay; quotes stay as they are. */
export function replaceValue(
  text: string,
  pair: YamlPair | undefined,
  node: ParsedNode | null,
  value: JsonValue,
): string {
  const colon = pair === undefined ? undefined : colonEnd(pair);
  const isBlock = isCollection(node) && node.flow !== true;
  if (node === null || (isScalar(node) && node.range[0] === node.range[1])) {
    const at = colon ?? node?.range[0] ?? text.length;
    return splice(text, at, at, ` ${inline(value, node, text)}`);
  }
  const [start, valueEnd] = node.range;
  const end = start + text.slice(start, valueEnd).trimEnd().length;
  if (isBlock && colon !== undefined) return splice(text, colon, end, ` ${inline(value, node, text)}`);
  return splice(text, start, end, inline(value, node, text));
}

/** The text with the key as the mapping's last. */
export function insertPair(text: string, map: YAMLMap, key: string, value: JsonValue): string {
  const items = map.items as YamlPair[];
  const last = items.at(-1);
  const [start = 0, valueEnd = 0] = map.range ?? [];
  if (map.flow === true) {
    const written = `${inlineKey(key)}: ${inline(value, null, text)}`;
    if (last === undefined) return splice(text, start + 1, valueEnd - 1, written);
    const at = endOf(text, last);
    return splice(text, at, at, `, ${written}`);
  }
  const indent = ' '.repeat(columnOf(text, items[0]));
  const lines = blockLines(key, value, indent, text);
  const eol = lineEnding(text);
  const deepest = deepestLast(last?.value ?? null);
  if (deepest !== null && isScalar(deepest) && deepest.type?.startsWith('BLOCK') === true) {
    const at = deepest.range[1];
    const gap = at > 0 && !/[\n\r]$/.test(text.slice(0, at)) ? eol : '';
    return splice(text, at, at, `${gap}${lines}${gap === '' ? eol : ''}`);
  }
  const at = lineEnd(text, last === undefined ? start : endOf(text, last));
  return splice(text, at, at, `${eol}${lines}`);
}

/** For a document that has no value yet, at most comments. */
export function appendPair(
  text: string,
  document: YamlDocument | undefined,
  [key = '', ...rest]: readonly string[],
  value: JsonValue,
): string {
  const inner = rest.reduceRight<JsonValue>((held, part) => Object.fromEntries([[part, held]]), value);
  const eol = lineEnding(text);
  const at = document === undefined ? text.length : trimmedEnd(text, document.range[2]);
  const before = text.slice(0, at).replace(/[ \t]+$/, '');
  const gap = before === '' || /[\n\r]$/.test(before) ? '' : eol;
  const after = text.slice(at);
  return `${before}${gap}${blockLines(key, inner, '', text)}${/^[\n\r]/.test(after) ? after : `${eol}${after}`}`;
}

/** The text without the pair; a mapping that loses its last pair becomes `{}`. `holder` is the pair that holds it. */
export function removePair(text: string, map: YAMLMap, pair: YamlPair, holder: YamlPair | undefined): string {
  const items = map.items as YamlPair[];
  const index = items.indexOf(pair);
  const start = startOf(pair);
  const end = endOf(text, pair);
  const next = items[index + 1];
  const previous = items[index - 1];
  if (map.flow === true) {
    if (next !== undefined) return splice(text, start, startOf(next), '');
    return previous === undefined ? splice(text, start, end, '') : splice(text, endOf(text, previous), end, '');
  }
  if (items.length === 1 && holder !== undefined) {
    return splice(text, colonEnd(holder), Math.max(end, lineEnd(text, end)), ' {}');
  }
  const first = lineStart(text, start);
  if (/^[ \t]*$/.test(text.slice(first, start))) return splice(text, first, nextLine(text, end), '');
  return next === undefined ? splice(text, start, end, '{}') : splice(text, start, startOf(next), '');
}

function startOf({ key }: YamlPair): number {
  return key.range[0];
}

/** Where the pair's last sign is, before a comment behind it. */
function endOf(text: string, pair: YamlPair): number {
  const end = Math.max(pair.key.range[1], colonEnd(pair), pair.value?.range[1] ?? 0);
  return trimmedEnd(text, end);
}

function colonEnd(pair: YamlPair): number {
  const sep = pair.srcToken?.sep?.find(({ type }) => type === 'map-value-ind');
  return sep === undefined ? pair.key.range[1] : sep.offset + 1;
}

function deepestLast(node: ParsedNode | null): ParsedNode | null {
  if (!isCollection(node)) return node;
  const last: unknown = node.items.at(-1);
  if (last === undefined) return node;
  const isPair = typeof last === 'object' && last !== null && 'key' in last;
  return deepestLast(isPair ? (last as YamlPair).value : (last as ParsedNode));
}

function columnOf(text: string, pair: YamlPair | undefined): number {
  return pair === undefined ? 0 : startOf(pair) - lineStart(text, startOf(pair));
}

function blockLines(key: string, value: JsonValue, indent: string, text: string): string {
  const isEmpty = typeof value === 'object' && value !== null && Object.keys(value).length === 0;
  if (typeof value !== 'object' || value === null || isEmpty)
    return `${indent}${inlineKey(key)}: ${inline(value, null, text)}`;
  const unit = indentUnit(text);
  const written = stringify(value, { version: '1.1', lineWidth: 0, indent: unit, defaultStringType: 'PLAIN' });
  const inner = written.trimEnd().split('\n');
  const pad = indent + ' '.repeat(unit);
  return [`${indent}${inlineKey(key)}:`, ...inner.map((line) => pad + line)].join(lineEnding(text));
}

/** The first step of indentation that occurs; two blanks if none does. */
function indentUnit(text: string): number {
  return /^[^\s#-][^\n]*:[ \t]*\r?\n( +)[^\s-]/m.exec(text)?.[1]?.length ?? 2;
}

function inlineKey(key: string): string {
  return PLAIN.test(key) && !SPECIAL.test(key) ? key : JSON.stringify(key);
}

/** On one line, which is JSON for what is more than a scalar: YAML 1.2 contains it. */
function inline(value: JsonValue, old: ParsedNode | null, text: string): string {
  if (typeof value !== 'string') return JSON.stringify(value);
  const style = isScalar(old) ? old.type : undefined;
  const isSimple = /^[\x20-\x7e]*$/.test(value);
  if (style === 'QUOTE_SINGLE' && isSimple) return `'${value.replaceAll("'", "''")}'`;
  const wantsPlain = style === undefined ? usesPlain(text) : style === 'PLAIN';
  if (wantsPlain && PLAIN.test(value) && !SPECIAL.test(value)) return value;
  return JSON.stringify(value);
}

function usesPlain(text: string): boolean {
  return !/:[ \t]+"/.test(text);
}

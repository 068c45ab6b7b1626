import type { Node } from 'jsonc-parser';
import type { JsonValue } from '../../../../core/model/step.ts';
import { lineEnding } from '../../text-format.ts';

/** The text with `value` in the place of the node, and nothing else moved. */
export function replaceNode(text: string, node: Node, value: JsonValue): string {
  const written = print(value, text, lineIndent(text, node.offset), isSpread(text));
  return text.slice(0, node.offset) + written + text.slice(node.offset + node.length);
}

/**
 * The text with the key added as the object's last, written as its neighbours are: on a line of its own if they are,
 * with a trailing comma if they have one, and behind the comments that belong to them.
 */
export function insertProperty(text: string, object: Node, key: string, value: JsonValue): string {
  const last = object.children?.at(-1);
  return last === undefined ? insertFirst(text, object, key, value) : insertLast(text, object, last, key, value);
}

/** The text without the object's last property of that name, and without the comma that it needed. */
export function removeProperty(text: string, object: Node, key: string): string {
  const properties = object.children ?? [];
  const index = properties.findLastIndex(({ children }) => children?.[0]?.value === key);
  const found = properties[index];
  if (found === undefined) return text;
  const close = object.offset + object.length - 1;
  const end = found.offset + found.length;
  const { commaAt } = trivia(text, end, properties[index + 1]?.offset ?? close);
  const previous = properties[index - 1];
  if (commaAt === undefined && previous !== undefined) {
    const before = trivia(text, previous.offset + previous.length, found.offset).commaAt ?? found.offset;
    if (/^[ \t]*$/.test(text.slice(before + 1, found.offset))) return text.slice(0, before) + text.slice(end);
    return cutLine(text.slice(0, before) + text.slice(before + 1), found.offset - 1, end - 1);
  }
  return cutLine(text, found.offset, (commaAt ?? end - 1) + 1);
}

/** Without the span, and without its line if nothing else stands on it. */
function cutLine(text: string, start: number, end: number): string {
  const lead = lineIndent(text, start).length;
  const tail = /^[ \t]*(?:\r\n|\n|\r)/.exec(text.slice(end))?.[0];
  if (tail === undefined || !isFirstOnLine(text, start))
    return text.slice(0, start) + text.slice(end).replace(/^[ \t]+/, '');
  return text.slice(0, start - lead) + text.slice(end + tail.length);
}

function insertLast(text: string, object: Node, last: Node, key: string, value: JsonValue): string {
  const lastEnd = last.offset + last.length;
  const { commaAt, end } = trivia(text, lastEnd, object.offset + object.length - 1);
  const ownLine = isFirstOnLine(text, last.offset);
  const indent = lineIndent(text, last.offset);
  const colon = colonOf(text, last);
  const gap =
    ownLine || /\/\/|[\n\r]/.test(text.slice(lastEnd, end)) ? lineEnding(text) + indent : /\s$/.test(colon) ? ' ' : '';
  const written = `${gap}${JSON.stringify(key)}${colon}${print(value, text, indent, ownLine)}`;
  return commaAt === undefined
    ? `${text.slice(0, lastEnd)},${text.slice(lastEnd, end)}${written}${text.slice(end)}`
    : `${text.slice(0, end)}${written},${text.slice(end)}`;
}

function insertFirst(text: string, object: Node, key: string, value: JsonValue): string {
  const close = object.offset + object.length - 1;
  const { end } = trivia(text, object.offset + 1, close);
  const isDocument = object.parent === undefined;
  const commented = end > object.offset + 1;
  const spread = isDocument || commented || isSpread(text);
  const outer = lineIndent(text, object.offset);
  const inner = outer + indentUnit(text);
  const written = `${JSON.stringify(key)}: ${print(value, text, spread ? inner : outer, spread)}`;
  const eol = lineEnding(text);
  const inside = spread ? `${eol}${inner}${written}${eol}${outer}` : written;
  return text.slice(0, end) + inside + text.slice(close);
}

/** What follows up to the closing bracket: where its comma is, and where its last comment or comma ends. */
function trivia(text: string, start: number, close: number): { readonly commaAt?: number; readonly end: number } {
  const tokens = /\/\/[^\n\r]*|\/\*[\s\S]*?\*\/|,/g;
  let commaAt: number | undefined;
  let end = start;
  for (const found of text.slice(start, close).matchAll(tokens)) {
    if (found[0] === ',') commaAt = start + found.index;
    end = start + found.index + found[0].length;
  }
  return commaAt === undefined ? { end } : { commaAt, end };
}

/** `:`, `: ` or ` : `, as the neighbour has it. */
function colonOf(text: string, property: Node): string {
  const [key, value] = property.children ?? [];
  const between = key && value ? text.slice(key.offset + key.length, value.offset) : '';
  return /^[ \t]*:[ \t]*$/.test(between) ? between : ': ';
}

function print(value: JsonValue, text: string, indent: string, spread: boolean): string {
  if (!spread) return JSON.stringify(value);
  return JSON.stringify(value, null, indentUnit(text)).replaceAll('\n', lineEnding(text) + indent);
}

/** Whether the document is written over several lines. */
function isSpread(text: string): boolean {
  return /[\n\r]/.test(text.trim());
}

/** The first indentation that occurs; two blanks if none does. */
function indentUnit(text: string): string {
  return /[\n\r]([ \t]+)(?=[^\s])/.exec(text)?.[1] ?? '  ';
}

function lineIndent(text: string, offset: number): string {
  const line = text.slice(Math.max(text.lastIndexOf('\n', offset - 1), text.lastIndexOf('\r', offset - 1)) + 1, offset);
  return /^[ \t]*/.exec(line)?.[0] ?? '';
}

function isFirstOnLine(text: string, offset: number): boolean {
  return /(?:^|[\n\r])[ \t]*$/.test(text.slice(0, offset));
}

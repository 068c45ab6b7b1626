import { isDeepStrictEqual } from 'node:util';
import type { AST } from 'toml-eslint-parser';
import { formatPointer } from '../../../../core/json-pointer.ts';
import type { JsonValue } from '../../../../core/model/step.ts';
import { FormatError, lineEnding } from '../../text-format.ts';
import { lineEnd, lineStart, nextLine, splice } from './text-lines.ts';
import { nameOf, type TomlEntry } from './toml-tree.ts';

/** The text with the value in the place of the node, in quotes and as a float if the old one was. */
export function replaceToml(text: string, node: AST.TOMLContentNode, value: JsonValue): string {
  return splice(text, node.range[0], node.range[1], print(value, node));
}

/**
 * The text with a key that was not there: in the table that it belongs to, beside dotted keys of the same beginning, in
 * an inline table, or in a table of its own at the end.
 */
export function insertKey(
  text: string,
  top: AST.TOMLTopLevelTable,
  entries: readonly TomlEntry[],
  parts: readonly string[],
  value: JsonValue,
): string {
  const container = parts.slice(0, -1);
  const name = parts.at(-1) ?? '';
  const inline = entries.find(
    ({ path, pair }) => pair.value.type === 'TOMLInlineTable' && isDeepStrictEqual(path, container),
  );
  if (inline?.pair.value.type === 'TOMLInlineTable') return insertInline(text, inline.pair.value, name, value);
  const tables = top.body.filter((node) => node.type === 'TOMLTable');
  const table = tables.find(({ resolvedKey }) => isDeepStrictEqual(resolvedKey.map(String), container));
  if (table !== undefined) return insertAfter(text, table.body.at(-1) ?? table.key, [name], value);
  const sibling = entries.findLast(
    ({ path, inside }) =>
      inside === undefined && path.length > container.length && container.length > 0 && startsWith(path, container),
  );
  const dotted = sibling === undefined ? undefined : dottedPrefix(sibling, container.length);
  if (sibling !== undefined && dotted !== undefined) return insertAfter(text, sibling.pair, [...dotted, name], value);
  if (container.length === 0) return insertTop(text, top, name, value);
  refuseToNest(entries, container);
  const eol = lineEnding(text);
  const gap = text === '' ? '' : /[\n\r]$/.test(text) ? eol : eol + eol;
  const end = text === '' || /[\n\r]$/.test(text) ? eol : '';
  return `${text}${gap}[${container.map(printKey).join('.')}]${eol}${printKey(name)} = ${print(value)}${end}`;
}

/** The text without the key's line, or without it and its comma in an inline table. */
export function removeKey(text: string, { pair, inside }: TomlEntry): string {
  const [start, end] = pair.range;
  if (inside === undefined) return splice(text, lineStart(text, start), nextLine(text, end), '');
  const index = inside.body.indexOf(pair);
  const next = inside.body[index + 1];
  if (next !== undefined) return splice(text, start, next.range[0], '');
  const previous = inside.body[index - 1];
  return splice(text, previous === undefined ? start : previous.range[1], end, '');
}

function startsWith(path: readonly string[], prefix: readonly string[]): boolean {
  return prefix.every((part, index) => path[index] === part);
}

/** The names that stand before the key on its own line, if they reach as far as the container. */
function dottedPrefix({ path, pair }: TomlEntry, depth: number): readonly string[] | undefined {
  const names = pair.key.keys.map(nameOf);
  const missing = depth - (path.length - names.length);
  return missing > 0 && missing < names.length ? names.slice(0, missing) : undefined;
}

function insertAfter(text: string, node: AST.TOMLNode, names: readonly string[], value: JsonValue): string {
  const at = lineEnd(text, node.range[1]);
  const indent = /^[ \t]*/.exec(text.slice(lineStart(text, node.range[0])))?.[0] ?? '';
  const line = `${indent}${names.map(printKey).join('.')} = ${print(value)}`;
  return splice(text, at, at, lineEnding(text) + line);
}

function insertInline(text: string, table: AST.TOMLInlineTable, name: string, value: JsonValue): string {
  const written = `${printKey(name)} = ${print(value)}`;
  const last = table.body.at(-1);
  if (last === undefined) return splice(text, table.range[0], table.range[1], `{ ${written} }`);
  return splice(text, last.range[1], last.range[1], `, ${written}`);
}

/** Behind the other keys that belong to no table; before the first table, and the comments on it, if there are none. */
function insertTop(text: string, top: AST.TOMLTopLevelTable, name: string, value: JsonValue): string {
  const last = top.body.findLast((node) => node.type === 'TOMLKeyValue');
  if (last !== undefined) return insertAfter(text, last, [name], value);
  const line = `${printKey(name)} = ${print(value)}`;
  const eol = lineEnding(text);
  const [first] = top.body;
  if (first !== undefined) {
    const at = beforeComments(text, lineStart(text, first.range[0]));
    return splice(text, at, at, `${line}${eol}${eol}`);
  }
  return text === '' || /[\n\r]$/.test(text) ? `${text}${line}${eol}` : `${text}${eol}${line}`;
}

function beforeComments(text: string, at: number): number {
  let start = at;
  while (start > 0) {
    const above = lineStart(text, start - (text.slice(0, start).endsWith('\r\n') ? 2 : 1));
    if (!/^[ \t]*#/.test(text.slice(above, start))) return start;
    start = above;
  }
  return start;
}

function refuseToNest(entries: readonly TomlEntry[], container: readonly string[]): void {
  const scalar = entries.find(({ path, pair }) => startsWith(container, path) && pair.value.type !== 'TOMLInlineTable');
  if (scalar === undefined) return;
  throw new FormatError(
    'blockedPath',
    `${formatPointer(scalar.path)} is no table, and cannot hold a key`,
    scalar.pair.range[0],
  );
}

function printKey(name: string): string {
  return /^[A-Za-z0-9_-]+$/.test(name) ? name : printText(name);
}

function print(value: JsonValue, old?: AST.TOMLContentNode): string {
  if (value === null) throw new FormatError('badValue', 'TOML knows no null; remove the key instead');
  if (typeof value === 'boolean') return String(value);
  if (typeof value === 'number') return printNumber(value, old?.type === 'TOMLValue' && old.kind === 'float');
  if (typeof value === 'object') return Array.isArray(value) ? printList(value) : printTable(value);
  const isLiteral = old?.type === 'TOMLValue' && old.kind === 'string' && old.style === 'literal' && !old.multiline;
  return isLiteral && /^[\x20-\x26\x28-\x7e]*$/.test(value) ? `'${value}'` : printText(value);
}

function printNumber(value: number, asFloat: boolean): string {
  const text = String(value);
  return asFloat && /^-?\d+$/.test(text) ? `${text}.0` : text;
}

function printText(value: string): string {
  if (!value.isWellFormed())
    throw new FormatError('badValue', 'TOML holds Unicode only, and the text has half a character');
  return JSON.stringify(value).replaceAll('\u007f', '\\u007f');
}

function printList(items: readonly JsonValue[]): string {
  return `[${items.map((item) => print(item)).join(', ')}]`;
}

function printTable(table: object): string {
  const pairs = Object.entries(table).map(([key, item]: [string, JsonValue]) => `${printKey(key)} = ${print(item)}`);
  return pairs.length === 0 ? '{}' : `{ ${pairs.join(', ')} }`;
}

import { isDeepStrictEqual } from 'node:util';
import { type AST, ParseError, parseTOML } from 'toml-eslint-parser';
import { formatPointer } from '../../../../core/json-pointer.ts';
import type { JsonValue } from '../../../../core/model/step.ts';
import type { PlaceChange } from '../../place-driver.ts';
import { FormatError, type TextFormat } from '../../text-format.ts';
import { pointerParts } from '../pointer.ts';
import { valueAt, withValueAt } from './changed-value.ts';
import { insertKey, removeKey, replaceToml } from './toml-edit.ts';

/** TOML 1.0. Entries are JSON pointers; dates and times read as they are written. */
export const tomlFormat = {
  empty: '',
  read: (text, entries) => {
    const root = toValue(text, parse(text));
    return new Map(entries.map((entry) => [entry, valueAt(root, pointerParts(entry))]));
  },
  edit: (text, changes) => changes.reduce(setEntry, text),
  remove: (text, entries) => entries.reduce(removeEntry, text),
  matches: (observed, desired) => observed !== undefined && isDeepStrictEqual(observed, desired),
} satisfies TextFormat;

/** A key and its value, by the whole path of the key. `inside`: the inline table that holds it. */
export type TomlEntry = {
  readonly path: readonly string[];
  readonly pair: AST.TOMLKeyValue;
  readonly table: AST.TOMLTable | AST.TOMLTopLevelTable;
  readonly inside: AST.TOMLInlineTable | undefined;
};

function parse(text: string): AST.TOMLTopLevelTable {
  try {
    return parseTOML(text, { tomlVersion: '1.0' }).body[0];
  } catch (error) {
    if (error instanceof ParseError)
      throw new FormatError('syntax', `is not valid TOML (${error.message})`, error.index);
    if (error instanceof RangeError) throw new FormatError('syntax', 'is nested too deeply to be read', 0);
    throw error;
  }
}

function setEntry(text: string, { entry, value }: PlaceChange): string {
  const parts = pointerParts(entry);
  return proven(text, parts, value, (top) => {
    const found = locate(top, parts);
    if (found !== undefined) return replaceToml(text, found, value);
    return insertKey(text, top, entriesOf(top), parts, value);
  });
}

function removeEntry(text: string, entry: string): string {
  const parts = pointerParts(entry);
  return proven(text, parts, undefined, (top) => {
    const found = entriesOf(top).find(({ path }) => isDeepStrictEqual(path, parts));
    if (found !== undefined) return removeKey(text, found);
    throw new FormatError('blockedPath', `${formatPointer(parts)} is a table or an item of a list; name its keys`);
  });
}

/** After the edit the rest of the document must say what it said before. */
function proven(
  text: string,
  parts: readonly string[],
  value: JsonValue | undefined,
  edit: (top: AST.TOMLTopLevelTable) => string,
): string {
  const top = parse(text);
  const before = toValue(text, top);
  const present = valueAt(before, parts);
  if (value === undefined ? present === undefined : isDeepStrictEqual(present, value)) return text;
  if (parts.length === 0)
    throw new FormatError('blockedPath', 'the whole document cannot be an entry; name a key in it');
  const edited = edit(top);
  const wanted = withValueAt(before, parts, value);
  const after = reread(edited);
  if (isDeepStrictEqual(after, wanted) || (value === undefined && isDeepStrictEqual(pruned(after), pruned(wanted)))) {
    return edited;
  }
  const where = formatPointer(parts);
  throw new FormatError(
    'blockedPath',
    `${where} cannot be changed without changing more of the document; edit it by hand`,
  );
}

/** A table that only its keys had made is gone with the last of them. */
function pruned(value: JsonValue | undefined): JsonValue | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const pairs = Object.entries(value).map(([key, item]: [string, JsonValue]) => [key, pruned(item)] as const);
  const kept = pairs.filter(([, item]) => item !== undefined);
  return kept.length === 0 ? undefined : (Object.fromEntries(kept) as JsonValue);
}

function reread(text: string): JsonValue | undefined {
  try {
    return toValue(text, parse(text));
  } catch (error) {
    if (error instanceof FormatError) return undefined;
    throw error;
  }
}

/** All keys with a value, those of inline tables among them. */
function entriesOf(top: AST.TOMLTopLevelTable): readonly TomlEntry[] {
  return top.body.flatMap((node) => {
    if (node.type === 'TOMLKeyValue') return entriesBelow(node, [], top, undefined);
    const prefix = node.resolvedKey.map(String);
    return node.body.flatMap((pair) => entriesBelow(pair, prefix, node, undefined));
  });
}

function entriesBelow(
  pair: AST.TOMLKeyValue,
  prefix: readonly string[],
  table: TomlEntry['table'],
  inside: AST.TOMLInlineTable | undefined,
): readonly TomlEntry[] {
  const path = [...prefix, ...pair.key.keys.map(nameOf)];
  const { value } = pair;
  const own: TomlEntry = { path, pair, table, inside };
  if (value.type !== 'TOMLInlineTable') return [own];
  return [own, ...value.body.flatMap((inner) => entriesBelow(inner, path, table, value))];
}

export function nameOf(key: AST.TOMLBare | AST.TOMLQuoted): string {
  return key.type === 'TOMLBare' ? key.name : key.value;
}

/** The node that holds the value, also within lists. */
function locate(top: AST.TOMLTopLevelTable, parts: readonly string[]): AST.TOMLContentNode | undefined {
  const holder = entriesOf(top)
    .filter(({ path }) => path.every((part, index) => parts[index] === part))
    .sort((one, other) => other.path.length - one.path.length)[0];
  let node: AST.TOMLContentNode | undefined = holder?.pair.value;
  for (const part of parts.slice(holder?.path.length ?? 0)) {
    node = node?.type === 'TOMLArray' && /^(?:0|[1-9]\d*)$/.test(part) ? node.elements[Number(part)] : undefined;
  }
  return node;
}

function toValue(text: string, top: AST.TOMLTopLevelTable): JsonValue {
  const root = new Map<string, unknown>();
  for (const node of top.body) {
    if (node.type === 'TOMLKeyValue') {
      put(text, root, node);
      continue;
    }
    const table = node.resolvedKey.reduce<Map<string, unknown>>((map, part) => into(map, String(part)), root);
    for (const pair of node.body) put(text, table, pair);
  }
  return plain(root, listsOf(top), []);
}

/** Tables of lists are kept in maps by their index until all are there. */
function listsOf(top: AST.TOMLTopLevelTable): ReadonlySet<string> {
  const lists = top.body.flatMap((node) => (node.type === 'TOMLTable' ? [node.resolvedKey] : []));
  return new Set(
    lists.flatMap((path) =>
      path.flatMap((part, index) =>
        typeof part === 'number' ? [JSON.stringify(path.slice(0, index).map(String))] : [],
      ),
    ),
  );
}

function into(map: Map<string, unknown>, part: string): Map<string, unknown> {
  const found = map.get(part);
  if (found instanceof Map) return found as Map<string, unknown>;
  const made = new Map<string, unknown>();
  map.set(part, made);
  return made;
}

function put(text: string, map: Map<string, unknown>, pair: AST.TOMLKeyValue): void {
  const names = pair.key.keys.map(nameOf);
  const holder = names.slice(0, -1).reduce(into, map);
  holder.set(names.at(-1) ?? '', scalarOf(text, pair.value));
}

function scalarOf(text: string, node: AST.TOMLContentNode): unknown {
  switch (node.type) {
    case 'TOMLArray':
      return node.elements.map((element) => scalarOf(text, element));
    case 'TOMLInlineTable': {
      const table = new Map<string, unknown>();
      for (const pair of node.body) put(text, table, pair);
      return table;
    }
    case 'TOMLValue':
      return typeof node.value === 'object' || (typeof node.value === 'number' && !Number.isFinite(node.value))
        ? text.slice(...node.range)
        : node.value;
  }
}

function plain(value: unknown, lists: ReadonlySet<string>, path: readonly string[]): JsonValue {
  if (Array.isArray(value)) return value.map((item: unknown, index) => plain(item, lists, [...path, String(index)]));
  if (!(value instanceof Map)) return value as JsonValue;
  const pairs = [...(value as Map<string, unknown>)].map(
    ([key, item]) => [key, plain(item, lists, [...path, key])] as const,
  );
  return lists.has(JSON.stringify(path)) ? pairs.map(([, item]) => item) : Object.fromEntries(pairs);
}

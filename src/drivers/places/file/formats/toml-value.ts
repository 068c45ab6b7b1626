import type { AST } from 'toml-eslint-parser';
import type { JsonValue } from '../../../../core/model/step.ts';
import { nameOf } from './toml-tree.ts';

/** The document as JSON has it; dates, times and numbers that JSON lacks as they are written. */
export function toValue(text: string, top: AST.TOMLTopLevelTable): JsonValue {
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

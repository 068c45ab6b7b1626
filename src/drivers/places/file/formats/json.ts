import { isDeepStrictEqual } from 'node:util';
import { type Node, type ParseError, parseTree, printParseErrorCode } from 'jsonc-parser';
import { formatPointer } from '../../../../core/json-pointer.ts';
import type { JsonValue } from '../../../../core/model/step.ts';
import type { PlaceChange } from '../../place-driver.ts';
import { FormatError, type TextFormat } from '../../text-format.ts';
import { pointerParts } from '../pointer.ts';
import { insertProperty, removeProperty, replaceNode } from './json-edit.ts';

/** JSON (RFC 8259). Comments and trailing commas are tolerated, and kept. Entries are JSON pointers. */
export const jsonFormat = {
  empty: '{}\n',
  read: (text, entries) => {
    const root = parse(text);
    return new Map(entries.map((entry) => [entry, find(root, pointerParts(entry))]));
  },
  edit: (text, changes) => changes.reduce(setEntry, text),
  remove: (text, entries) => entries.reduce(removeEntry, text),
  matches: (observed, desired) => observed !== undefined && isDeepStrictEqual(observed, desired),
} satisfies TextFormat;

function parse(text: string): Node {
  const errors: ParseError[] = [];
  const root = parseBounded(text, errors);
  const [first] = errors;
  if (root !== undefined && first === undefined) return root;
  const found = first === undefined ? 'nothing' : printParseErrorCode(first.error);
  const words = found.replaceAll(/(?<!^)[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`).toLowerCase();
  throw new FormatError('syntax', `is not valid JSON (${words})`, first?.offset ?? 0);
}

/** The parser calls itself for every level, and so ends where the stack does. */
function parseBounded(text: string, errors: ParseError[]): Node | undefined {
  try {
    return parseTree(text, errors, { allowTrailingComma: true });
  } catch (error) {
    if (error instanceof RangeError) throw new FormatError('syntax', 'is nested too deeply to be read', 0);
    throw error;
  }
}

function find(root: Node, parts: readonly string[]): JsonValue | undefined {
  let node: Node | undefined = root;
  for (const part of parts) node = node && childrenOf(node, part).at(-1);
  return node && toValue(node);
}

/** More than one if an object has the key twice. An array has the child if `part` is one of its indices. */
function childrenOf(node: Node, part: string): readonly Node[] {
  const children = node.children ?? [];
  if (node.type === 'array') return /^(?:0|[1-9]\d*)$/.test(part) ? children.slice(Number(part), Number(part) + 1) : [];
  if (node.type !== 'object') return [];
  return children.flatMap(({ children: [key, value] = [] }) => (key?.value === part && value ? [value] : []));
}

function toValue(node: Node): JsonValue {
  const children = node.children ?? [];
  if (node.type === 'array') return children.map(toValue);
  if (node.type !== 'object') return toScalar(node.value);
  const pairs = children.flatMap(({ children: [key, value] = [] }) =>
    key && value ? [[String(key.value), toValue(value)] as const] : [],
  );
  return Object.fromEntries(pairs);
}

function toScalar(value: unknown): JsonValue {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? value : null;
}

function setEntry(text: string, { entry, value }: PlaceChange): string {
  const parts = pointerParts(entry);
  let node = parse(text);
  for (const [depth, part] of parts.entries()) {
    const [child, twice] = childrenOf(node, part);
    const where = formatPointer(parts.slice(0, depth + 1));
    if (twice !== undefined) {
      const why = `has the key ${where} twice, and programs differ in which they take: remove one`;
      throw new FormatError('ambiguousEntry', why, twice.offset);
    }
    if (child === undefined) {
      refuseToAdd(node, parts.slice(0, depth), part);
      return insertProperty(text, node, part, nested(parts.slice(depth + 1), value));
    }
    node = child;
  }
  return isDeepStrictEqual(toValue(node), value) ? text : replaceNode(text, node, value);
}

function removeEntry(text: string, entry: string): string {
  const parts = pointerParts(entry);
  const root = parse(text);
  const holder = parts
    .slice(0, -1)
    .reduce<Node | undefined>((node, part) => node && childrenOf(node, part).at(-1), root);
  const last = parts.at(-1);
  if (holder === undefined || last === undefined || childrenOf(holder, last).length === 0) return text;
  if (holder.type !== 'object') throw new FormatError('blockedPath', `${entry} is an item of a list`, holder.offset);
  return removeEntry(removeProperty(text, holder, last), entry);
}

/** Only objects are added to: an index beyond the end of an array would move what others count on. */
function refuseToAdd(node: Node, above: readonly string[], part: string): void {
  if (node.type === 'object') return;
  const place = above.length === 0 ? 'the document' : formatPointer(above);
  const problem =
    node.type === 'array'
      ? `is an array of ${node.children?.length ?? 0}, which has no element ${JSON.stringify(part)}`
      : `is a ${node.type}, not an object, and cannot hold ${JSON.stringify(part)}`;
  throw new FormatError('blockedPath', `${place} ${problem}`, node.offset);
}

function nested(parts: readonly string[], value: JsonValue): JsonValue {
  return parts.reduceRight<JsonValue>((inner, part) => Object.fromEntries([[part, inner]]), value);
}

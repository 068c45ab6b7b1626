import { isDeepStrictEqual } from 'node:util';
import { type Document, isAlias, isMap, isScalar, isSeq, type Pair, type ParsedNode, parseAllDocuments } from 'yaml';
import { formatPointer } from '../../../../core/json-pointer.ts';
import type { JsonValue } from '../../../../core/model/step.ts';
import type { PlaceChange } from '../../place-driver.ts';
import { FormatError, type TextFormat } from '../../text-format.ts';
import { pointerParts } from '../pointer.ts';
import { valueAt, withValueAt } from './changed-value.ts';
import { appendPair, insertPair, removePair, replaceValue } from './yaml-edit.ts';

export type YamlDocument = Document.Parsed;
export type YamlPair = Pair<ParsedNode, ParsedNode | null>;

/** Which of a text's documents is meant; undefined: there must be only one. */
export type ChooseDocument = (value: JsonValue) => boolean;

/**
 * YAML 1.2, one document. Entries are JSON pointers. Whoever reads the file by the rules of YAML 1.1 gets the same: texts
 * such as `on` are written in quotes.
 */
export const yamlFormat = {
  empty: '',
  read: (text, entries) => {
    const root = toValue(parseOne(text));
    return new Map(entries.map((entry) => [entry, valueAt(root, pointerParts(entry))]));
  },
  edit: (text, changes) => editYaml(text, changes),
  remove: (text, entries) => removeYaml(text, entries),
  matches: (observed, desired) => observed !== undefined && isDeepStrictEqual(observed, desired),
} satisfies TextFormat;

/** Sets entries in one document of the text. Throws FormatError. */
export function editYaml(text: string, changes: readonly PlaceChange[], choose?: ChooseDocument): string {
  return changes.reduce((edited, { entry, value }) => {
    return proven(edited, pointerParts(entry), value, (document, parts) => set(edited, document, parts, value), choose);
  }, text);
}

/** Removes entries from one document of the text; those that it does not have are no fault. Throws FormatError. */
export function removeYaml(text: string, entries: readonly string[], choose?: ChooseDocument): string {
  return entries.reduce((edited, entry) => {
    return proven(edited, pointerParts(entry), undefined, (document, parts) => remove(edited, document, parts), choose);
  }, text);
}

/** The value of the chosen document; undefined if there is none such. Throws FormatError. */
export function readYaml(text: string, choose: ChooseDocument): JsonValue | undefined {
  return parseAll(text).map(toValue).find(choose);
}

/** Whatever YAML holds in store: after the edit the rest of the document must say what it said before. */
function proven(
  text: string,
  parts: readonly string[],
  value: JsonValue | undefined,
  edit: (document: YamlDocument | undefined, parts: readonly string[]) => string,
  choose: ChooseDocument | undefined,
): string {
  const documents = choose === undefined ? [parseOne(text)] : parseAll(text);
  const index = choose === undefined ? 0 : documents.findIndex((document) => choose(toValue(document)));
  const before = toValue(documents[index]);
  const present = valueAt(before, parts);
  if (value === undefined ? present === undefined : isDeepStrictEqual(present, value)) return text;
  if (parts.length === 0)
    throw new FormatError('blockedPath', 'the whole document cannot be an entry; name a key in it');
  const edited = edit(documents[index], parts);
  const after = toValue(choose === undefined ? parseOne(edited) : parseAll(edited)[index]);
  if (isDeepStrictEqual(emptied(after), emptied(withValueAt(before, parts, value)))) return edited;
  const where = formatPointer(parts);
  throw new FormatError(
    'notTaken',
    `${where} cannot be changed without changing more of the document; edit it by hand`,
  );
}

/** A document that has lost its last key reads as null. */
function emptied(value: JsonValue): JsonValue {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0 ? null : value;
}

function parseOne(text: string): YamlDocument | undefined {
  const [document, second] = parseAll(text);
  if (second === undefined) return document;
  throw new FormatError('formatNotSupported', 'holds several YAML documents, expected one', second.range[0]);
}

function parseAll(text: string): readonly YamlDocument[] {
  const parsed = parseAllDocuments(text, { keepSourceTokens: true, stringKeys: false });
  const documents: readonly YamlDocument[] = 'empty' in parsed ? [] : parsed;
  for (const { errors } of documents) {
    const [first] = errors;
    if (first === undefined) continue;
    const [words = ''] = first.message.split('\n');
    throw new FormatError(
      'syntax',
      `is not valid YAML (${words.replace(/ at line \d+, column \d+:?$/, '')})`,
      first.pos[0],
    );
  }
  return documents;
}

function toValue(document: YamlDocument | undefined): JsonValue {
  try {
    const value: unknown = document?.toJS({ maxAliasCount: 100 });
    return (value ?? null) as JsonValue;
  } catch (error) {
    if (!(error instanceof ReferenceError)) throw error;
    throw new FormatError('syntax', `is not valid YAML (${error.message})`, 0);
  }
}

type Found = { readonly node: ParsedNode | null; readonly pair: YamlPair | undefined };

function set(text: string, document: YamlDocument | undefined, parts: readonly string[], value: JsonValue): string {
  const root = document?.contents ?? null;
  if (root === null) return appendPair(text, document, parts, value);
  let found: Found = { node: root, pair: undefined };
  for (const [depth, part] of parts.entries()) {
    const { node, pair }: Found = found;
    const rest = parts.slice(depth + 1);
    const isNothing = node === null || (isScalar(node) && node.value === null && node.source === '');
    if (isNothing && pair !== undefined) return replaceValue(text, pair, node, nested(parts.slice(depth), value));
    const child = node === null ? undefined : childOf(node, part);
    if (child === undefined) {
      if (node !== null && isMap(node)) return insertPair(text, node, part, nested(rest, value));
      throw blocked(node, parts.slice(0, depth), part);
    }
    found = child;
  }
  refuseMarked(found.node, parts);
  return replaceValue(text, found.pair, found.node, value);
}

function remove(text: string, document: YamlDocument | undefined, parts: readonly string[]): string {
  let node: ParsedNode | null = document?.contents ?? null;
  let holder: YamlPair | undefined;
  for (const part of parts.slice(0, -1)) {
    const child: Found | undefined = node === null ? undefined : childOf(node, part);
    if (child === undefined) return text;
    ({ node, pair: holder } = child);
  }
  const last = parts.at(-1) ?? '';
  if (node === null || !isMap(node)) throw blocked(node, parts.slice(0, -1), last);
  const { pair } = childOf(node, last) ?? {};
  refuseMarked(pair?.value ?? null, parts);
  return pair === undefined ? text : removePair(text, node, pair, holder);
}

function childOf(node: ParsedNode, part: string): Found | undefined {
  if (isMap(node)) {
    const pair = (node.items as readonly YamlPair[]).find(({ key }) => isScalar(key) && String(key.value) === part);
    return pair === undefined ? undefined : { node: pair.value, pair };
  }
  if (!isSeq(node) || !/^(?:0|[1-9]\d*)$/.test(part)) return undefined;
  const item = (node.items as readonly ParsedNode[])[Number(part)];
  return item === undefined ? undefined : { node: item, pair: undefined };
}

function blocked(node: ParsedNode | null, above: readonly string[], part: string): FormatError {
  const place = above.length === 0 ? 'the document' : formatPointer(above);
  const what = isAlias(node)
    ? 'an alias, whose anchor stands elsewhere'
    : isSeq(node)
      ? `a list of ${node.items.length}`
      : 'no mapping';
  return new FormatError('blockedPath', `${place} is ${what}, and cannot hold ${JSON.stringify(part)}`, node?.range[0]);
}

/** What refers to an anchor would change too; a tag gives the value a meaning that is not known here. */
function refuseMarked(node: ParsedNode | null, parts: readonly string[]): void {
  if (node === null || isAlias(node) || (node.anchor === undefined && node.tag === undefined)) return;
  const what = node.anchor === undefined ? `the tag ${node.tag}` : `the anchor &${node.anchor}`;
  throw new FormatError('blockedPath', `${formatPointer(parts)} has ${what}; edit it by hand`, node.range[0]);
}

function nested(parts: readonly string[], value: JsonValue): JsonValue {
  return parts.reduceRight<JsonValue>((inner, part) => Object.fromEntries([[part, inner]]), value);
}

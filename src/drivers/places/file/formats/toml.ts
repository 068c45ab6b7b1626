import { isDeepStrictEqual } from 'node:util';
import { type AST, ParseError, parseTOML } from 'toml-eslint-parser';
import { formatPointer } from '../../../../core/json-pointer.ts';
import type { JsonValue } from '../../../../core/model/step.ts';
import type { PlaceChange } from '../../place-driver.ts';
import { FormatError, type TextFormat } from '../../text-format.ts';
import { pointerParts } from '../pointer.ts';
import { valueAt, withValueAt } from './changed-value.ts';
import { insertKey, removeKey, replaceToml } from './toml-edit.ts';
import { entriesOf, locate } from './toml-tree.ts';
import { toValue } from './toml-value.ts';

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

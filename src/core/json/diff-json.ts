import { formatPointer } from '../json-pointer.ts';
import type { JsonValue } from '../model/step.ts';
import { isList, isObject } from './canonical-json.ts';

/** What is different at a place of a document, which a JSON pointer names (RFC 6901). */
export type JsonChange =
  | { readonly kind: 'added'; readonly pointer: string; readonly after: JsonValue }
  | { readonly kind: 'removed'; readonly pointer: string; readonly before: JsonValue }
  | { readonly kind: 'changed'; readonly pointer: string; readonly before: JsonValue; readonly after: JsonValue };

/**
 * Each place at which one value must become another, as deep as both have an object or both a list there: objects by key, in
 * the order of the keys; lists by index, so that an item put in front changes all that follow it.
 */
export function* diffJson(before: JsonValue, after: JsonValue): Generator<JsonChange> {
  yield* diffAt([], before, after);
}

function* diffAt(place: readonly string[], before: JsonValue, after: JsonValue): Generator<JsonChange> {
  if (isList(before) && isList(after)) {
    yield* diffMembers(place, new Map(itemsOf(before)), new Map(itemsOf(after)));
  } else if (isObject(before) && isObject(after)) {
    yield* diffMembers(place, new Map(membersOf(before)), new Map(membersOf(after)));
  } else if (!isSameLeaf(before, after)) {
    yield { kind: 'changed', pointer: formatPointer(place), before, after };
  }
}

type Members = ReadonlyMap<string, JsonValue>;

function* diffMembers(place: readonly string[], before: Members, after: Members): Generator<JsonChange> {
  for (const [key, older] of before) {
    const newer = after.get(key);
    if (newer !== undefined) yield* diffAt([...place, key], older, newer);
    else yield { kind: 'removed', pointer: formatPointer([...place, key]), before: older };
  }
  for (const [key, newer] of after) {
    if (!before.has(key)) yield { kind: 'added', pointer: formatPointer([...place, key]), after: newer };
  }
}

function itemsOf(list: readonly JsonValue[]): [string, JsonValue][] {
  return list.map((item, index) => [String(index), item]);
}

function membersOf(value: { readonly [key: string]: JsonValue }): [string, JsonValue][] {
  return Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
}

/** JSON has one zero: `-0` is written `0`. */
function isSameLeaf(before: JsonValue, after: JsonValue): boolean {
  return before === after;
}

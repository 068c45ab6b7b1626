import { isList, isObject } from '../json/canonical-json.ts';
import { formatPointer } from '../json-pointer.ts';
import type { JsonValue } from '../model/step.ts';
import { isSame } from '../record.ts';
import { type ConflictClass, pickSide, type Versions } from './conflict.ts';

export type JsonConflict = {
  readonly class: ConflictClass;
  /** RFC 6901; empty for the whole document. */
  readonly pointer: string;
  readonly versions: Versions<JsonValue>;
};

export type JsonMerge = {
  /** The document with the live version at each place in conflict; undefined if it is to be removed. */
  readonly merged: JsonValue | undefined;
  readonly conflicts: readonly JsonConflict[];
};

/** Which version stands at a place in conflict. */
export type JsonChoice = (conflict: JsonConflict) => 'live' | 'snapshot';

/**
 * Merges documents place by place, as deep as all three have an object; everything else, lists too, is one value. `choose`
 * says what is written at a place in conflict; all of them are named whatever it says.
 */
export function mergeJson(
  versions: Versions<JsonValue>,
  { hasAncestor, choose = () => 'live' }: { readonly hasAncestor: boolean; readonly choose?: JsonChoice },
): JsonMerge {
  const conflicts: JsonConflict[] = [];
  const take = (conflict: JsonConflict): JsonValue | undefined => {
    conflicts.push(conflict);
    return conflict.versions[choose(conflict)];
  };
  return { merged: mergeAt([], versions, hasAncestor, take), conflicts };
}

type Take = (conflict: JsonConflict) => JsonValue | undefined;

function mergeAt(
  place: readonly string[],
  versions: Versions<JsonValue>,
  hasAncestor: boolean,
  take: Take,
): JsonValue | undefined {
  const picked = pickSide(versions, isSameValue, hasAncestor);
  if (picked !== 'conflict') return versions[picked];
  const { ancestor, live, snapshot } = versions;
  const isDeep = isObject(live) && isObject(snapshot) && (isObject(ancestor) || !hasAncestor);
  if (!isDeep) return take({ class: classOf(versions, hasAncestor), pointer: formatPointer(place), versions });
  const before = isObject(ancestor) ? ancestor : {};
  const keys = new Set([...Object.keys(live), ...Object.keys(snapshot)]);
  const members = [...keys].flatMap((key) => {
    const inner = { ancestor: memberOf(before, key), live: memberOf(live, key), snapshot: memberOf(snapshot, key) };
    const value = mergeAt([...place, key], inner, hasAncestor, take);
    return value === undefined ? [] : [[key, value] as const];
  });
  // `fromEntries` makes an own member of any name.
  return Object.fromEntries(members);
}

function memberOf(value: { readonly [key: string]: JsonValue }, key: string): JsonValue | undefined {
  return Object.hasOwn(value, key) ? value[key] : undefined;
}

/** JSON has one zero: `-0` is written `0`. */
function isSameValue(a: JsonValue | undefined, b: JsonValue | undefined): boolean {
  return a === b || isSame(a, b);
}

function classOf({ ancestor, live, snapshot }: Versions<JsonValue>, hasAncestor: boolean): ConflictClass {
  if (live === undefined || snapshot === undefined) return 'missing';
  if (hasAncestor && ancestor === undefined) return 'duplicate';
  if (isContainer(live) !== isContainer(snapshot) || isList(live) !== isList(snapshot)) return 'structure';
  return live === null || snapshot === null || typeof live === typeof snapshot ? 'value' : 'type';
}

function isContainer(value: JsonValue): boolean {
  return isList(value) || isObject(value);
}

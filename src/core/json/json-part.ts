import { formatPointer } from '../json-pointer.ts';
import type { JsonValue } from '../model/step.ts';
import { isList, isObject } from './canonical-json.ts';

/** What stands at a place; undefined if nothing does. */
export function valueAt(document: JsonValue, place: readonly string[]): JsonValue | undefined {
  let value: JsonValue | undefined = document;
  for (const part of place) value = memberOf(value, part);
  return value;
}

function memberOf(value: JsonValue | undefined, part: string): JsonValue | undefined {
  if (value === undefined || value === null || typeof value !== 'object') return undefined;
  if (isList(value)) return INDEX.test(part) ? value[Number(part)] : undefined;
  return Object.hasOwn(value, part) ? value[part] : undefined;
}

/** RFC 6901, section 4: no leading zeros. */
const INDEX = /^(?:0|[1-9]\d*)$/;

export type Placed =
  | { readonly ok: true; readonly document: JsonValue }
  /** `missing`: the place that would have to be there first. */
  | { readonly ok: false; readonly missing: string };

/**
 * The document with another value at a place, or without what stands there (`undefined`). What it would stand in must be
 * there already; a list grows by one at most.
 */
export function withValueAt(document: JsonValue, place: readonly string[], value: JsonValue | undefined): Placed {
  return placed(document, place, 0, value);
}

function placed(document: JsonValue, place: readonly string[], depth: number, value: JsonValue | undefined): Placed {
  const part = place[depth];
  if (part === undefined) return value === undefined ? missingAt([]) : { ok: true, document: value };
  if (!isObject(document) && !isList(document)) return missingAt(place.slice(0, depth));
  const isLast = depth === place.length - 1;
  const inner = memberOf(document, part);
  if (isLast) return withMember(document, part, value, place);
  if (inner === undefined) return value === undefined ? { ok: true, document } : missingAt(place.slice(0, depth + 1));
  const changed = placed(inner, place, depth + 1, value);
  return changed.ok ? withMember(document, part, changed.document, place) : changed;
}

function withMember(
  document: readonly JsonValue[] | { readonly [key: string]: JsonValue },
  part: string,
  value: JsonValue | undefined,
  place: readonly string[],
): Placed {
  if (!isList(document)) {
    const others = Object.entries(document).filter(([key]) => key !== part || value !== undefined);
    if (value === undefined) return { ok: true, document: Object.fromEntries(others) };
    // `fromEntries` makes an own member of any name, and keeps the place of one that is there already.
    return { ok: true, document: Object.fromEntries([...others, [part, value]]) };
  }
  const index = INDEX.test(part) ? Number(part) : Number.NaN;
  if (value === undefined) return { ok: true, document: document.filter((_item, at) => at !== index) };
  if (!(index <= document.length)) return missingAt(place);
  return { ok: true, document: [...document.slice(0, index), value, ...document.slice(index + 1)] };
}

function missingAt(place: readonly string[]): Placed {
  return { ok: false, missing: formatPointer(place) };
}

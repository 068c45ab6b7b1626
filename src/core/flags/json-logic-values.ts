import { isList, isObject } from '../json/canonical-json.ts';
import type { JsonValue } from '../model/step.ts';

/** JsonLogic's idea of true: as in JavaScript, but an empty list is false (jsonlogic.com/truthy.html). */
export function isTruthy(value: JsonValue): boolean {
  return isList(value) ? value.length > 0 : Boolean(value);
}

/** JavaScript's `==` among texts, numbers, truths and null; lists and objects equal nothing. */
export function looselyEqual(one: JsonValue, other: JsonValue): boolean {
  if (typeof one === 'object' || typeof other === 'object') return one === null && other === null;
  if (typeof one === typeof other) return one === other;
  return Number(one) === Number(other);
}

/** JavaScript's `===`; lists and objects equal nothing. */
export function strictlyEqual(one: JsonValue, other: JsonValue): boolean {
  return one === other && (typeof one !== 'object' || one === null);
}

/** As JavaScript coerces; NaN for lists and objects. */
export function numberOf(value: JsonValue): number {
  return typeof value === 'object' && value !== null ? Number.NaN : Number(value);
}

/** JSON has no NaN and no infinity: what cannot be calculated is null. */
export function finite(value: number): JsonValue {
  return Number.isFinite(value) ? value : null;
}

/** Below 0, 0, above 0; NaN where the two cannot be compared. Texts compare by their UTF-16 units. */
export function compareValues(one: JsonValue, other: JsonValue): number {
  if (typeof one === 'string' && typeof other === 'string') return one === other ? 0 : one < other ? -1 : 1;
  return numberOf(one) - numberOf(other);
}

export function textOf(value: JsonValue): string {
  if (typeof value === 'string') return value;
  if (value === null) return '';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** The own property, or null: nothing is looked up through prototypes. */
export function propertyOf(value: JsonValue, key: string): JsonValue {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return null;
  if (isObject(value)) return value[key] ?? null;
  const item = value[Number(key)];
  return item ?? null;
}

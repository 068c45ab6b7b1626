import type { JsonValue } from '../../../../core/model/step.ts';

/** The value with another one at `parts`, or with none there; objects on the way are made. */
export function withValueAt(root: JsonValue, parts: readonly string[], value: JsonValue | undefined): JsonValue {
  const [part, ...rest] = parts;
  if (part === undefined) return value ?? null;
  if (Array.isArray(root)) {
    const items: readonly JsonValue[] = root;
    return items.map((item, index) => (String(index) === part ? withValueAt(item, rest, value) : item));
  }
  const pairs = new Map(typeof root === 'object' && root !== null ? Object.entries(root) : []);
  if (rest.length === 0 && value === undefined) pairs.delete(part);
  else if (value !== undefined || pairs.has(part)) pairs.set(part, withValueAt(pairs.get(part) ?? {}, rest, value));
  return Object.fromEntries(pairs);
}

export function valueAt(root: JsonValue | undefined, parts: readonly string[]): JsonValue | undefined {
  return parts.reduce<JsonValue | undefined>((value, part) => {
    if (typeof value !== 'object' || value === null) return undefined;
    if (!Array.isArray(value)) return Object.hasOwn(value, part) ? new Map(Object.entries(value)).get(part) : undefined;
    const items: readonly JsonValue[] = value;
    return /^(?:0|[1-9]\d*)$/.test(part) ? items[Number(part)] : undefined;
  }, root);
}

/** An object of an engine's answer, of which nothing is taken for granted. */
export type Decoded = { readonly [key: string]: unknown };

export function objectAt(value: unknown, ...path: readonly string[]): Decoded {
  let found: unknown = value;
  for (const key of path) found = isObject(found) ? found[key] : undefined;
  return isObject(found) ? found : {};
}

/** Empty if it is none. */
export function textAt(object: Decoded, key: string): string {
  const value = object[key];
  return typeof value === 'string' ? value : '';
}

/** 0 if it is none. */
export function numberAt(object: Decoded, key: string): number {
  const value = object[key];
  return typeof value === 'number' ? value : 0;
}

export function listAt(object: Decoded, key: string): readonly unknown[] {
  const value = object[key];
  return Array.isArray(value) ? value : [];
}

/** Only texts; Docker writes null for an empty map. */
export function textsAt(object: Decoded, key: string): Readonly<Record<string, string>> {
  const pairs = Object.entries(objectAt(object, key));
  return Object.fromEntries(pairs.flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : [])));
}

function isObject(value: unknown): value is Decoded {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

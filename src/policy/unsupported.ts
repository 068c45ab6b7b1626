/**
 * What the language promises and this version does not do yet, by the title of the schema's object that it would
 * stand in. Whoever uses it is told so, instead of being told that the word does not exist. An entry goes when the
 * schema gets the word.
 */
export const KEYS_TO_COME: Readonly<Record<string, readonly string[]>> = {
  'Flag spec': ['ramp', 'expires'],
  Place: ['flagd', 'http', 'postgres'],
  Rung: ['assess'],
  'Data loss': ['from', 'within'],
  'Step restore': ['policy', 'targets'],
  Release: ['reRamp'],
  'PointPolicy spec': ['validate'],
  Check: ['assessed'],
  'Check unit journal': ['none'],
  'Drill spec': ['before', 'to'],
};

/** Values likewise, by the title of the schema that lists the values of today. */
export const VALUES_TO_COME: Readonly<Record<string, readonly string[]>> = {
  '`safe` or {variant: NAME}': ['previousStep'],
};

/** Objects likewise, by the title and the object's key. */
export const ALTERNATIVES_TO_COME: Readonly<Record<string, readonly string[]>> = {};

export function isKeyToCome(title: string, key: string): boolean {
  return KEYS_TO_COME[title]?.includes(key) === true || isAlternativeToCome(title, key);
}

export function isAlternativeToCome(title: string, key: string): boolean {
  return ALTERNATIVES_TO_COME[title]?.includes(key) === true;
}

export function isValueToCome(title: string, value: unknown): boolean {
  return VALUES_TO_COME[title]?.some((word) => word === value) === true;
}

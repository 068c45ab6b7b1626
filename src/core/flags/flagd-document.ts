import { isObject } from '../json/canonical-json.ts';
import type { FlagMetadata } from '../model/flag.ts';
import type { JsonValue } from '../model/step.ts';
import type { Evaluators } from './compile-rule.ts';
import type { FlagDefinition } from './evaluate-flag.ts';

/** A set of flags as flagd reads it from a file (flagd.dev/reference/flag-definitions). */
export type FlagdSet = {
  readonly flags: ReadonlyMap<string, FlagdFlag>;
  readonly evaluators: Evaluators;
  readonly metadata: FlagMetadata;
};

/** A flag, or what is wrong with it: the others are served all the same. */
export type FlagdFlag =
  | { readonly ok: true; readonly definition: FlagDefinition; readonly metadata: FlagMetadata }
  | { readonly ok: false; readonly fault: string };

export type FlagdReading =
  | { readonly ok: true; readonly set: FlagdSet }
  | { readonly ok: false; readonly fault: string };

/** `{flags, $evaluators?, metadata?}`. Only what is no such document at all is refused as a whole. */
export function readFlagd(document: JsonValue): FlagdReading {
  if (!isObject(document) || !isObject(document['flags'])) {
    return { ok: false, fault: 'it is not a set of flags: an object with `flags` is expected' };
  }
  const { flags, $evaluators: evaluators, metadata } = document;
  const read = new Map(Object.entries(flags).map(([key, flag]) => [key, flagIn(key, flag)] as const));
  return {
    ok: true,
    set: { flags: read, evaluators: isObject(evaluators) ? evaluators : {}, metadata: metadataIn(metadata) },
  };
}

function flagIn(key: string, flag: JsonValue): FlagdFlag {
  if (!isObject(flag)) return { ok: false, fault: 'it is not an object' };
  const { state, variants, defaultVariant = null, targeting, metadata } = flag;
  if (state !== 'ENABLED' && state !== 'DISABLED') return { ok: false, fault: '`state` is ENABLED or DISABLED' };
  if (!isObject(variants)) return { ok: false, fault: '`variants` is an object of values' };
  // flagd itself takes a truth for the name of a variant.
  const name = typeof defaultVariant === 'boolean' ? String(defaultVariant) : defaultVariant;
  if (name !== null && typeof name !== 'string')
    return { ok: false, fault: '`defaultVariant` is the name of a variant' };
  const definition: FlagDefinition = {
    key,
    state: state === 'ENABLED' ? 'ENABLED' : 'DISABLED',
    variants,
    defaultVariant: name,
  };
  return {
    ok: true,
    definition: targeting === undefined ? definition : { ...definition, targeting },
    metadata: metadataIn(metadata),
  };
}

/** OpenFeature's metadata are texts, numbers and truths. */
function metadataIn(metadata: JsonValue | undefined): FlagMetadata {
  if (!isObject(metadata)) return {};
  const told = Object.entries(metadata).flatMap(([key, value]) =>
    typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? [[key, value] as const] : [],
  );
  return Object.fromEntries(told);
}

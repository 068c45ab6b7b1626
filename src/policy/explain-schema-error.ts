import type { JsonValue } from '../core/model/step.ts';
import { nearestName } from '../core/nearest-name.ts';
import { isToCome, type SchemaError, titleOf, unknownKey } from './collapse-schema-errors.ts';
import { type Explained, explainFormat } from './explain-format.ts';
import { explainType, nounOf } from './explain-type.ts';
import { meantByForeignKey } from './foreign-words.ts';
import { alternativesText, flowText, foundText, plainText, quote, withArticle } from './found.ts';
import { isObject } from './head.ts';
import { formatPath, type Path, pathOfPointer } from './path.ts';
import { exactlyOneOf } from './schema-files.ts';
import { isKeyToCome, isValueToCome } from './unsupported.ts';

/** Where the fault stands: at a key, at a value, or (for something missing) at the key of what should contain it. */
export type Place = { readonly path: Path; readonly side: 'key' | 'value' };
export type ExplainedError = Explained & { readonly place: Place };

/** One schema error in plain words. */
export function explainSchemaError(error: SchemaError): ExplainedError {
  const path = pathOfPointer(error.instancePath);
  switch (error.keyword) {
    case 'additionalProperties':
      return at([...path, unknownKey(error)], 'key', explainUnknownKey(error));
    case 'required':
      return at(path, 'key', explainMissing(error, path));
    case 'oneOf':
      return explainExactlyOne(error, path);
    default:
      if (error.propertyName !== undefined) return explainPropertyName(error, path, error.propertyName);
      return at(path, 'value', explainValue(error, labelOf(path)));
  }
}

function at(path: Path, side: Place['side'], explained: Explained): ExplainedError {
  return { ...explained, place: { path, side } };
}

/** `for`, `triggers[0]`: what an author calls the value. */
function labelOf(path: Path): string {
  const from = path.findLastIndex((part) => !/^\d+$/.test(String(part)));
  return path.length === 0 ? 'document' : formatPath(path.slice(Math.max(0, from)));
}

function explainUnknownKey(error: SchemaError): Explained {
  const key = unknownKey(error);
  const known = Object.keys((error.parentSchema?.['properties'] ?? {}) as Record<string, unknown>);
  const expected = alternativesText(known);
  if (isToCome(error)) {
    const message = `\`${key}\` is not supported by this version yet`;
    return { code: 'E-NOT-SUPPORTED', message, found: key, expected };
  }
  const base = { code: 'E-UNKNOWN-KEY', found: key, expected };
  if (/^-\S/.test(key)) return { ...base, message: `unknown key \`${key}\`; a space is missing after the dash` };
  if (/[\u00a0\u2000-\u200b\u3000\ufeff]/.test(key)) {
    return {
      ...base,
      message: `unknown key ${quote(key)}: it contains a non-breaking or invisible space; type it anew`,
    };
  }
  const meant = meantByForeignKey(titleOf(error), key);
  if (meant !== undefined) {
    const suggested = meant.key === undefined ? {} : { suggestion: meant.key };
    return { ...base, ...suggested, message: `unknown key \`${key}\`; ${meant.advice}` };
  }
  const suggestion = nearestName(key, known);
  const hint = error.instancePath === '' ? ' (what belongs to one of them is indented)' : '';
  if (suggestion === undefined) return { ...base, message: `unknown key \`${key}\`; expected ${expected}${hint}` };
  return { ...base, suggestion, message: `unknown key \`${key}\`; did you mean \`${suggestion}\`?` };
}

function explainMissing(error: SchemaError, path: Path): Explained {
  const key = String(error.params['missingProperty']);
  const place = path.length === 0 ? 'the document' : `\`${labelOf(path)}\``;
  const properties = (error.parentSchema?.['properties'] ?? {}) as Record<string, { examples?: readonly unknown[] }>;
  const example = properties[key]?.examples?.[0];
  const suggestion =
    typeof example === 'string' || typeof example === 'number' ? `; for example \`${key}: ${example}\`` : '';
  return { code: 'E-MISSING-KEY', message: `\`${key}\` is missing in ${place}${suggestion}`, expected: key };
}

function explainExactlyOne(error: SchemaError, path: Path): ExplainedError {
  const wanted = exactlyOneOf(error.parentSchema ?? {});
  const expected = wanted.length === 1 ? `\`${wanted[0]}\`` : `exactly one of ${alternativesText(wanted)}`;
  const place = path.length === 0 ? 'the document' : `\`${labelOf(path)}\``;
  const there = Object.keys((error.data ?? {}) as Record<string, unknown>).filter((key) => wanted.includes(key));
  const second = there[1];
  if (second === undefined) {
    return at(path, 'key', {
      code: 'E-ONE-OF',
      message: `${place} needs ${expected}; found none`,
      expected,
      found: 'none',
    });
  }
  const found = there.join(' and ');
  const message = `${place} needs ${expected}; found ${found}`;
  return at([...path, second], 'key', { code: 'E-ONE-OF', message, expected, found });
}

function explainPropertyName(error: SchemaError, path: Path, name: string): ExplainedError {
  const explained = explainFormat(titleOf(error), '', name, expectedOf(error, 'string'));
  return at([...path, name], 'key', explained);
}

function explainValue(error: SchemaError, key: string): Explained {
  const value = error.data as JsonValue;
  switch (error.keyword) {
    case 'type': {
      const toCome = wordToCome(error, value);
      if (toCome !== undefined) return toCome;
      // Of several types the first is the usual one, which the author probably meant.
      const [type = ''] = [error.params['type']].flat().map(String);
      const explained = explainType(titleOf(error), key, type, value, expectedOf(error, type));
      if (explained.suggestion !== undefined) return explained;
      return { ...explained, message: `${explained.message}${exampleFor(error, type, value)}` };
    }
    case 'enum':
    case 'const':
    case 'anyOf':
      return explainChoice(error, key, value);
    case 'pattern':
      return explainFormat(titleOf(error), key, plainText(value), expectedOf(error, 'string'));
    default:
      return explainBound(error, key, value);
  }
}

/** A mapping is shown to whoever wrote something else. */
function exampleFor(error: SchemaError, type: string, value: JsonValue): string {
  if (type !== 'object' || value === null) return '';
  const [example] = (error.parentSchema?.['examples'] ?? []) as readonly JsonValue[];
  const text = example === undefined ? '' : flowText(example);
  return text === '' || text.length > LONGEST_EXAMPLE ? '' : `; for example ${text}`;
}

const LONGEST_EXAMPLE = 90;

/** A mapping where a plain value stands today, such as `above: {baseline: 2}`. */
function wordToCome(error: SchemaError, value: JsonValue): Explained | undefined {
  const key = isObject(value) ? Object.keys(value).find((word) => isKeyToCome(titleOf(error), word)) : undefined;
  if (key === undefined) return undefined;
  return { code: 'E-NOT-SUPPORTED', message: `\`${key}\` is not supported by this version yet`, found: key };
}

/** The definition's own words if its title is a noun, and examples of it; otherwise the type's. */
function expectedOf(error: SchemaError, type: string): string {
  const title = titleOf(error);
  if (!/^[a-z`]/.test(title)) return nounOf(type);
  const phrase = title.startsWith('`') ? title : withArticle(title);
  const examples = (error.parentSchema?.['examples'] ?? []) as readonly unknown[];
  const shown = examples.slice(0, 2).filter((example) => String(example).length < 30);
  const areTexts = shown.length > 0 && examples.every((example) => typeof example === 'string');
  return !areTexts || title.startsWith('`') ? phrase : `${phrase} such as ${shown.join(' or ')}`;
}

function explainChoice(error: SchemaError, key: string, value: JsonValue): Explained {
  const allowed = choicesOf(error.parentSchema);
  const words = allowed.filter((word) => typeof word === 'string');
  const expected = error.keyword === 'anyOf' ? expectedOf(error, 'object') : alternativesText(words);
  const found = foundText(value);
  if (isValueToCome(titleOf(error), value)) {
    const message = `${quote(plainText(value))} is not supported by this version yet; expected ${expected}`;
    return { code: 'E-NOT-SUPPORTED', message, found, expected };
  }
  const base = { code: typeof value === 'string' && words.length > 0 ? 'E-VALUE' : 'E-TYPE', found, expected };
  const suggestion = typeof value === 'string' ? (nearestName(value, words) ?? signalFor(value, words)) : undefined;
  if (suggestion === undefined) {
    return { ...base, message: `\`${key}\` must be ${expected}; found ${found}${variantFor(error, value)}` };
  }
  return {
    ...base,
    suggestion,
    message: `\`${key}\` must be ${expected}; found ${found}; did you mean ${suggestion}?`,
  };
}

/** `to: "off"` and `to: false`: a variant stands in a mapping, so that none can be mistaken for `safe`. */
function variantFor(error: SchemaError, value: JsonValue): string {
  if (!titleOf(error).endsWith('{variant: NAME}')) return '';
  if (typeof value === 'boolean') return `; name the variant: {variant: "${value ? 'on' : 'off'}"}`;
  return typeof value === 'string' ? `; write {variant: ${quote(value)}}` : '';
}

function signalFor(value: string, words: readonly string[]): string | undefined {
  return words.find((word) => word === `SIG${value.toUpperCase()}`);
}

function choicesOf(schema: SchemaError['parentSchema']): readonly unknown[] {
  if (schema === undefined) return [];
  const branches = (schema['anyOf'] ?? []) as readonly NonNullable<SchemaError['parentSchema']>[];
  const constant = 'const' in schema ? [schema['const']] : [];
  return [...((schema['enum'] ?? []) as readonly unknown[]), ...constant, ...branches.flatMap(choicesOf)];
}

function explainBound(error: SchemaError, key: string, value: JsonValue): Explained {
  const found = foundText(value);
  const limit = String(error.params['limit']);
  switch (error.keyword) {
    case 'minItems':
    case 'maxItems':
    case 'minProperties':
    case 'minLength':
      return explainSize(error, key, value, limit);
    case 'minimum':
      return {
        code: 'E-RANGE',
        found,
        expected: `at least ${limit}`,
        message: `\`${key}\` must be at least ${limit}; ${foundIs(found)}`,
      };
    case 'maximum':
      return {
        code: 'E-RANGE',
        found,
        expected: `at most ${limit}`,
        message: `\`${key}\` must be at most ${limit}; ${foundIs(found)}`,
      };
    case 'uniqueItems':
      return {
        code: 'E-DUPLICATE-ITEM',
        found,
        message: `\`${key}\` has the same item twice (items ${error.params['j']} and ${error.params['i']}, counted from 0)`,
      };
    default:
      return { code: 'E-SCHEMA', found, message: `\`${key}\` ${error.message ?? 'is not right'}` };
  }
}

function foundIs(found: string): string {
  return `found ${found}`;
}

function explainSize(error: SchemaError, key: string, value: JsonValue, limit: string): Explained {
  const length = typeof value === 'object' && value !== null ? Object.keys(value).length : String(value).length;
  const expected = expectedOf(error, Array.isArray(value) ? 'array' : typeof value);
  if (length === 0)
    return { code: 'E-EMPTY', found: 'nothing', expected, message: `\`${key}\` is empty; expected ${expected}` };
  const message = `\`${key}\` must be ${expected}; found ${length} of ${error.keyword === 'maxItems' ? 'at most' : 'at least'} ${limit}`;
  return { code: 'E-LENGTH', found: String(length), expected, message };
}

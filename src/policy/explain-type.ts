import type { JsonValue } from '../core/model/step.ts';
import { parseDuration } from '../core/units.ts';
import { withoutUnit } from './duration-text.ts';
import type { Explained } from './explain-format.ts';
import { foundText, plainText } from './found.ts';
import { isObject } from './head.ts';

/** A value of the wrong type: what was found, what was expected, and what was probably meant. */
export function explainType(title: string, key: string, type: string, value: JsonValue, expected: string): Explained {
  const found = foundText(value);
  const base = { code: 'E-TYPE', found, expected };
  if (value === null) return { ...base, message: `\`${key}\` is empty; expected ${expected}` };
  if (typeof value === 'number' && title.endsWith('with a unit')) return bareNumber(title, key, value, expected);
  if (typeof value === 'number' && !Number.isFinite(value)) return notFinite(key, value, expected);
  const suggestion = title.endsWith(' run') ? suggestArgv(value) : suggest(type, value);
  const hint = hintFor(title, type, value);
  const advice = suggestion === undefined ? hint : `; write ${suggestion}${hint}`;
  const message = `\`${key}\` must be ${expected}; found ${found}${advice}`;
  return suggestion === undefined ? { ...base, message } : { ...base, message, suggestion };
}

function bareNumber(title: string, key: string, value: number, expected: string): Explained {
  if (value < 0) {
    const message = `\`${key}\` is negative: found ${value}, expected ${expected}`;
    return { code: 'E-UNIT', message, found: String(value), expected };
  }
  if (title.startsWith('duration')) return { code: 'E-UNIT', ...withoutUnit(key, String(value)) };
  const message = `\`${key}\` has no unit: found ${value}, write ${value}B or ${value}MiB`;
  return { code: 'E-UNIT', message, found: String(value), expected };
}

function notFinite(key: string, value: number, expected: string): Explained {
  const found = Number.isNaN(value) ? 'NaN' : value > 0 ? 'infinity' : 'minus infinity';
  return { code: 'E-RANGE', found, expected, message: `\`${key}\` must be a finite number; found ${found}` };
}

function suggest(type: string, value: JsonValue): string | undefined {
  if (type === 'number' || type === 'integer') return suggestNumber(value);
  if (type === 'boolean') return suggestBoolean(value);
  if (type === 'string' && (typeof value === 'number' || typeof value === 'boolean'))
    return JSON.stringify(String(value));
  if (type === 'array' && typeof value === 'string') return `[${value.split(/\s+/).map(asItem).join(', ')}]`;
  return undefined;
}

/** `run: systemctl restart app`: a command line where there is no shell. */
function suggestArgv(value: JsonValue): string | undefined {
  const list = suggest('array', value);
  return list === undefined ? undefined : `{argv: ${list}}`;
}

function asItem(word: string): string {
  return /^[\w./-]+$/.test(word) ? word : JSON.stringify(word);
}

function suggestNumber(value: JsonValue): string | undefined {
  if (typeof value !== 'string') return undefined;
  if (/^-?\d+(\.\d+)?$/.test(value)) return value;
  const percent = /^(\d+(?:\.\d+)?)\s*%$/.exec(value)?.[1];
  return percent === undefined ? undefined : String(Number((Number(percent) / 100).toPrecision(12)));
}

function suggestBoolean(value: JsonValue): string | undefined {
  const word = plainText(value).toLowerCase();
  if (['yes', 'y', 'on', '1', 'true'].includes(word)) return 'true';
  return ['no', 'n', 'off', '0', 'false'].includes(word) ? 'false' : undefined;
}

function hintFor(title: string, type: string, value: JsonValue): string {
  if (isObject(value)) return hintForObject(type, Object.keys(value));
  if (typeof value !== 'string') return '';
  if (/\$\{host\./.test(value) && type !== 'string')
    return ` (a variable of the host gives text, never ${nounOf(type)})`;
  if (type !== 'number') return title.startsWith('program') ? ' (there is no shell that would split a text)' : '';
  if (/^[<>]=?\s*-?[\d.]+$/.test(value)) return '; write the number alone: `above` and `below` say the rest';
  if (parseDuration(value) !== undefined) return '; write the number alone, in the unit of the query';
  if (suggestNumber(value) === undefined) return '';
  return value.endsWith('%') ? ' if the query gives a ratio' : ' without quotes';
}

function hintForObject(type: string, keys: readonly string[]): string {
  if (type === 'string') return '; a text that begins with { needs quotes';
  if (type !== 'array') return '';
  return keys.some((key) => /^-\S/.test(key)) ? '; a space is missing after the dash' : '; put "- " before each item';
}

/** A type as people call it. */
export function nounOf(type: string): string {
  switch (type) {
    case 'string':
      return 'a text';
    case 'number':
      return 'a number';
    case 'integer':
      return 'a whole number';
    case 'boolean':
      return 'true or false';
    case 'array':
      return 'a list';
    case 'null':
      return 'nothing';
    default:
      return 'a mapping';
  }
}

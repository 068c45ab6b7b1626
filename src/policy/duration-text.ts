import { parseDuration } from '../core/units.ts';
import type { Wording } from './diagnostic.ts';
import { quote } from './found.ts';

const EXPECTED = 'a duration with a unit such as 30s, 5m or 1h30m';

const WORDS: readonly (readonly [RegExp, string])[] = [
  [/milliseconds?|millis|msecs?/g, 'ms'],
  [/seconds?|secs?/g, 's'],
  [/minutes?|mins?/g, 'm'],
  [/hours?|hrs?/g, 'h'],
  [/days?/g, 'd'],
  [/weeks?/g, 'w'],
];

/** What is wrong with a text that should be a duration, and what was probably meant. */
export function explainDuration(key: string, text: string): Wording {
  const found = quote(text);
  const base = { found, expected: EXPECTED };
  if (/^\s*-/.test(text)) return { ...base, message: `\`${key}\` is negative: found ${found}, expected ${EXPECTED}` };
  if (/^\d+(\.\d+)?$/.test(text)) return withoutUnit(key, text);
  if (/^[\d.]+(M|mo|months?|y|years?)$/.test(text)) {
    return {
      ...base,
      message: `\`${key}\` is not a duration: months and years differ in length; write d or w, and minutes as m`,
    };
  }
  const meant = respell(text);
  if (meant !== undefined) {
    return { ...base, suggestion: meant, message: `\`${key}\` is not a duration: found ${found}, write ${meant}` };
  }
  const tooLong = /^((\d+(\.\d+)?)(ms|s|m|h|d|w))+$/.test(text);
  const reason = tooLong ? `is longer than ten years: found ${found}` : `is not a duration: found ${found}`;
  return { ...base, message: `\`${key}\` ${reason}, expected ${EXPECTED}` };
}

/** A bare number could be seconds or milliseconds; guessing wrong would be off by a thousand. */
export function withoutUnit(key: string, amount: string): Wording {
  const message = `\`${key}\` has no unit: found ${amount}, write ${amount}s or ${amount}ms`;
  return { message, found: amount, expected: EXPECTED, suggestion: `${amount}s` };
}

function respell(text: string): string | undefined {
  let plain = text
    .trim()
    .toLowerCase()
    .replace(/^pt/, '')
    .replaceAll(/[\s,]|and/g, '');
  for (const [word, unit] of WORDS) plain = plain.replaceAll(word, unit);
  return parseDuration(plain) === undefined ? undefined : plain;
}

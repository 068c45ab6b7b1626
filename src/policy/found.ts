import type { JsonValue } from '../core/model/step.ts';

/** A value as its author recognises it: `the number 30`, `the text "30 s"`, `nothing`, `a list`. */
export function foundText(value: JsonValue | undefined): string {
  if (value === undefined || value === null) return 'nothing';
  if (typeof value === 'number') return `the number ${value}`;
  if (typeof value === 'string') return `the text ${quote(value)}`;
  if (typeof value === 'boolean') return String(value);
  return Array.isArray(value) ? 'a list' : 'a mapping';
}

/** With its article. */
export function withArticle(noun: string): string {
  return `${/^[aeiou]/.test(noun) ? 'an' : 'a'} ${noun}`;
}

/** A text itself, anything else as JSON. */
export function plainText(value: JsonValue): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** In quotes, without line ends, and no longer than a line. */
export function quote(text: string): string {
  const short = text.length > 60 ? `${text.slice(0, 60)}…` : text;
  return JSON.stringify(short);
}

/** `a`, `a or b`, `a, b or c`. */
export function alternativesText(words: readonly string[]): string {
  const last = words.at(-1) ?? '';
  return words.length < 2 ? last : `${words.slice(0, -1).join(', ')} or ${last}`;
}

/** A value as it would be written on one line of YAML. */
export function flowText(value: JsonValue): string {
  if (typeof value === 'string') return isPlain(value) ? value : JSON.stringify(value);
  if (typeof value !== 'object' || value === null) return String(value);
  if (Array.isArray(value)) return `[${value.map(flowText).join(', ')}]`;
  const pairs = Object.entries(value).map(([key, item]) => `${flowText(key)}: ${flowText(item)}`);
  return pairs.length === 0 ? '{}' : `{ ${pairs.join(', ')} }`;
}

/** Whether a text needs no quotes in YAML, be it 1.2 or 1.1. */
export function isPlain(text: string): boolean {
  if (/^(true|false|null|on|off|yes|no|y|n)$/i.test(text)) return false;
  return /^[A-Za-z/][\w./-]*$|^\d+(ms|s|m|h|d|w)$/.test(text);
}

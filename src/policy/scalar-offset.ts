import type { Scalar } from 'yaml';

/**
 * Where the character at `offset` of a scalar's value stands in the source text. Quoting, escapes, folding and
 * indentation change nothing but white space and escapes, so characters are counted without white space.
 */
export function offsetInSource(text: string, scalar: Scalar<string>, offset: number): number {
  const range = scalar.range;
  if (!range) return 0;
  const places = placesOfCharacters(text, scalar, range[0], range[1]);
  const value = scalar.value;
  const rank = countVisible(value.slice(0, offset));
  const place = places[rank];
  if (offset < value.length && !isWhite(value.charAt(offset)) && place !== undefined) return place;
  const before = places[rank - 1];
  if (before === undefined) return place ?? range[0];
  const gap = offset - lastVisible(value, offset);
  return Math.min(before + gap, place ?? range[1]);
}

function isWhite(character: string): boolean {
  return character === ' ' || character === '\t' || character === '\n' || character === '\r';
}

function countVisible(text: string): number {
  return text.length - (text.match(/[ \t\n\r]/g)?.length ?? 0);
}

function lastVisible(value: string, before: number): number {
  let index = before - 1;
  while (index >= 0 && isWhite(value.charAt(index))) index -= 1;
  return index;
}

/** The source offsets of the value's characters that are not white space, in their order. */
function placesOfCharacters(text: string, scalar: Scalar<string>, start: number, end: number): readonly number[] {
  switch (scalar.type) {
    case 'QUOTE_DOUBLE':
      return placesInDoubleQuotes(text, start + 1, end - 1);
    case 'QUOTE_SINGLE':
      return placesInSingleQuotes(text, start + 1, end - 1);
    case 'BLOCK_FOLDED':
    case 'BLOCK_LITERAL':
      return visiblePlaces(text, text.indexOf('\n', start) + 1, end);
    default:
      return visiblePlaces(text, start, end);
  }
}

function visiblePlaces(text: string, start: number, end: number): readonly number[] {
  const places: number[] = [];
  for (let at = start; at < end; at += 1) if (!isWhite(text.charAt(at))) places.push(at);
  return places;
}

function placesInSingleQuotes(text: string, start: number, end: number): readonly number[] {
  const places: number[] = [];
  for (let at = start; at < end; at += 1) {
    if (isWhite(text.charAt(at))) continue;
    places.push(at);
    if (text.startsWith("''", at)) at += 1;
  }
  return places;
}

/** How many characters follow `\x`, `\u` and `\U` (YAML 1.2, 5.7). */
const HEX_DIGITS: Readonly<Record<string, number>> = { x: 2, u: 4, U: 8 };
const WHITE_ESCAPES = 'tnr \t\n\r';

function placesInDoubleQuotes(text: string, start: number, end: number): readonly number[] {
  const places: number[] = [];
  for (let at = start; at < end; at += 1) {
    const character = text.charAt(at);
    if (character !== '\\') {
      if (!isWhite(character)) places.push(at);
      continue;
    }
    const escape = text.charAt(at + 1);
    const digits = HEX_DIGITS[escape] ?? 0;
    for (let unit = 0; unit < unitsOf(escape, text.slice(at + 2, at + 2 + digits)); unit += 1) places.push(at);
    at += 1 + digits;
  }
  return places;
}

/** How many visible UTF-16 units an escape stands for. */
function unitsOf(escape: string, hexadecimal: string): number {
  if (WHITE_ESCAPES.includes(escape)) return 0;
  if (hexadecimal === '') return 1;
  const codePoint = Number.parseInt(hexadecimal, 16);
  if (codePoint > 0xffff) return 2;
  return isWhite(String.fromCodePoint(codePoint)) ? 0 : 1;
}

const FIRST_SURROGATE = 0xd800;
const LAST_SURROGATE = 0xdfff;

/** A part of a text, which is not cut out of it. */
export type Span = { readonly text: string; readonly from: number; readonly to: number };

/** The order of the UTF-8 bytes of two texts, without making them: it differs from that of UTF-16 only above U+FFFF. */
export function compareBytes(one: Span, other: Span): number {
  const length = Math.min(one.to - one.from, other.to - other.from);
  for (let index = 0; index < length; index += 1) {
    const [a, b] = [one.text.charCodeAt(one.from + index), other.text.charCodeAt(other.from + index)];
    if (a === b) continue;
    // What takes two units is above all that takes one.
    const [isA, isB] = [isSurrogate(a), isSurrogate(b)];
    if (isA !== isB) return isA ? 1 : -1;
    return a - b;
  }
  return one.to - one.from - (other.to - other.from);
}

export function spanOf(text: string): Span {
  return { text, from: 0, to: text.length };
}

function isSurrogate(unit: number): boolean {
  return unit >= FIRST_SURROGATE && unit <= LAST_SURROGATE;
}

import { isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import { canonicalJson } from '../../../core/json/canonical-json.ts';
import { valueAt, withValueAt } from '../../../core/json/json-part.ts';
import { hasLongNumbers } from '../../../core/json/long-numbers.ts';
import { parsePointer } from '../../../core/json-pointer.ts';
import type { JsonValue } from '../../../core/model/step.ts';
import { TargetError } from '../target-driver.ts';

/** A document as it came, and what it says. */
export type JsonDocument = {
  readonly bytes: Buffer;
  readonly value: JsonValue;
  /** Whether reading and writing it changes none of its numbers: a double holds whole ones up to 2^53. */
  readonly isExact: boolean;
};

/** Deeper ones would exhaust the stack of whoever walks them. */
const DEEPEST = 500;

/**
 * `from` says whose it is, for people.
 * @throws {TargetError} `format` for what is not JSON in UTF-8 (RFC 8259, section 8.1), or nested too deep.
 */
export function parseDocument(bytes: Buffer, from: string): JsonDocument {
  if (bytes.length === 0) throw new TargetError('format', `${from} is empty, which is not JSON`);
  if (!isUtf8(bytes)) throw new TargetError('format', `${from} is not text in UTF-8`);
  const text = bytes.toString('utf8');
  if (depthOf(text) > DEEPEST) throw new TargetError('format', `${from} is nested deeper than ${DEEPEST}`);
  try {
    return { bytes, value: JSON.parse(text) as JsonValue, isExact: !hasLongNumbers(text) };
  } catch (error) {
    throw new TargetError('format', `${from} is not JSON: ${error instanceof Error ? error.message : ''}`, error);
  }
}

function depthOf(text: string): number {
  let [depth, deepest] = [0, 0];
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|[[\]{}]/gs)) {
    if (token === '[' || token === '{') deepest = Math.max(deepest, (depth += 1));
    else if (token === ']' || token === '}') depth -= 1;
  }
  return deepest;
}

/** Identifies what it says: the same for another order of keys, other white space and what is ignored. */
export function fingerprintOf({ bytes, value, isExact }: JsonDocument, ignore: readonly string[]): string {
  const text = isExact ? canonicalJson(withoutPlaces(value, ignore)) : bytes;
  return createHash('sha256').update(text).digest('hex');
}

export function withoutPlaces(value: JsonValue, ignore: readonly string[]): JsonValue {
  let left = value;
  for (const pointer of ignore) {
    const place = parsePointer(pointer) ?? [];
    if (place.length === 0 || valueAt(left, place) === undefined) continue;
    const without = withValueAt(left, place, undefined);
    if (without.ok) left = without.document;
  }
  return left;
}

/**
 * The live document with these places as the point has them; what the point has not is removed.
 * @throws {TargetError} `snapshot` where a place is none, or has nothing to stand in.
 */
export function mergedDocument(live: JsonDocument, point: JsonDocument, pointers: readonly string[]): JsonDocument {
  if (!live.isExact || !point.isExact) {
    const message = 'the document has numbers that would be rounded; it can only be restored as a whole';
    throw new TargetError('snapshot', message);
  }
  let merged = live.value;
  for (const pointer of pointers) {
    const place = parsePointer(pointer);
    if (place === undefined) throw notPointer(pointer);
    const wanted = valueAt(point.value, place);
    const done = withValueAt(merged, place, wanted);
    if (!done.ok) {
      const message = `the live document has no ${done.missing || 'place'} for ${pointer} to stand in; restore that`;
      throw new TargetError('snapshot', message);
    }
    merged = done.document;
  }
  return { bytes: Buffer.from(JSON.stringify(merged)), value: merged, isExact: true };
}

/** @throws {TargetError} `snapshot` for a place that neither of them has: it is mistyped. */
export function refuseUnknownPlaces(live: JsonDocument, point: JsonDocument, pointers: readonly string[]): void {
  for (const pointer of pointers) {
    const place = parsePointer(pointer);
    if (place === undefined) throw notPointer(pointer);
    if (valueAt(point.value, place) !== undefined || valueAt(live.value, place) !== undefined) continue;
    throw new TargetError('snapshot', `neither the point nor the live document has ${pointer}`);
  }
}

function notPointer(text: string): TargetError {
  return new TargetError('snapshot', `"${text}" is not a JSON pointer: a / before each part, such as /limits/rate`);
}

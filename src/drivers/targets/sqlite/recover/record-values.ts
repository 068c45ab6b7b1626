import { isUtf8 } from 'node:buffer';
import type { SQLInputValue } from 'node:sqlite';
import type { TextEncodingOf } from './page-file.ts';

/** The values of a record, or undefined if it is none: sqlite.org/fileformat2.html, "Record Format". */
export function valuesOf(record: Buffer, encoding: TextEncodingOf): SQLInputValue[] | undefined {
  const head = readVarint(record, 0);
  if (head === undefined || head.value < 1n || head.value > BigInt(record.length)) return undefined;
  const headEnd = Number(head.value);
  const values: SQLInputValue[] = [];
  let at = head.next;
  let body = headEnd;
  while (at < headEnd) {
    const type = readVarint(record, at);
    if (type === undefined || type.next > headEnd) return undefined;
    const bytes = bytesOf(type.value);
    if (bytes === undefined || body + bytes > record.length) return undefined;
    values.push(valueOf(type.value, record.subarray(body, body + bytes), encoding));
    at = type.next;
    body += bytes;
  }
  return at === headEnd && body === record.length && values.length > 0 ? values : undefined;
}

/** A number of 1 to 9 bytes, of 64 bits with a sign; undefined where it is cut off. */
export function readVarint(from: Buffer, start: number): { readonly value: bigint; readonly next: number } | undefined {
  let value = 0n;
  for (let index = 0; index < 9; index += 1) {
    const byte = from[start + index];
    if (byte === undefined) return undefined;
    if (index === 8) return { value: BigInt.asIntN(64, (value << 8n) | BigInt(byte)), next: start + 9 };
    value = (value << 7n) | BigInt(byte & 0x7f);
    if (byte < 0x80) return { value, next: start + index + 1 };
  }
  return undefined;
}

const INTEGER_BYTES = [0, 1, 2, 3, 4, 6, 8] as const;
const REAL = 7n;
const ZERO = 8n;
const ONE = 9n;
/** Types 10 and 11 stand in no file. */
const FIRST_OF_LENGTH = 12n;

function bytesOf(type: bigint): number | undefined {
  if (type < 0n) return undefined;
  if (type < REAL) return INTEGER_BYTES[Number(type)];
  if (type === REAL) return 8;
  if (type === ZERO || type === ONE) return 0;
  if (type < FIRST_OF_LENGTH || type > BigInt(Number.MAX_SAFE_INTEGER)) return undefined;
  return Number((type - FIRST_OF_LENGTH) / 2n);
}

function valueOf(type: bigint, bytes: Buffer, encoding: TextEncodingOf): SQLInputValue {
  if (type === 0n) return null;
  if (type < REAL) return BigInt.asIntN(bytes.length * 8, BigInt(`0x${bytes.toString('hex')}`));
  if (type === REAL) return bytes.readDoubleBE(0);
  if (type === ZERO) return 0n;
  if (type === ONE) return 1n;
  return type % 2n === 0n ? bytes : textOf(bytes, encoding);
}

/** What is no text of the encoding stays the bytes that it is. */
function textOf(bytes: Buffer, encoding: TextEncodingOf): SQLInputValue {
  if (encoding === 'UTF-8') return isUtf8(bytes) ? bytes.toString('utf8') : bytes;
  if (bytes.length % 2 !== 0) return bytes;
  const text = (encoding === 'UTF-16le' ? bytes : Buffer.from(bytes).swap16()).toString('utf16le');
  return text.isWellFormed() ? text : bytes;
}

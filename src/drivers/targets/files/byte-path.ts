import { isUtf8 } from 'node:buffer';

/**
 * A name or a relative path as the bytes that the kernel knows, one character for each (latin1). Names on Linux are
 * bytes: newlines and what is no UTF-8 are allowed, and must come back as they were. Two byte paths can be compared,
 * cut and used as keys like any text; what people see is `shownPath`.
 */
export type BytePath = string;

export function toBytePath(path: string): BytePath {
  return Buffer.from(path).toString('latin1');
}

export function bytesOf(path: BytePath): Buffer {
  return Buffer.from(path, 'latin1');
}

export function joined(folder: BytePath, name: BytePath): BytePath {
  return folder === '' ? name : `${folder}/${name}`;
}

/** In the order in which a tree is walked: by name in each folder, and what is in a folder right after it. */
export function compareWalked(a: BytePath, b: BytePath): number {
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index += 1) {
    const [left, right] = [weight(a.charCodeAt(index)), weight(b.charCodeAt(index))];
    if (left !== right) return left - right;
  }
  return a.length - b.length;
}

const SLASH = 0x2f;

/** What separates names comes before all that can be in them. */
function weight(code: number): number {
  return code === SLASH ? 0 : code;
}

export function isAtOrBelow(path: BytePath, folder: BytePath): boolean {
  return folder === '' || path === folder || path.startsWith(`${folder}/`);
}

/** As JSON: text where it is text, else its bytes. */
export type JsonPath = string | { readonly base64: string };

export function toJsonPath(path: BytePath): JsonPath {
  const bytes = bytesOf(path);
  return isUtf8(bytes) ? bytes.toString() : { base64: bytes.toString('base64') };
}

/** Undefined if it is none. */
export function fromJsonPath(value: unknown): BytePath | undefined {
  if (typeof value === 'string') return toBytePath(value);
  if (typeof value !== 'object' || value === null || !('base64' in value)) return undefined;
  const { base64 } = value;
  return typeof base64 === 'string' ? Buffer.from(base64, 'base64').toString('latin1') : undefined;
}

/** For people: one line, whatever the name is. */
export function shownPath(path: BytePath): string {
  const bytes = bytesOf(path);
  const isText = isUtf8(bytes);
  const escaped = (sign: string) => `\\x${sign.charCodeAt(0).toString(16).padStart(2, '0')}`;
  return Array.from(isText ? bytes.toString() : path, (sign) =>
    isPlainSign(sign, isText) ? sign : escaped(sign),
  ).join('');
}

function isPlainSign(sign: string, isText: boolean): boolean {
  const code = sign.charCodeAt(0);
  if (sign === '\\' || code < 0x20 || code === 0x7f) return false;
  return isText ? code < 0x80 || code > 0x9f : code < 0x80;
}

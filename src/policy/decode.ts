import type { PolicyFile } from '../core/model/revision.ts';
import { type Diagnostic, errorAt } from './diagnostic.ts';

/** A policy file is written by people; one that is larger than this is something else. */
export const LARGEST_FILE_BYTES = 1024 * 1024;

export type Decoded =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly diagnostic: Diagnostic };

/** A file's bytes as text. A byte order mark at the beginning is dropped, so that columns count from the text. */
export function decode(file: PolicyFile): Decoded {
  if (file.bytes.byteLength > LARGEST_FILE_BYTES) return tooBig(file);
  const invalidAt = firstInvalidByte(file.bytes);
  if (invalidAt !== undefined) return notUtf8(file, invalidAt);
  const text = new TextDecoder('utf-8').decode(file.bytes);
  const control = CONTROL.exec(text);
  if (control !== null) return controlCharacter(file, text, control.index);
  const lone = /\r(?!\n)/.exec(text);
  if (lone !== null) return loneReturn(file, text, lone.index);
  return { ok: true, text };
}

/** What YAML 1.2 does not allow in a stream, of the characters that occur in practice (5.1, c-printable). */
// oxlint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/;

function tooBig(file: PolicyFile): Decoded {
  const mib = (file.bytes.byteLength / 1024 / 1024).toFixed(1);
  const message = `the file is too large: found ${mib} MiB, expected at most 1 MiB`;
  return fault(file.path, 1, 1, 'E-FILE-SIZE', message);
}

function notUtf8(file: PolicyFile, invalidAt: number): Decoded {
  const before = new TextDecoder('utf-8').decode(file.bytes.subarray(0, invalidAt), { stream: true });
  const { line, column } = endOf(before);
  const byte = `0x${(file.bytes[invalidAt] ?? 0).toString(16).padStart(2, '0')}`;
  const mark = byteOrderMark(file.bytes);
  const message =
    mark === undefined
      ? `the file is not UTF-8: found the byte ${byte}; save it as UTF-8`
      : `the file is not UTF-8 but ${mark}; save it as UTF-8`;
  return fault(file.path, line, column, 'E-ENCODING', message);
}

function byteOrderMark(bytes: Uint8Array): string | undefined {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'UTF-16 (little-endian)';
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'UTF-16 (big-endian)';
  return undefined;
}

function controlCharacter(file: PolicyFile, text: string, index: number): Decoded {
  const { line, column } = endOf(text.slice(0, index));
  const codePoint = (text.codePointAt(index) ?? 0).toString(16).toUpperCase().padStart(4, '0');
  const name = codePoint === '0000' ? 'a NUL byte' : `the control character U+${codePoint}`;
  const message = `found ${name}, which YAML does not allow; is this a text file? Remove it, or write it as "\\u${codePoint}" in double quotes`;
  return fault(file.path, line, column, 'E-CONTROL-CHARACTER', message);
}

function loneReturn(file: PolicyFile, text: string, index: number): Decoded {
  const { line, column } = endOf(text.slice(0, index));
  const message = 'found a carriage return without a line feed; save the file with line ends of UNIX or Windows';
  return fault(file.path, line, column, 'E-LINE-END', message);
}

function fault(file: string, line: number, column: number, code: string, message: string): Decoded {
  return { ok: false, diagnostic: errorAt({ file, line, column }, code, message) };
}

function endOf(text: string): { line: number; column: number } {
  const lastBreak = text.lastIndexOf('\n');
  return { line: text.split('\n').length, column: text.length - lastBreak };
}

/** Bisects for the first byte that no valid UTF-8 text has there; undefined if the bytes are valid. */
function firstInvalidByte(bytes: Uint8Array): number | undefined {
  if (isValid(bytes, false)) return undefined;
  let valid = 0;
  let invalid = bytes.byteLength;
  while (invalid - valid > 1) {
    const middle = (valid + invalid) >>> 1;
    if (isValid(bytes.subarray(0, middle), true)) valid = middle;
    else invalid = middle;
  }
  return valid;
}

function isValid(bytes: Uint8Array, mayBeCut: boolean): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: mayBeCut });
    return true;
  } catch (error) {
    if (error instanceof TypeError) return false;
    throw error;
  }
}

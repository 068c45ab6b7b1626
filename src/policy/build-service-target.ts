import { parsePointer } from '../core/json-pointer.ts';
import type { CommandTarget, HttpTarget } from '../core/model/target.ts';
import { argvAt, type BuildContext, durationAt, fault, pathAt, SHORTEST_TIMEOUT, urlAt } from './build-context.ts';
import { buildHeaders } from './build-parts.ts';
import { buildAuth } from './build-source-parts.ts';
import { hasVariable } from './host-variables.ts';
import type { Path } from './path.ts';
import type { RawCommandTarget, RawHttpTarget } from './raw-documents.ts';
import { parseSize } from './size-text.ts';

const REQUEST_TIMEOUT_MS = 10_000;
const PROGRAM_TIMEOUT_MS = 600_000;
const MIB = 1024 ** 2;
const DOCUMENT_BYTES = 16 * MIB;
/** It is in memory several times: as bytes, as text, and as values. */
const LARGEST_DOCUMENT = { bytes: 64 * MIB, text: '64MiB' } as const;
const CONTENT_BYTES = 10 * 1024 * MIB;
const UNBOUNDED = { bytes: Number.MAX_SAFE_INTEGER, text: '' } as const;

/** A document that is read and written over HTTP. */
export function buildHttpTarget(context: BuildContext, path: Path, raw: RawHttpTarget): HttpTarget {
  for (const [index, pointer] of (raw.ignore ?? []).entries()) {
    const parts = hasVariable(pointer) ? ['?'] : parsePointer(pointer);
    if (parts !== undefined && parts.length > 0) continue;
    const message =
      parts === undefined
        ? `"${pointer}" is not a JSON pointer: ~ stands only in ~0 and ~1`
        : 'the empty pointer stands for the whole document; ignoring it would leave nothing to compare';
    fault(context, [...path, 'ignore', index], 'E-POINTER', { message, found: pointer });
  }
  return {
    kind: 'http',
    url: urlAt(context, [...path, 'url'], raw.url),
    headers: buildHeaders(context, [...path, 'headers'], raw.headers),
    ...buildAuth(context, [...path, 'auth'], raw.auth),
    method: raw.method ?? 'PUT',
    ignore: raw.ignore ?? [],
    timeoutMs: durationAt(context, [...path, 'timeout'], raw.timeout, REQUEST_TIMEOUT_MS, SHORTEST_TIMEOUT),
    maxBytes: sizeAt(context, [...path, 'maxBytes'], raw.maxBytes, DOCUMENT_BYTES, LARGEST_DOCUMENT),
  };
}

/** What programs write and take back. */
export function buildCommandTarget(context: BuildContext, path: Path, raw: RawCommandTarget): CommandTarget {
  return {
    kind: 'command',
    capture: argvAt(context, [...path, 'capture'], raw.capture),
    restore: argvAt(context, [...path, 'restore'], raw.restore),
    ...(raw.observe === undefined ? {} : { observe: argvAt(context, [...path, 'observe'], raw.observe) }),
    ...(raw.cwd === undefined ? {} : { cwd: pathAt(context, [...path, 'cwd'], raw.cwd, 'read') }),
    env: buildHeaders(context, [...path, 'env'], raw.env),
    ...(raw.user === undefined ? {} : { user: raw.user }),
    timeoutMs: durationAt(context, [...path, 'timeout'], raw.timeout, PROGRAM_TIMEOUT_MS, SHORTEST_TIMEOUT),
    maxBytes: sizeAt(context, [...path, 'maxBytes'], raw.maxBytes, CONTENT_BYTES, UNBOUNDED),
  };
}

/** A size in bytes, from 1; the fallback stands in for one that is absent, faulty, or only known on the host. */
function sizeAt(
  context: BuildContext,
  path: Path,
  text: string | undefined,
  fallback: number,
  largest: { readonly bytes: number; readonly text: string },
): number {
  if (text === undefined || hasVariable(text)) return fallback;
  const bytes = parseSize(text) ?? 0;
  if (bytes >= 1 && bytes <= largest.bytes) return bytes;
  const bound = bytes < 1 ? 'at least 1B' : `at most ${largest.text}`;
  fault(context, path, 'E-RANGE', {
    message: `\`${path.at(-1)}\` must be ${bound}; found ${text}`,
    found: text,
    expected: bound,
  });
  return fallback;
}

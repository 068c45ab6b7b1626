import { RE2JS, RE2JSException } from 're2js';
import type { ExpositionLimits, HttpAuth, TlsFiles } from '../core/model/metric-source.ts';
import { formatDuration, type Millis } from '../core/units.ts';
import { type BuildContext, durationAt, fault, pathAt, SHORTEST_TIMEOUT } from './build-context.ts';
import { checkSecret } from './build-parts.ts';
import { hasVariable } from './host-variables.ts';
import type { Path } from './path.ts';
import type { RawAuth, RawLimits } from './raw-documents.ts';
import { parseSize } from './size-text.ts';

const LONGEST_DEFAULT_TIMEOUT_MS = 10_000;

export function buildAuth(context: BuildContext, path: Path, raw: RawAuth | undefined): { readonly auth?: HttpAuth } {
  if (raw?.basic !== undefined) {
    const password = checkSecret(context, [...path, 'basic', 'password'], raw.basic.password);
    return { auth: { kind: 'basic', username: raw.basic.username, password } };
  }
  if (raw?.bearer === undefined) return {};
  return { auth: { kind: 'bearer', token: checkSecret(context, [...path, 'bearer'], raw.bearer) } };
}

export function buildTls(context: BuildContext, path: Path, raw: TlsFiles | undefined): { readonly tls?: TlsFiles } {
  if (raw === undefined) return {};
  for (const key of ['caFile', 'certFile', 'keyFile'] as const) {
    const file = raw[key];
    if (file !== undefined) pathAt(context, [...path, key], file, 'read');
  }
  return { tls: { ...raw } };
}

export function buildLimits(
  context: BuildContext,
  path: Path,
  raw: RawLimits | undefined,
): { readonly limits?: ExpositionLimits } {
  if (raw === undefined) return {};
  const bytes = raw.bytes === undefined || hasVariable(raw.bytes) ? undefined : parseSize(raw.bytes);
  if (bytes === undefined && raw.bytes !== undefined && !hasVariable(raw.bytes)) {
    fault(context, [...path, 'bytes'], 'E-UNIT', `\`bytes\` is not a size such as 10MiB: found "${raw.bytes}"`);
  }
  return {
    limits: {
      ...(bytes === undefined ? {} : { bytes }),
      ...(raw.samples === undefined ? {} : { samples: raw.samples }),
    },
  };
}

/** A sampling that outlasts its interval would meet the next one. */
export function timeoutWithin(context: BuildContext, path: Path, text: string | undefined, intervalMs: Millis): Millis {
  const fallbackMs = Math.min(intervalMs, LONGEST_DEFAULT_TIMEOUT_MS);
  const timeoutMs = durationAt(context, path, text, fallbackMs, SHORTEST_TIMEOUT);
  if (timeoutMs <= intervalMs) return timeoutMs;
  const interval = formatDuration(intervalMs);
  const message = `\`timeout\` (${text}) is longer than the interval (${interval}); write at most ${interval}`;
  fault(context, path, 'E-TIMEOUT', { message, found: text ?? '', expected: `at most ${interval}` });
  return fallbackMs;
}

export function checkPattern(context: BuildContext, path: Path, pattern: string | undefined): void {
  try {
    if (pattern !== undefined) RE2JS.compile(pattern);
  } catch (error) {
    if (!(error instanceof RE2JSException)) throw error;
    fault(context, path, 'E-PATTERN', `\`${path.at(-1)}\` is not a regular expression (RE2): ${error.message}`);
  }
}

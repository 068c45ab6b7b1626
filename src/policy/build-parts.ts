import type { SecretRef } from '../core/model/secret-ref.ts';
import type { Threshold } from '../core/model/trigger.ts';
import { type BuildContext, doubt, fault, pathAt, valueOrigin } from './build-context.ts';
import type { Path } from './path.ts';
import type { RawHeaders, RawStatus, RawThreshold } from './raw-documents.ts';

/** Headers whose plain value is probably a secret that should not stand in git. */
const SECRET_HEADERS = /^(authorization|proxy-authorization|cookie|x-api-key|x-auth-token|private-token)$/i;

export function buildHeaders(context: BuildContext, path: Path, raw: RawHeaders | undefined): RawHeaders {
  for (const [name, value] of Object.entries(raw ?? {})) {
    if (typeof value !== 'string') checkSecret(context, [...path, name], value);
    else if (SECRET_HEADERS.test(name)) {
      const message = `the header ${name} is written out; name its secret: {credential: NAME}`;
      doubt(context, [...path, name], 'W-SECRET', message);
    }
  }
  return { ...raw };
}

/** A secret's file must be one that policies may read. */
export function checkSecret(context: BuildContext, path: Path, secret: SecretRef): SecretRef {
  if ('file' in secret) pathAt(context, [...path, 'file'], secret.file, 'read');
  return secret;
}

/** Notifiers by name; whether they exist is judged when all documents are known. */
export function namedNotifiers(context: BuildContext, path: Path, names: readonly string[]): readonly string[] {
  for (const [index, name] of names.entries()) {
    context.references.push({ kind: 'Notifier', name, origin: valueOrigin(context, [...path, index]) });
  }
  return names;
}

/** Empty stands for every 2xx, as steps and checks read it. */
export function buildStatus(raw: RawStatus | undefined): readonly number[] {
  if (raw === undefined) return [];
  return typeof raw === 'number' ? [raw] : raw;
}

/** The schema has seen to it that there is exactly one. */
export function buildThreshold(context: BuildContext, path: Path, raw: RawThreshold): Threshold {
  if (raw.above !== undefined) return { kind: 'above', value: raw.above };
  if (raw.below !== undefined) return { kind: 'below', value: raw.below };
  const [low, high] = raw.outside ?? [0, 0];
  if (low >= high) {
    const message = `\`outside\` must be [low, high] with the lower number first; found [${low}, ${high}]`;
    const swapped = low > high ? { suggestion: `[${high}, ${low}]` } : {};
    fault(context, [...path, 'outside'], 'E-RANGE', { message, ...swapped });
  }
  return { kind: 'outside', low, high };
}

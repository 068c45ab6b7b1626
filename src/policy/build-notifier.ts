import { NOTIFICATION_TOPICS, type Notifier } from '../core/model/notifier.ts';
import { argvAt, type BuildContext, durationAt, SHORTEST_TIMEOUT, urlAt, valueOrigin } from './build-context.ts';
import { buildHeaders, checkSecret } from './build-parts.ts';
import type { Path } from './path.ts';
import type { RawDocument, RawNotifier } from './raw-documents.ts';

const DEFAULT_TIMEOUT_MS = 10_000;

export function buildNotifier(context: BuildContext, raw: RawDocument<RawNotifier>): Notifier {
  const { spec, metadata } = raw;
  return {
    name: metadata.name,
    origin: valueOrigin(context, []),
    suspend: spec.suspend ?? false,
    on: spec.on ?? NOTIFICATION_TOPICS,
    timeoutMs: durationAt(context, ['spec', 'timeout'], spec.timeout, DEFAULT_TIMEOUT_MS, SHORTEST_TIMEOUT),
    type:
      spec.webhook === undefined
        ? { kind: 'command', argv: argvAt(context, ['spec', 'command', 'argv'], spec.command?.argv ?? []) }
        : buildWebhook(context, ['spec', 'webhook'], spec.webhook),
  };
}

function buildWebhook(context: BuildContext, path: Path, raw: NonNullable<RawNotifier['webhook']>): Notifier['type'] {
  const { url, headers, secret } = raw;
  return {
    kind: 'webhook',
    url: typeof url === 'string' ? urlAt(context, [...path, 'url'], url) : checkSecret(context, [...path, 'url'], url),
    headers: buildHeaders(context, [...path, 'headers'], headers),
    ...(secret === undefined ? {} : { secret: checkSecret(context, [...path, 'secret'], secret) }),
  };
}

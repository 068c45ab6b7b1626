import { NOTIFICATION_TOPICS, type Notifier, type NotifierType } from '../core/model/notifier.ts';
import type { SecretRef } from '../core/model/secret-ref.ts';
import { argvAt, type BuildContext, doubt, durationAt, SHORTEST_TIMEOUT, urlAt, valueOrigin } from './build-context.ts';
import { buildEmail } from './build-mail.ts';
import { buildHeaders, checkSecret } from './build-parts.ts';
import { buildBody, buildTemplates } from './build-template.ts';
import { hasVariable } from './host-variables.ts';
import type { Path } from './path.ts';
import type { RawDocument, RawNotifier, RawWebhook } from './raw-documents.ts';

const DEFAULT_TIMEOUT_MS = 10_000;

export function buildNotifier(context: BuildContext, raw: RawDocument<RawNotifier>): Notifier {
  const { spec, metadata } = raw;
  return {
    name: metadata.name,
    origin: valueOrigin(context, []),
    suspend: spec.suspend ?? false,
    on: spec.on ?? NOTIFICATION_TOPICS,
    timeoutMs: durationAt(context, ['spec', 'timeout'], spec.timeout, DEFAULT_TIMEOUT_MS, SHORTEST_TIMEOUT),
    type: buildType(context, spec),
    ...(spec.templates === undefined
      ? {}
      : { templates: buildTemplates(context, ['spec', 'templates'], spec.templates) }),
  };
}

/** The schema has seen to it that there is exactly one. */
function buildType(context: BuildContext, spec: RawNotifier): NotifierType {
  const { webhook, slack, email, alertmanager, command } = spec;
  if (webhook !== undefined) return buildWebhook(context, ['spec', 'webhook'], webhook);
  if (slack !== undefined) {
    doubtPlainSlack(context, slack.url);
    return { kind: 'slack', url: urlOrSecret(context, ['spec', 'slack', 'url'], slack.url) };
  }
  if (email !== undefined) return buildEmail(context, ['spec', 'email'], email);
  if (alertmanager !== undefined) {
    const path = ['spec', 'alertmanager'];
    return {
      kind: 'alertmanager',
      url: urlAt(context, [...path, 'url'], alertmanager.url),
      headers: buildHeaders(context, [...path, 'headers'], alertmanager.headers),
      labels: alertmanager.labels ?? {},
    };
  }
  return { kind: 'command', argv: argvAt(context, ['spec', 'command', 'argv'], command?.argv ?? []) };
}

function buildWebhook(context: BuildContext, path: Path, raw: RawWebhook): NotifierType {
  const { url, headers, secret, body } = raw;
  return {
    kind: 'webhook',
    url: urlOrSecret(context, [...path, 'url'], url),
    headers: buildHeaders(context, [...path, 'headers'], headers),
    ...(secret === undefined ? {} : { secret: checkSecret(context, [...path, 'secret'], secret) }),
    ...(body === undefined ? {} : { body: buildBody(context, [...path, 'body'], body) }),
  };
}

function urlOrSecret(context: BuildContext, path: Path, url: string | SecretRef): string | SecretRef {
  return typeof url === 'string' ? urlAt(context, path, url) : checkSecret(context, path, url);
}

/** Slack's own addresses hold the right to post. */
function doubtPlainSlack(context: BuildContext, url: string | SecretRef): void {
  if (typeof url !== 'string' || hasVariable(url) || !/^https:\/\/hooks\.slack(-gov)?\.com\//.test(url)) return;
  const message = 'whoever has this address can post; name it as a secret: {credential: NAME}';
  doubt(context, ['spec', 'slack', 'url'], 'W-SECRET', message);
}

import { createHmac } from 'node:crypto';
import { fillBody, inOwnWords } from '../../../core/notifications/word-message.ts';
import type { AllowList } from '../../allow-list.ts';
import { resolveTexts } from '../../secrets.ts';
import {
  type Message,
  type NotifierDriver,
  type NotifierOf,
  type SendContext,
  withoutHtml,
} from '../notifier-driver.ts';
import { type Post, post } from '../post.ts';

/**
 * POSTs the notification as JSON, or the notifier's own `body`. With a secret, `X-Revertd-Signature: sha256=HEX` is the
 * HMAC-SHA-256 of the timestamp, a full stop and the body, and `X-Revertd-Timestamp` the seconds since the epoch: a
 * receiver that refuses old timestamps cannot be fed a recorded message again. `X-Revertd-Id` is the same for every
 * attempt.
 */
export function webhookNotifier(host: { readonly allow: AllowList }): NotifierDriver<'webhook'> {
  return {
    send: (notifier, message, context) => post(host.allow, () => requestOf(notifier, message, context), context),
  };
}

async function requestOf(
  { type, timeoutMs, ...notifier }: NotifierOf<'webhook'>,
  message: Message,
  { secrets, now }: SendContext,
): Promise<Post> {
  const body = JSON.stringify(
    type.body === undefined ? inOwnWords(notifier, withoutHtml(message)) : fillBody(type.body, message),
  );
  const headers = {
    'x-revertd-id': message.id,
    ...(await resolveTexts(type.headers, secrets)),
    ...(type.secret === undefined ? {} : sign(await secrets.resolve(type.secret), now(), body)),
  };
  return { url: type.url, headers, body, timeoutMs };
}

function sign(secret: string, now: number, body: string): Readonly<Record<string, string>> {
  const timestamp = String(Math.floor(now / 1000));
  const signature = createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex');
  return { 'x-revertd-timestamp': timestamp, 'x-revertd-signature': `sha256=${signature}` };
}

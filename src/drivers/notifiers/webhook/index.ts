import { createHmac } from 'node:crypto';
import type { AllowList } from '../../allow-list.ts';
import { startDeadline } from '../../deadline.ts';
import { exchange, type HttpAnswer, HttpFault } from '../../http-exchange.ts';
import { resolveTexts, SecretError } from '../../secrets.ts';
import type { Delivery, Message, NotifierDriver, NotifierOf, SendContext } from '../notifier-driver.ts';

const KEPT_BYTES = 2 * 1024;

/**
 * POSTs the notification as JSON. With a secret, `X-Revertd-Signature: sha256=HEX` is the HMAC-SHA-256 of the timestamp,
 * a full stop and the body, and `X-Revertd-Timestamp` the seconds since the epoch: a receiver that refuses old
 * timestamps cannot be fed a recorded message again. `X-Revertd-Id` is the same for every attempt.
 */
export function webhookNotifier(host: { readonly allow: AllowList }): NotifierDriver<'webhook'> {
  return {
    send: async (notifier, message, context) => {
      try {
        return judge(await post(host.allow, notifier, message, context), context);
      } catch (error) {
        return blame(error);
      }
    },
  };
}

class RefusedUrlError extends Error {
  override readonly name = 'RefusedUrlError';
}

async function post(allow: AllowList, notifier: NotifierOf<'webhook'>, message: Message, context: SendContext) {
  const { type } = notifier;
  const { secrets } = context;
  const url = typeof type.url === 'string' ? type.url : await secrets.resolve(type.url);
  const refused = allow.mayCall(url);
  if (refused !== undefined) throw new RefusedUrlError(secrets.redact(refused));
  const body = JSON.stringify(message);
  const headers = {
    'content-type': 'application/json',
    'x-revertd-id': message.id,
    ...(await resolveTexts(type.headers, secrets)),
    ...(type.secret === undefined ? {} : sign(await secrets.resolve(type.secret), context.now(), body)),
  };
  const { signal } = startDeadline(context.signal, notifier.timeoutMs);
  return await exchange({ method: 'POST', url, headers, body, keptBytes: KEPT_BYTES }, signal);
}

function sign(secret: string, now: number, body: string): Readonly<Record<string, string>> {
  const timestamp = String(Math.floor(now / 1000));
  const signature = createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex');
  return { 'x-revertd-timestamp': timestamp, 'x-revertd-signature': `sha256=${signature}` };
}

function judge({ status, body }: HttpAnswer, { secrets }: SendContext): Delivery {
  const detail = secrets.redact(`the receiver answered ${status}${body === '' ? '' : `: ${body}`}`);
  if (status >= 200 && status < 300) return { outcome: 'delivered', detail };
  return { outcome: 'failed', retry: status >= 500 || status === 429 || status === 408, detail };
}

/** The URL does not occur: it is often the secret. */
function blame(error: unknown): Delivery {
  if (error instanceof HttpFault)
    return { outcome: 'failed', retry: error.code !== 'badRequest', detail: error.message };
  if (error instanceof SecretError) return { outcome: 'failed', retry: true, detail: error.message };
  if (error instanceof RefusedUrlError) return { outcome: 'failed', retry: false, detail: error.message };
  throw error;
}

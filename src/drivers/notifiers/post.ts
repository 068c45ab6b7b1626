import type { SecretRef } from '../../core/model/secret-ref.ts';
import type { Millis } from '../../core/units.ts';
import type { AllowList } from '../allow-list.ts';
import { startDeadline } from '../deadline.ts';
import { exchange, type HttpAnswer, HttpFault } from '../http-exchange.ts';
import { SecretError } from '../secrets.ts';
import type { Delivery, SendContext } from './notifier-driver.ts';

const KEPT_BYTES = 2 * 1024;

export type Post = {
  readonly url: string | SecretRef;
  /** Added to the path of the address. */
  readonly below?: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly timeoutMs: Millis;
};

class RefusedUrlError extends Error {
  override readonly name = 'RefusedUrlError';
}

/** POSTs JSON; any 2xx is a delivery. Never rejects, and never tells the address, which is often the secret. */
export async function post(
  allow: AllowList,
  request: Post | (() => Promise<Post>),
  context: SendContext,
): Promise<Delivery> {
  try {
    const made = typeof request === 'function' ? await request() : request;
    return judge(await send(allow, made, context), context);
  } catch (error) {
    return blame(error);
  }
}

async function send(allow: AllowList, request: Post, { secrets, signal }: SendContext): Promise<HttpAnswer> {
  const base = typeof request.url === 'string' ? request.url : await secrets.resolve(request.url);
  const url = request.below === undefined ? base : `${base.replace(/\/+$/, '')}${request.below}`;
  const refused = allow.mayCall(url);
  if (refused !== undefined) throw new RefusedUrlError(secrets.redact(refused));
  const deadline = startDeadline(signal, request.timeoutMs);
  const headers = { 'content-type': 'application/json', ...request.headers };
  return await exchange({ method: 'POST', url, headers, body: request.body, keptBytes: KEPT_BYTES }, deadline.signal);
}

function judge({ status, body, retryAfter }: HttpAnswer, { secrets, now }: SendContext): Delivery {
  const detail = secrets.redact(`the receiver answered ${status}${body === '' ? '' : `: ${body}`}`);
  if (status >= 200 && status < 300) return { outcome: 'delivered', detail };
  const retryAfterMs = retryAfter === undefined ? undefined : parseRetryAfter(retryAfter, now());
  return {
    outcome: 'failed',
    retry: status >= 500 || status === 429 || status === 408,
    detail,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
}

/** RFC 9110, 10.2.3: a number of seconds, or a date. Undefined if it is neither. */
export function parseRetryAfter(text: string, now: Millis): Millis | undefined {
  if (/^\s*\d{1,9}\s*$/.test(text)) return Number(text) * 1000;
  const at = /[A-Za-z]/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(at) ? undefined : Math.max(0, at - now);
}

function blame(error: unknown): Delivery {
  if (error instanceof HttpFault)
    return { outcome: 'failed', retry: error.code !== 'badRequest', detail: error.message };
  if (error instanceof SecretError) return { outcome: 'failed', retry: true, detail: error.message };
  if (error instanceof RefusedUrlError) return { outcome: 'failed', retry: false, detail: error.message };
  throw error;
}

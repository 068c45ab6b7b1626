import { setTimeout as delay } from 'node:timers/promises';
import type { HttpTarget } from '../../../core/model/target.ts';
import { formatDuration, type Millis } from '../../../core/units.ts';
import { startDeadline } from '../../deadline.ts';
import { exchange, type HttpAnswer, HttpFault } from '../../http-exchange.ts';
import { authorization, lowerCased } from '../../http-expectation.ts';
import { resolveTexts, SecretError } from '../../secrets.ts';
import type { CapturedHost } from '../captured-target.ts';
import { TargetError } from '../target-driver.ts';
import { type JsonDocument, parseDocument } from './json-document.ts';

/** `etag`: a strong one, which is another for other bytes (RFC 9110, section 8.8.1). */
export type ReadDocument = JsonDocument & { readonly etag: string | null };

export type Transfer = {
  /** Undefined where there is no document: 404 or 410. `unchanged`: it still has this ETag. Rejects with TargetError. */
  readonly get: (signal: AbortSignal, known?: string | null) => Promise<ReadDocument | 'unchanged' | undefined>;
  /** Whether there is one. Rejects with TargetError where nobody can tell. */
  readonly look: (signal: AbortSignal) => Promise<boolean>;
  /** `changed`: it no longer has this ETag. Rejects with TargetError. */
  readonly put: (content: Buffer, etag: string | null, signal: AbortSignal) => Promise<'written' | 'changed'>;
};

/** So much of a refusal is told. */
const SHOWN_CHARACTERS = 500;
/** A service that is busy or was just restarted is asked again after so long each. */
const RETRIES_MS: readonly Millis[] = [250, 1_000];

type Call = { readonly method: string; readonly headers?: Readonly<Record<string, string>>; readonly body?: Buffer };

/** How a document is read and written. */
export function transferOf(type: HttpTarget, { allow, secrets }: CapturedHost): Transfer {
  const { url } = type;
  const call = async ({ method, headers = {}, body }: Call, signal: AbortSignal): Promise<HttpAnswer> => {
    const refused = allow.mayCall(url);
    if (refused !== undefined) throw new TargetError('notAllowed', refused);
    const deadline = startDeadline(signal, type.timeoutMs);
    try {
      const own = {
        ...(await authorization(type.auth, secrets)),
        ...lowerCased(await resolveTexts(type.headers, secrets)),
      };
      const sent = body === undefined ? {} : { body: body.toString('utf8') };
      const request = { method, url, headers: { accept: 'application/json', ...own, ...headers }, ...sent };
      return await exchange({ ...request, keptBytes: type.maxBytes + 1 }, deadline.signal);
    } catch (error) {
      if (error instanceof SecretError) throw new TargetError('secret', error.message, error);
      if (!(error instanceof HttpFault)) throw error;
      if (deadline.cause() === 'aborted') throw new TargetError('aborted', `${method} ${url} was stopped`, error);
      const late = `there was no complete answer after ${formatDuration(type.timeoutMs)}`;
      const isLate = deadline.cause() === 'timedOut';
      const doubt = body === undefined || error.code === 'refused' ? '' : '; it may have taken effect';
      const what = `${method} ${url}: ${isLate ? late : error.message}${doubt}`;
      throw new TargetError(isLate ? 'timedOut' : 'http', what, error);
    }
  };
  const refusal = (method: string, { status, body }: HttpAnswer): TargetError => {
    const said = secrets.redact(body).slice(0, SHOWN_CHARACTERS);
    return new TargetError('http', `${method} ${url} answered ${status}${said === '' ? '' : `\n${said}`}`);
  };
  return {
    get: async (signal, known) => {
      const headers = known === undefined || known === null ? {} : { 'if-none-match': known };
      const answer = await patiently(() => call({ method: 'GET', headers }, signal), signal);
      if (answer.status === 304 && known !== undefined && known !== null) return 'unchanged';
      if (isAbsent(answer)) return undefined;
      if (!isDone(answer)) throw refusal('GET', answer);
      if (answer.bytes.length > type.maxBytes) {
        throw new TargetError('format', `${url} has more than ${type.maxBytes} bytes, which \`maxBytes\` allows`);
      }
      return { ...parseDocument(answer.bytes, `what ${url} answered`), etag: strong(answer.etag) };
    },
    look: async (signal) => {
      const answer = await call({ method: 'HEAD' }, signal);
      if (isAbsent(answer)) return false;
      // Whoever has no HEAD is there all the same (RFC 9110, sections 15.5.6 and 15.6.2).
      if (isDone(answer) || answer.status === 405 || answer.status === 501) return true;
      throw refusal('HEAD', answer);
    },
    put: async (content, etag, signal) => {
      const match = etag === null ? {} : { 'if-match': etag };
      const request = { method: type.method, headers: { 'content-type': 'application/json', ...match }, body: content };
      const answer = await patiently(() => call(request, signal), signal);
      if (answer.status === 412 && etag !== null) return 'changed';
      if (!isDone(answer)) throw refusal(type.method, answer);
      return 'written';
    },
  };
}

function isDone({ status }: HttpAnswer): boolean {
  return status >= 200 && status < 300;
}

function isAbsent({ status }: HttpAnswer): boolean {
  return status === 404 || status === 410;
}

function strong(etag: string | undefined): string | null {
  return etag === undefined || etag.startsWith('W/') ? null : etag;
}

/** Answers of servers that are busy, or whose back end is not there yet (RFC 9110, section 15.6; RFC 6585, section 4). */
async function patiently(ask: () => Promise<HttpAnswer>, signal: AbortSignal): Promise<HttpAnswer> {
  let answer = await ask();
  for (const pauseMs of RETRIES_MS) {
    if (![429, 502, 503, 504].includes(answer.status)) return answer;
    await delay(pauseMs, undefined, { signal }).catch(() => undefined);
    answer = await ask();
  }
  return answer;
}

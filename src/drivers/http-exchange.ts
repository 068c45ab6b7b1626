import type { ClientRequest, IncomingMessage } from 'node:http';
import { nodeHttps, requestHttp } from './node-http.ts';

export type HttpRequest = {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** So much of the answer's body is kept; the rest is not read. */
  readonly keptBytes: number;
};

export type HttpAnswer = {
  readonly status: number;
  readonly body: string;
  /** The same as it came, for what must not be changed by reading it as text. */
  readonly bytes: Buffer;
  /** The header Retry-After as it stands. */
  readonly retryAfter?: string;
  /** The header ETag as it stands. */
  readonly etag?: string;
};

/**
 * `refused` and `reset`: there is nobody, or it hung up. `noName`: the name was not resolved. `unreachable`: no route.
 * `tls`: no trusted connection came about. `protocol`: what answers does not speak HTTP. `stopped`: the signal aborted.
 */
export type HttpFaultCode =
  | 'refused'
  | 'reset'
  | 'noName'
  | 'unreachable'
  | 'tls'
  | 'protocol'
  | 'badRequest'
  | 'stopped';

export class HttpFault extends Error {
  override readonly name = 'HttpFault';
  readonly code: HttpFaultCode;

  constructor(code: HttpFaultCode, message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}

/**
 * One request on a connection of its own: a kept connection to a service that was restarted would fail once more.
 * Redirects are answers like any other. Rejects with HttpFault.
 */
export async function exchange(request: HttpRequest, signal: AbortSignal): Promise<HttpAnswer> {
  try {
    return await converse(request, signal);
  } catch (error) {
    throw asFault(error, signal);
  }
}

function converse(request: HttpRequest, signal: AbortSignal): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const sent = open(request, signal);
    sent.on('error', reject);
    sent.once('response', (response) => resolve(answerOf(response, request.keptBytes)));
    sent.end(request.body);
  });
}

function open({ method, url, headers, body }: HttpRequest, signal: AbortSignal): ClientRequest {
  const send = new URL(url).protocol === 'https:' ? nodeHttps().request : requestHttp;
  const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
  return send(url, { method, headers: { 'user-agent': 'revertd', ...headers, ...length }, agent: false, signal });
}

/** Leaving the loop early closes the connection. */
async function answerOf(response: IncomingMessage, keptBytes: number): Promise<HttpAnswer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response) {
    const bytes = Buffer.from(chunk as Uint8Array);
    chunks.push(bytes.subarray(0, keptBytes - length));
    length += bytes.length;
    if (length >= keptBytes) break;
  }
  const { 'retry-after': retryAfter, etag } = response.headers;
  const bytes = Buffer.concat(chunks);
  return {
    status: response.statusCode ?? 0,
    body: bytes.toString('utf8'),
    bytes,
    ...(retryAfter === undefined ? {} : { retryAfter }),
    ...(etag === undefined ? {} : { etag }),
  };
}

const FAULTS: Readonly<Record<string, readonly [HttpFaultCode, string]>> = {
  ECONNREFUSED: ['refused', 'nobody listens there'],
  ECONNRESET: ['reset', 'the connection was closed before the answer was complete'],
  EPIPE: ['reset', 'the connection was closed before the answer was complete'],
  ENOTFOUND: ['noName', 'the host name does not exist'],
  EAI_AGAIN: ['noName', 'the host name could not be resolved now'],
  EHOSTUNREACH: ['unreachable', 'there is no way to the host'],
  ENETUNREACH: ['unreachable', 'there is no way to the network'],
  ETIMEDOUT: ['unreachable', 'the host does not answer'],
};

function asFault(error: unknown, signal: AbortSignal): HttpFault {
  if (signal.aborted) return new HttpFault('stopped', 'there was no complete answer in time', error);
  const errno = error instanceof Error && 'code' in error ? String(error.code) : '';
  const known = FAULTS[errno];
  if (known !== undefined) return new HttpFault(known[0], `${known[1]} (${errno})`, error);
  if (/^(?:CERT_|ERR_TLS|ERR_SSL|UNABLE_TO_|DEPTH_ZERO|SELF_SIGNED|EPROTO)/.test(errno)) {
    return new HttpFault('tls', `no trusted TLS connection (${errno})`, error);
  }
  if (errno.startsWith('HPE_')) return new HttpFault('protocol', `the answer is not HTTP (${errno})`, error);
  if (errno.startsWith('ERR_')) return new HttpFault('badRequest', `the request cannot be sent (${errno})`, error);
  return new HttpFault('unreachable', error instanceof Error ? error.message : String(error), error);
}

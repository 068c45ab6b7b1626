import type { Agent, IncomingMessage } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { nodeHttps, requestHttp } from '../../drivers/node-http.ts';
import { codeOf, faultOf, HttpFault } from './http-fault.ts';

export type Exchange = {
  readonly url: URL;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal: AbortSignal;
  /** False: a new connection for this request alone. */
  readonly agent: Agent | false;
  readonly tls: TlsTrust;
};

export type TlsTrust = {
  /** PEM certificates that are trusted instead of the system's. */
  readonly ca?: string;
  /** The name to ask for and to verify, if it is not the URL's host. */
  readonly serverName?: string;
  /** PEM: the certificate to show, and its key. */
  readonly cert?: string;
  readonly key?: string;
};

/** What Node's TLS functions take of it. The server is always verified. */
export function tlsOptions({ ca, serverName, cert, key }: TlsTrust) {
  return {
    rejectUnauthorized: true,
    ...(ca === undefined ? {} : { ca }),
    ...(serverName === undefined ? {} : { servername: serverName }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  };
}

/** The reason with which a caller aborts a request whose time is up. */
export class DeadlineExceeded extends Error {
  override readonly name = 'DeadlineExceeded';
}

/**
 * Sends a request and waits for the head of the answer, whatever its status. Redirects are not followed:
 * they could lead a request with credentials to another host. Throws an HttpFault.
 *
 * A kept connection may be closed by the server at the moment of its reuse; then the request is sent once more, on a new
 * one. So an agent that keeps connections is for requests that may be repeated.
 */
export async function beginExchange(exchange: Exchange): Promise<IncomingMessage> {
  try {
    return await send(exchange);
  } catch (error) {
    if (error instanceof StaleConnection && !exchange.signal.aborted) return await beginAnew(exchange);
    throw exchangeFault(error, exchange);
  }
}

async function beginAnew(exchange: Exchange): Promise<IncomingMessage> {
  try {
    return await send({ ...exchange, agent: false });
  } catch (error) {
    throw exchangeFault(error, exchange);
  }
}

class StaleConnection extends Error {
  override readonly name = 'StaleConnection';
}

function send({ url, method, headers, body, signal, agent, tls }: Exchange): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const common = { method, headers, signal, agent };
  const request =
    url.protocol === 'https:' ? nodeHttps().request(url, { ...common, ...tlsOptions(tls) }) : requestHttp(url, common);
  request.once('response', resolve);
  request.on('error', (error) => {
    const stale = request.reusedSocket && ['ECONNRESET', 'EPIPE'].includes(codeOf(error));
    reject(stale ? new StaleConnection('a kept connection was closed', { cause: error }) : error);
  });
  // With its length, or Node would send it in chunks, which some servers do not take.
  if (body !== undefined) request.setHeader('content-length', Buffer.byteLength(body));
  request.end(body);
  return promise;
}

/**
 * The body of an answer, unpacked if it is gzip, of at most `maxBytes` (after unpacking). Throws an HttpFault;
 * the connection is closed unless the body was read to its end.
 */
export async function readBody(response: IncomingMessage, exchange: Exchange, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  const collect = async (source: AsyncIterable<Buffer>): Promise<void> => {
    for await (const chunk of source) {
      size += chunk.length;
      if (size > maxBytes) throw tooLarge(maxBytes);
      chunks.push(chunk);
    }
  };
  try {
    if (Number(response.headers['content-length'] ?? 0) > maxBytes) throw tooLarge(maxBytes);
    if (isGzip(response)) await pipeline(response, createGunzip(), collect, { signal: exchange.signal });
    else await pipeline(response, collect, { signal: exchange.signal });
  } catch (error) {
    response.destroy();
    throw exchangeFault(error, exchange, `; ${size} bytes of the body had come`);
  }
  return Buffer.concat(chunks);
}

function isGzip(response: IncomingMessage): boolean {
  const encoding = (response.headers['content-encoding'] ?? 'identity').trim().toLowerCase();
  if (encoding === 'gzip' || encoding === 'x-gzip') return true;
  if (encoding === 'identity' || encoding === '') return false;
  throw new HttpFault('content_encoding', `the answer is encoded as ${encoding}; expected gzip or none`);
}

function tooLarge(maxBytes: number): HttpFault {
  const what = `the answer is larger than ${maxBytes} bytes; raise the source's limits.bytes if that is right`;
  return new HttpFault('body_too_large', what);
}

/** An abort shows up as any of a dozen errors, depending on what was under way; the signal knows better. */
function exchangeFault(error: unknown, { url, signal }: Exchange, progress = ''): HttpFault {
  if (error instanceof HttpFault || !signal.aborted) return faultOf(error, url.host);
  const reason = signal.reason instanceof DeadlineExceeded ? signal.reason.message : 'stopped';
  return new HttpFault('timeout', `no complete answer from ${url.host}: ${reason}${progress}`, { cause: error });
}

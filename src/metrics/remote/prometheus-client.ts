import type { Agent } from 'node:http';
import type { PrometheusType } from '../../core/model/metric-source.ts';
import type { Millis } from '../../core/units.ts';
import { HttpAgent, nodeHttps } from '../../drivers/node-http.ts';
import type { Clock } from '../clock.ts';
import { authorize, resolveHeaders, trustOf } from '../http/credentials.ts';
import { beginExchange, type Exchange, readBody } from '../http/exchange.ts';
import { HttpFault } from '../http/http-fault.ts';
import { parseHttpUrl } from '../http/http-url.ts';
import type { SamplerMeans } from '../sampler.ts';
import { readAnswer, readVersion } from './read-answer.ts';
import { type RemoteAnswer, RemoteFault, type RemoteQuery } from './remote-query.ts';

/** After unpacking. A trigger judges a handful of elements. */
const MAX_BYTES = 8 * 1024 * 1024;
const MAX_CONNECTIONS = 4;
const FIRST_PAUSE_MS: Millis = 100;

type Means = Pick<SamplerMeans, 'clock' | 'secret'>;
type Client = {
  readonly type: PrometheusType;
  readonly base: URL | HttpFault;
  readonly agent: Agent;
  readonly means: Means;
};
type Request = { readonly method: 'GET' | 'POST'; readonly path: string; readonly form?: URLSearchParams };

/** Speaks the HTTP API of Prometheus, and of what speaks it likewise. */
export function createPrometheusClient(type: PrometheusType, means: Means): RemoteQuery {
  const base = parseHttpUrl(type.url);
  const options = { keepAlive: true, maxSockets: MAX_CONNECTIONS };
  const agent = type.url.startsWith('https:') ? new (nodeHttps().Agent)(options) : new HttpAgent(options);
  const client: Client = { type, base, agent, means };
  return {
    target: type.url.replace(/\/\/[^/]*@/, '//'),
    query: (expr, at, signal) => queryWithRetries(client, expr, at, signal),
    version: (signal) => askVersion(client, signal),
    close: () => agent.destroy(),
  };
}

async function queryWithRetries(client: Client, expr: string, at: Millis, signal: AbortSignal): Promise<RemoteAnswer> {
  const { type, means } = client;
  // By POST, for a URL has no room for long queries. The server may as well stop when nobody waits any more.
  const form = new URLSearchParams({ query: expr, time: String(at / 1000), timeout: `${type.timeoutMs}ms` });
  for (let tried = 0; ; tried++) {
    try {
      const { status, body } = await exchange(client, { method: 'POST', path: 'api/v1/query', form }, signal);
      return readAnswer(status, body);
    } catch (error) {
      const fault = asRemoteFault(error);
      if (!fault.passes || tried >= type.retries || !(await pause(means.clock, tried, signal))) throw fault;
    }
  }
}

async function askVersion(client: Client, signal: AbortSignal): Promise<string> {
  try {
    const { status, body } = await exchange(client, { method: 'GET', path: 'api/v1/status/buildinfo' }, signal);
    return readVersion(status, body) ?? 'unknown';
  } catch (error) {
    if (error instanceof HttpFault) return 'unknown';
    throw error;
  }
}

async function exchange(
  { type, base, agent, means }: Client,
  { method, path, form }: Request,
  signal: AbortSignal,
): Promise<{ readonly status: number; readonly body: string }> {
  if (base instanceof HttpFault) throw base;
  const url = new URL(base);
  url.pathname = `${base.pathname.replace(/\/+$/, '')}/${path}`;
  const headers = {
    accept: 'application/json',
    'accept-encoding': 'gzip',
    'user-agent': 'revertd',
    ...(form === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' }),
    ...(await authorize(type.auth, means)),
    ...(await resolveHeaders(type.headers, means)),
  };
  const tls = await trustOf(type.tls);
  const body = form === undefined ? {} : { body: form.toString() };
  const request: Exchange = { url, method, headers, signal, agent, tls, ...body };
  const response = await beginExchange(request);
  try {
    return { status: response.statusCode ?? 0, body: (await readBody(response, request, MAX_BYTES)).toString('utf8') };
  } finally {
    if (!response.readableEnded) response.destroy();
  }
}

function asRemoteFault(error: unknown): RemoteFault {
  if (error instanceof RemoteFault) return error;
  if (!(error instanceof HttpFault)) throw error;
  const options = { cause: error };
  switch (error.code) {
    case 'bad_url':
    case 'secret':
    case 'ca_file':
      return new RemoteFault('misconfigured', error.message, options);
    case 'timeout':
      return new RemoteFault('timeout', error.message, options);
    case 'body_too_large': {
      const mend = 'aggregate the query, so that fewer elements come of it';
      return new RemoteFault('bad_query', `the answer is larger than ${MAX_BYTES} bytes; ${mend}`, options);
    }
    case 'bad_http':
    case 'content_encoding':
      return new RemoteFault('bad_answer', error.message, options);
    default:
      return new RemoteFault('unreachable', error.message, options);
  }
}

/** Twice as long each time; false if the signal ends it. */
async function pause(clock: Clock, tried: number, signal: AbortSignal): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const stop = () => resolve(false);
  signal.addEventListener('abort', stop, { once: true });
  using _timer = clock.setTimer(FIRST_PAUSE_MS * 2 ** tried, () => resolve(true));
  if (signal.aborted) stop();
  const goOn = await promise;
  signal.removeEventListener('abort', stop);
  return goOn;
}

import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { EvaluationContext } from '../../core/flags/rule.ts';
import type { Millis } from '../../core/units.ts';
import type { Log } from '../../daemon/log.ts';
import { ANYBODY, type Authenticate, mayActAs } from '../access.ts';
import type { RateLimit } from '../rate-limit.ts';
import { contextIn, type ErrorCode, evaluationText, failureText } from './answers.ts';
import { corsHeaders, type Origins, PREFLIGHT_HEADERS } from './cors.ts';
import { matchesTag } from './entity-tag.ts';
import { type EventStream, StreamTickets } from './event-stream.ts';
import type { OfrepMetrics } from './ofrep-metrics.ts';
import type { FlagsNow, ServedFlags } from './served-flags.ts';

export type OfrepOptions = {
  readonly flags: FlagsNow;
  readonly now: () => Millis;
  readonly authenticate: Authenticate;
  readonly rateLimit: RateLimit | null;
  readonly origins: Origins;
  readonly metrics: OfrepMetrics;
  readonly events: EventStream;
  readonly log: Log;
};

/** Takes a request if it is one of OFREP, and answers it; false if it is not. */
export type RequestHandler = (request: IncomingMessage, response: ServerResponse) => boolean;

const BULK = '/ofrep/v1/evaluate/flags';
const SINGLE = `${BULK}/`;
const EVENTS = '/ofrep/v1/events';
/** A context says who asks; what is larger is a mistake. */
const BODY_LIMIT_BYTES = 1024 * 1024;
/** Of a set of flags so many are evaluated before others get their turn; that takes some milliseconds at most. */
export const FLAGS_PER_TURN = 100;
/** After so long without anybody looking, clients may close their stream. */
const INACTIVITY_SECONDS = 120;

type Exchange = {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** For an origin of a browser that may ask. */
  readonly headers: Readonly<Record<string, string>>;
  /** Of the flag that is asked for. */
  readonly key: string | undefined;
};

/** The OpenFeature Remote Evaluation Protocol 0.3.0. It stands before the general router, since applications wait for it. */
export function createOfrepHandler(options: OfrepOptions): RequestHandler {
  const tickets = new StreamTickets();
  return (request, response) => {
    const path = pathOf(request.url ?? '');
    if (!path.startsWith('/ofrep/')) return false;
    const headers = corsHeaders(options.origins, request.headers.origin);
    const key = path.startsWith(SINGLE) ? decoded(path.slice(SINGLE.length)) : undefined;
    const exchange = { request, response, headers, key };
    if (request.method === 'OPTIONS') finish(options, exchange, 204, PREFLIGHT_HEADERS);
    else if (path === EVENTS) listen(options, exchange, tickets);
    else if (path !== BULK && (key === undefined || key === '')) finish(options, exchange, 404);
    else if (request.method !== 'POST') finish(options, exchange, 405, { allow: 'POST, OPTIONS' });
    else if (isAdmitted(options, exchange))
      readBody(options, exchange, (body) => answer(options, exchange, body, tickets));
    return true;
  };
}

function pathOf(url: string): string {
  const query = url.indexOf('?');
  return query < 0 ? url : url.slice(0, query);
}

/** Undefined for what is no percent-encoding. */
function decoded(part: string): string | undefined {
  if (!part.includes('%')) return part;
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}

function isAdmitted(options: OfrepOptions, exchange: Exchange): boolean {
  const principal = options.authenticate(exchange.request);
  if (principal === undefined) {
    finish(options, exchange, 401, { 'www-authenticate': 'Bearer realm="revertd"' });
    return false;
  }
  if (!mayActAs(principal, 'application')) {
    finish(options, exchange, 403);
    return false;
  }
  if (options.rateLimit === null) return true;
  const who = principal === ANYBODY ? (exchange.request.socket.remoteAddress ?? '') : principal;
  const waitMs = options.rateLimit(who, performance.now());
  if (waitMs === 0) return true;
  finish(options, exchange, 429, { 'retry-after': String(Math.ceil(waitMs / 1000)) });
  return false;
}

/** What is too large is answered at once, and read to its end so that the answer arrives. */
function readBody(options: OfrepOptions, exchange: Exchange, then: (body: string) => void): void {
  const { request } = exchange;
  const chunks: Buffer[] = [];
  let size = 0;
  request.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size <= BODY_LIMIT_BYTES) chunks.push(chunk);
    else if (!exchange.response.headersSent) {
      chunks.length = 0;
      const details = `a body has at most ${BODY_LIMIT_BYTES} bytes`;
      send(options, exchange, 413, failureText(exchange.key, 'GENERAL', details));
    }
  });
  request.on('end', () => {
    if (exchange.response.headersSent) return;
    const [only] = chunks;
    then((chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks)).toString('utf8'));
  });
}

function answer(options: OfrepOptions, exchange: Exchange, body: string, tickets: StreamTickets): void {
  const requested = contextIn(body);
  if (!requested.ok) {
    fail(options, exchange, 400, requested.errorCode, requested.details);
    return;
  }
  const served = options.flags();
  if (served === undefined) {
    fail(options, exchange, 500, 'GENERAL', 'no revision of the policies is in force yet');
  } else if (exchange.key === undefined) {
    answerAll(options, exchange, { served, body, tickets, context: requested.context }).catch((error: unknown) => {
      options.log.error({ err: error }, 'a request for all flags failed');
      if (!exchange.response.headersSent)
        fail(options, exchange, 500, 'GENERAL', 'revertd failed to answer; its log says why');
    });
  } else {
    answerOne(options, exchange, { served, key: exchange.key, context: requested.context });
  }
}

type OneFlag = { readonly served: ServedFlags; readonly key: string; readonly context: EvaluationContext };

function answerOne(options: OfrepOptions, exchange: Exchange, { served, key, context }: OneFlag): void {
  const flag = served.find(key);
  if (flag === undefined) {
    const details = `there is no flag ${JSON.stringify(key.slice(0, 200))}`;
    send(options, exchange, 404, failureText(key, 'FLAG_NOT_FOUND', details, served.metadata));
    return;
  }
  const evaluation = flag.evaluate(context, options.now());
  options.metrics.onEvaluation(evaluation);
  send(options, exchange, evaluation.kind === 'failure' ? 400 : 200, evaluationText(flag, evaluation));
}

type AllFlags = {
  readonly served: ServedFlags;
  readonly body: string;
  readonly context: EvaluationContext;
  readonly tickets: StreamTickets;
};

/**
 * The tag covers the configuration, the context, and the evaluations themselves, which can depend on the time. All flags
 * are of one instant, though others get their turn in between.
 */
async function answerAll(options: OfrepOptions, exchange: Exchange, { served, body, context, tickets }: AllFlags) {
  const now = options.now();
  const hash = createHash('sha256').update(served.tag).update('\0').update(body).update('\0');
  const texts: string[] = [];
  for (const [index, key] of served.keys.entries()) {
    if (index > 0 && index % FLAGS_PER_TURN === 0) await nextTurn();
    const flag = served.find(key);
    if (flag === undefined) continue;
    const evaluation = flag.evaluate(context, now);
    options.metrics.onEvaluation(evaluation);
    const text = evaluationText(flag, evaluation);
    hash.update(text);
    texts.push(text);
  }
  const tag = hash.digest('hex').slice(0, 32);
  const headers = { etag: `"${tag}"`, 'cache-control': 'no-cache' };
  if (matchesTag(exchange.request.headers['if-none-match'], tag)) {
    finish(options, exchange, 304, headers);
    return;
  }
  const stream = JSON.stringify([
    {
      type: 'sse',
      endpoint: { requestUri: `${EVENTS}?ticket=${tickets.issue(now)}` },
      inactivityDelaySec: INACTIVITY_SECONDS,
    },
  ]);
  const metadata = JSON.stringify(served.metadata);
  send(
    options,
    exchange,
    200,
    `{"flags":[${texts.join(',')}],"metadata":${metadata},"eventStreams":${stream}}`,
    headers,
  );
}

/** A ticket stands for the token that it was given to. */
function listen(options: OfrepOptions, exchange: Exchange, tickets: StreamTickets): void {
  const { request, response, headers } = exchange;
  if (request.method !== 'GET') {
    finish(options, exchange, 405, { allow: 'GET, OPTIONS' });
    return;
  }
  const ticket = new URL(request.url ?? '', 'http://localhost').searchParams.get('ticket');
  const isKnown = ticket !== null && tickets.isGood(ticket, options.now());
  if (!isKnown && !isAdmitted(options, exchange)) return;
  if (options.events.open(request, response, headers)) options.metrics.onRequest(200);
  else finish(options, exchange, 503, { 'retry-after': '30' });
}

function fail(options: OfrepOptions, exchange: Exchange, status: number, code: ErrorCode, details: string): void {
  send(options, exchange, status, failureText(exchange.key, code, details));
}

function send(
  { metrics }: OfrepOptions,
  { response, headers }: Exchange,
  status: number,
  body: string,
  more?: Readonly<Record<string, string>>,
): void {
  metrics.onRequest(status);
  response.writeHead(status, {
    ...headers,
    ...more,
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
  });
  response.end(body);
}

/** An answer without a body. */
function finish(
  { metrics }: OfrepOptions,
  { request, response, headers }: Exchange,
  status: number,
  more?: Readonly<Record<string, string>>,
): void {
  metrics.onRequest(status);
  // What is not read would be taken for the next request.
  request.resume();
  response.writeHead(status, {
    ...headers,
    ...more,
    ...(status === 304 || status === 204 ? {} : { 'content-length': '0' }),
  });
  response.end();
}

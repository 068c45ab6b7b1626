import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Log } from '../daemon/log.ts';
import { createServer } from '../drivers/node-http.ts';
import { ADMIN_FLAGS_PATH, adminFlags } from './admin-flags.ts';
import { type ApiHost, answer } from './api.ts';
import type { Caller } from './caller-proof.ts';
import { pageOf } from './pages.ts';
import { HttpProblem, problemOf } from './problem.ts';

/** A validated set of policies can be large; nothing else is. */
const BODY_LIMIT_BYTES = 16 * 1024 * 1024;

export type ServerOptions = {
  readonly host: ApiHost;
  readonly log: Log;
  /** Who sends the request; throws an HttpProblem if nobody may. */
  readonly identify: (request: IncomingMessage) => Promise<Caller>;
  /** Paths outside the API; undefined if the path is not theirs. @throws HttpProblem */
  readonly extra?: (path: string, request: IncomingMessage) => Promise<Fixed | undefined>;
  /** Takes requests before everything else; true if it has taken one. */
  readonly first?: (request: IncomingMessage, response: ServerResponse) => boolean;
  /** Whose flags `/admin/feature-flags` sets. */
  readonly flagsHost: ApiHost;
};

export type Fixed = { readonly status: number; readonly type: string; readonly body: string };

/** One HTTP server over a host; the caller has it listen on a socket or a port. */
export function createHttpServer(options: ServerOptions): Server {
  const { first } = options;
  const server = createServer((request, response) => {
    if (first?.(request, response) === true) return;
    void respond(options, request, response);
  });
  server.requestTimeout = 30_000;
  server.headersTimeout = 10_000;
  return server;
}

async function respond(options: ServerOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  try {
    const url = new URL(request.url ?? '/', 'http://localhost');
    const extra = request.method === 'GET' ? await options.extra?.(url.pathname, request) : undefined;
    if (extra !== undefined) {
      send(response, extra.status, extra.type, extra.body);
      return;
    }
    const caller = await options.identify(request);
    const page = request.method === 'GET' ? await pageOf(options.host.view, url) : undefined;
    if (page !== undefined) {
      send(response, 200, page.type, page.body);
      return;
    }
    const body = await readBody(request);
    const method = request.method ?? 'GET';
    const asked = { method, path: url.pathname, query: url.searchParams, body, actor: caller.name, caller };
    const result =
      url.pathname === ADMIN_FLAGS_PATH ? adminFlags(options.flagsHost, asked) : await answer(options.host, asked);
    send(response, 200, 'application/json', `${JSON.stringify(result)}\n`);
  } catch (error) {
    const problem = problemOf(error);
    if (problem.status === 500) options.log.error({ err: error }, 'a request failed');
    send(response, problem.status, 'application/problem+json', `${JSON.stringify(problem)}\n`);
  }
}

function send(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, {
    'content-type': type,
    'content-length': Buffer.byteLength(body),
    'x-content-type-options': 'nosniff',
  });
  response.end(body);
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > BODY_LIMIT_BYTES) throw new HttpProblem(413, 'tooLarge', `a body has at most ${BODY_LIMIT_BYTES} bytes`);
    chunks.push(chunk);
  }
  if (size === 0) return undefined;
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch {
    throw new HttpProblem(400, 'invalid', 'the body is not JSON');
  }
}

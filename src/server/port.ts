import type { IncomingMessage, Server } from 'node:http';
import type { Log } from '../daemon/log.ts';
import type { HostConfig } from '../policy/host-config.ts';
import { type AccessToken, ANYBODY, type Authenticate, authenticateBy, mayActAs, type Principal } from './access.ts';
import { ADMIN_FLAGS_PATH } from './admin-flags.ts';
import { ANONYMOUS, type Caller } from './caller-proof.ts';
import type { DaemonMetrics } from './daemon-metrics.ts';
import type { HostControl, HostView } from './host-view.ts';
import { createHttpServer, type Fixed } from './http-server.ts';
import { addressOf, isLoopback, listening } from './listen.ts';
import type { EventStream } from './ofrep/event-stream.ts';
import { createOfrepHandler } from './ofrep/handler.ts';
import type { FlagsNow } from './ofrep/served-flags.ts';
import { HttpProblem } from './problem.ts';
import { rateLimitBy } from './rate-limit.ts';

export type PortOptions = {
  readonly view: HostView;
  readonly control: HostControl;
  readonly metrics: DaemonMetrics;
  readonly flags: FlagsNow;
  readonly events: EventStream;
  readonly log: Log;
  readonly server: HostConfig['server'];
  readonly tokens: readonly AccessToken[];
};

/** The port of programs: flags for applications, health, metrics, what can be read, and `/admin/feature-flags`. */
export async function openPort(listen: string, options: PortOptions): Promise<Server> {
  const { view, control, metrics, log, server: settings, tokens } = options;
  const address = addressOf(listen);
  const authenticate = authenticateBy(tokens, isLoopback(address.host));
  const server = createHttpServer({
    host: { view, control: null },
    flagsHost: { view, control },
    log,
    identify: async (request) => callerOf(admitted(authenticate, request)),
    extra: (path, request) => publicPath(options, authenticate, path, request),
    first: createOfrepHandler({
      flags: options.flags,
      now: view.now,
      authenticate,
      rateLimit: settings.rateLimit === null ? null : rateLimitBy(settings.rateLimit),
      origins: settings.cors,
      metrics: metrics.ofrep,
      events: options.events,
      log,
    }),
  });
  await listening(server, address);
  return server;
}

/** @throws HttpProblem if the request is of nobody, or of somebody who may not do that. */
function admitted(authenticate: Authenticate, request: IncomingMessage): Principal {
  const principal = authenticate(request);
  if (principal === undefined) throw needsToken('this needs a token that is known here');
  const isRead = request.method === 'GET';
  if (isRead && mayActAs(principal, 'viewer')) return principal;
  if (isRead) throw new HttpProblem(403, 'role', `${principal.name} may only ask for flags; reading needs a viewer`);
  if (request.url?.split('?')[0] !== ADMIN_FLAGS_PATH) {
    throw new HttpProblem(403, 'readOnly', 'this port only reads; the command line acts over the socket');
  }
  if (principal === ANYBODY) throw needsToken('setting flags needs the token of an operator');
  if (mayActAs(principal, 'operator')) return principal;
  throw new HttpProblem(403, 'role', `${principal.name} may not set flags; that needs an operator`);
}

function needsToken(what: string): HttpProblem {
  return new HttpProblem(401, 'token', `${what}: \`Authorization: Bearer TOKEN\`, one of \`server.tokens\``);
}

/** A token proves nobody of this host. */
function callerOf(principal: Principal): Caller {
  return principal === ANYBODY ? ANONYMOUS : { name: `token ${principal.name}`, uid: null, groups: [] };
}

/** Whether it lives is told to everybody: whoever balances load has no token. */
async function publicPath(
  { view, metrics }: PortOptions,
  authenticate: Authenticate,
  path: string,
  request: IncomingMessage,
): Promise<Fixed | undefined> {
  if (path === '/metrics') {
    admitted(authenticate, request);
    const { type, body } = await metrics.exposition();
    return { status: 200, type, body };
  }
  if (path === '/health/live') return jsonOf(200, { status: 'ok' });
  if (path === '/health/ready') {
    const ready = view.desired() !== null;
    return jsonOf(ready ? 200 : 503, { status: ready ? 'ready' : 'waiting for the first revision of the policies' });
  }
  return undefined;
}

export function jsonOf(status: number, content: unknown): Fixed {
  return { status, type: 'application/json', body: `${JSON.stringify(content)}\n` };
}

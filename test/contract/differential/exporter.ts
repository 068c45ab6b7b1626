import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expose, type Shape } from './exposed-metrics.ts';
import { seeded } from './seeded.ts';

/**
 * What a target does at its nth scrape. `refuse` closes the port for the scrapes after this one, for so many
 * milliseconds, as nothing can refuse a connection that is already there.
 */
export type Behaviour = (scrape: number) => { readonly kind: 'answer' | 'fail' } | { kind: 'refuse'; forMs: number };

export type Exporter = AsyncDisposable & { readonly address: string; readonly scrapes: () => number };

/** One target: every scrape moves its metrics on by a step, so that what it says does not depend on the time. */
export async function startExporter(shape: Shape, behaviour: Behaviour): Promise<Exporter> {
  let scrapes = 0;
  let reopening: NodeJS.Timeout | undefined;
  const random = seeded(shape.seed);
  const server = createServer((request, response) => answer(request, response));
  server.keepAliveTimeout = 60_000;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;

  function answer(_request: IncomingMessage, response: ServerResponse): void {
    scrapes += 1;
    const next = behaviour(scrapes);
    const body = expose(shape, scrapes, random, Date.now());
    response.writeHead(next.kind === 'fail' ? 500 : 200, { 'content-type': 'text/plain; version=0.0.4' }).end(body);
    if (next.kind === 'refuse') response.on('finish', () => refuse(next.forMs));
  }

  function refuse(forMs: number): void {
    server.close();
    server.closeAllConnections();
    reopening = setTimeout(() => server.listen(port, '127.0.0.1'), forMs);
  }

  return {
    address: `127.0.0.1:${port}`,
    scrapes: () => scrapes,
    async [Symbol.asyncDispose]() {
      clearTimeout(reopening);
      await closed(server);
    },
  };
}

async function closed(server: Server): Promise<void> {
  if (!server.listening) return;
  const gone = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await gone;
}

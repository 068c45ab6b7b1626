import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer, type ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';

export type Loopback = AsyncDisposable & {
  /** `http://127.0.0.1:PORT` */
  readonly origin: string;
  readonly port: number;
  readonly server: Server;
};

/** A real HTTP server on a free port of the loopback interface, closed with its connections at the end of the scope. */
export async function loopback(answer: RequestListener): Promise<Loopback> {
  return listen(createServer(answer), 'http');
}

export async function tlsLoopback(options: ServerOptions, answer: RequestListener): Promise<Loopback> {
  return listen(createTlsServer(options, answer), 'https');
}

async function listen(server: Server, scheme: string): Promise<Loopback> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    origin: `${scheme}://127.0.0.1:${port}`,
    port,
    server,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** A port on which nothing listens. */
export async function unusedPort(): Promise<number> {
  await using server = await loopback(() => {});
  return server.port;
}

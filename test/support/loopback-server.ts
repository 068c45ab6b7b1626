import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

export type Received = {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
  /** The client's port: equal for requests on one connection. */
  readonly port: number | undefined;
};

export type LoopbackServer = AsyncDisposable & {
  readonly url: string;
  /** What has arrived so far, bodies included. */
  readonly received: readonly Received[];
};

/** A real HTTP server on a free port of the loopback interface. */
export async function startServer(answer: RequestListener): Promise<LoopbackServer> {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    void text(request).then(
      (body) => {
        const { method = '', url = '', headers, socket } = request;
        received.push({ method, url, headers, body, port: socket.remotePort });
        answer(request, response);
        return undefined;
      },
      () => response.destroy(),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    received,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

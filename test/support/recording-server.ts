import type { IncomingMessage, RequestListener } from 'node:http';
import { text } from 'node:stream/consumers';
import { loopback } from './loopback.ts';

export type Received = {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
  /** The client's port: equal for requests on one connection. */
  readonly port: number | undefined;
};

export type RecordingServer = AsyncDisposable & {
  readonly url: string;
  /** What has arrived so far, bodies included. */
  readonly received: readonly Received[];
};

/** A real HTTP server on the loopback interface that remembers what it was sent, and then answers. */
export async function startServer(answer: RequestListener): Promise<RecordingServer> {
  const received: Received[] = [];
  const server = await loopback((request, response) => {
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
  return { url: server.origin, received, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

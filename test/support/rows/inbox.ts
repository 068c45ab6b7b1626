import { text } from 'node:stream/consumers';
import { loopback } from '../loopback.ts';

export type Letter = {
  readonly topic: string;
  readonly policy?: string;
  readonly title: string;
  readonly text: string;
};

/** A real receiver of webhooks; what was sent to a path is kept. */
export type Inbox = AsyncDisposable & {
  readonly url: string;
  readonly letters: (path: string) => readonly Letter[];
};

export async function openInbox(): Promise<Inbox> {
  const received = new Map<string, Letter[]>();
  const server = await loopback((request, response) => {
    void text(request).then(
      (body) => {
        const path = request.url ?? '';
        received.set(path, [...(received.get(path) ?? []), JSON.parse(body) as Letter]);
        response.end();
        return undefined;
      },
      () => response.destroy(),
    );
  });
  return {
    url: server.origin,
    letters: (path) => received.get(path) ?? [],
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

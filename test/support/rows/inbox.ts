import { text } from 'node:stream/consumers';
import { loopback } from '../loopback.ts';

/** `topic` is there if the notifier sends revertd's own form; `words` is the body as it came. */
export type Letter = { readonly topic?: string; readonly words: string };

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
        const { topic } = JSON.parse(body) as { topic?: string };
        const letter = { words: body, ...(topic === undefined ? {} : { topic }) };
        received.set(path, [...(received.get(path) ?? []), letter]);
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

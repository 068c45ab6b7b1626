import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** When things happened to one flip, by the clock of this process; all of them happen at its own server. */
export type Flip = {
  at: number;
  /** The last byte of the first answer to revertd that shows the flip. */
  shownAt: number | undefined;
  /** The step of revertd's ladder arrived. */
  actedAt: number | undefined;
  /** Alertmanager's webhook arrived. */
  alertedAt: number | undefined;
  /** Both sides are done with it, and the metric is good again. */
  healed: boolean;
};

export type Stage = AsyncDisposable & {
  readonly url: string;
  readonly flips: readonly Flip[];
  /** Turns the next metric bad. */
  flip(): Flip;
  /** Resolves when `isDone` holds of the flip, or rejects after ten seconds. */
  until(flip: Flip, isDone: (flip: Flip) => boolean): Promise<void>;
};

const PATIENCE_MS = 10_000;

/**
 * The exporter and the receiver of both sides' actions in one, so that no two clocks are compared. The flips take turns on
 * `metrics` metrics, so that each has time to heal before its next turn.
 */
export async function openStage(metrics: number): Promise<Stage> {
  const flips: Flip[] = [];
  let noticed = Promise.withResolvers<void>();
  const notice = (): void => {
    noticed.resolve();
    noticed = Promise.withResolvers();
  };

  /** The last flip of a metric. */
  function newest(metric: number): Flip | undefined {
    return flips.findLast((_, i) => i % metrics === metric);
  }

  function expose(request: IncomingMessage, response: ServerResponse): void {
    const bad = flips.filter(({ healed }) => !healed);
    const lines = Array.from({ length: metrics }, (_, n) => `flip{n="${n}"} ${newest(n)?.healed === false ? 1 : 0}\n`);
    response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' }).end(lines.join(''), () => {
      if (request.headers['user-agent'] !== 'revertd') return;
      const at = performance.now();
      for (const flip of bad) flip.shownAt ??= at;
    });
  }

  async function alerted(request: IncomingMessage, at: number): Promise<void> {
    const body = JSON.parse(await text(request)) as { alerts: { labels: { n: string } }[] };
    for (const { labels } of body.alerts) {
      const flip = newest(Number(labels.n));
      if (flip !== undefined) flip.alertedAt ??= at;
    }
    notice();
  }

  const server = createServer((request, response) => {
    const at = performance.now();
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
    if (pathname === '/metrics') {
      expose(request, response);
      return;
    }
    response.end();
    if (pathname === '/alerts') void alerted(request, at);
    const flip = pathname === '/act' ? newest(Number(searchParams.get('n'))) : undefined;
    if (flip !== undefined) flip.actedAt ??= at;
    notice();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    flips,
    flip() {
      const unseen = { shownAt: undefined, actedAt: undefined, alertedAt: undefined };
      const flip: Flip = { at: performance.now(), ...unseen, healed: false };
      flips.push(flip);
      return flip;
    },
    async until(flip, isDone) {
      const patience = AbortSignal.timeout(PATIENCE_MS);
      const { promise: late, reject } = Promise.withResolvers<never>();
      patience.addEventListener('abort', () => reject(new Error(`nothing came of a flip: ${JSON.stringify(flip)}`)));
      while (!isDone(flip)) await Promise.race([noticed.promise, late]);
      late.catch(() => undefined);
    },
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      if (server.listening) await once(server, 'close');
    },
  };
}

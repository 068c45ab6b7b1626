import { chmodSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Daemon } from '../daemon/daemon.ts';
import type { Log } from '../daemon/log.ts';
import type { HostConfig } from '../policy/host-config.ts';
import type { AccessToken } from './access.ts';
import { CallerProof, identifyBy } from './caller-proof.ts';
import { controlOf, viewOf } from './daemon-host.ts';
import { DaemonMetrics } from './daemon-metrics.ts';
import { createHttpServer } from './http-server.ts';
import { closed, listening, portOf } from './listen.ts';
import { EventStream } from './ofrep/event-stream.ts';
import { servedBy } from './ofrep/served-flags.ts';
import { jsonOf, openPort } from './port.ts';

export type FacesOptions = {
  readonly daemon: Daemon;
  readonly log: Log;
  readonly socket: string;
  readonly server: HostConfig['server'];
  readonly tokens: readonly AccessToken[];
};

export type Faces = { readonly close: () => Promise<void>; readonly port: number | null };

/** Opens what people and programs reach the daemon by: the socket of the command line, and the port. @throws ListenError */
export async function openFaces({ daemon, log, socket, server, tokens }: FacesOptions): Promise<Faces> {
  const view = viewOf(daemon);
  const control = controlOf(daemon);
  const metrics = new DaemonMetrics(view);
  const flags = servedBy(view);
  const events = new EventStream(flags()?.tag, view.now());
  daemon.observe({
    onPlan(_plan, tookMs) {
      metrics.onPlan(tookMs);
      const tag = flags()?.tag;
      if (tag !== undefined) events.publish(tag, view.now());
    },
    onEvents: (all) => metrics.onEvents(all),
  });
  const proof = new CallerProof(join(socket, '..', 'callers'));
  const local = createHttpServer({
    host: { view, control },
    flagsHost: { view, control },
    log,
    identify: identifyBy(proof),
    extra: async (path) => (path === '/challenge' ? jsonOf(200, proof.challenge()) : undefined),
  });
  // The daemon has the lock, so a socket that is there belongs to nobody any more.
  rmSync(socket, { force: true });
  await listening(local, socket);
  chmodSync(socket, 0o660);
  const open = [local];
  const close = async (): Promise<void> => {
    events.close();
    await Promise.all(open.map(closed));
  };
  if (server.listen === null) return { port: null, close };
  try {
    const port = await openPort(server.listen, { view, control, metrics, flags, events, log, server, tokens });
    open.push(port);
    return { port: portOf(port), close };
  } catch (error) {
    await close();
    throw error;
  }
}

import { chmodSync, rmSync } from 'node:fs';
import type { Server } from 'node:http';
import { join } from 'node:path';
import type { Daemon } from '../daemon/daemon.ts';
import type { Log } from '../daemon/log.ts';
import { ANONYMOUS, CallerProof, identifyBy } from './caller-proof.ts';
import { controlOf, viewOf } from './daemon-host.ts';
import { DaemonMetrics } from './daemon-metrics.ts';
import { createHttpServer } from './http-server.ts';
import { HttpProblem } from './problem.ts';

export type FacesOptions = {
  readonly daemon: Daemon;
  readonly log: Log;
  readonly socket: string;
  /** `ADDRESS:PORT`; null for none. */
  readonly listen: string | null;
};

export type Faces = { readonly close: () => Promise<void>; readonly port: number | null };

/** Opens what people and programs reach the daemon by: the socket of the command line, and health and metrics on a port. */
export async function openFaces({ daemon, log, socket, listen }: FacesOptions): Promise<Faces> {
  const view = viewOf(daemon);
  const metrics = new DaemonMetrics(view);
  daemon.observe({ onPlan: (_plan, tookMs) => metrics.onPlan(tookMs), onEvents: (events) => metrics.onEvents(events) });
  const proof = new CallerProof(join(socket, '..', 'callers'));
  const local = createHttpServer({
    host: { view, control: controlOf(daemon) },
    log,
    identify: identifyBy(proof),
    extra: async (path) => (path === '/challenge' ? json(200, proof.challenge()) : undefined),
  });
  // The daemon has the lock, so a socket that is there belongs to nobody any more.
  rmSync(socket, { force: true });
  await listening(local, socket);
  chmodSync(socket, 0o660);
  const open = [local];
  const close = async (): Promise<void> => void (await Promise.all(open.map(closed)));
  try {
    return { port: listen === null ? null : await openPort(listen), close };
  } catch (error) {
    await close();
    throw error;
  }

  async function openPort(address: string): Promise<number> {
    const separator = address.lastIndexOf(':');
    const server = createHttpServer({
      host: { view, control: null },
      log,
      identify: async (request) => {
        if (request.method === 'GET') return ANONYMOUS;
        throw new HttpProblem(403, 'readOnly', 'this port only reads; the command line acts over the socket');
      },
      extra: (path) => publicPath(path),
    });
    await listening(server, { host: address.slice(0, separator), port: Number(address.slice(separator + 1)) });
    open.push(server);
    const bound = server.address();
    return typeof bound === 'object' && bound !== null ? bound.port : 0;
  }

  async function publicPath(path: string) {
    if (path === '/metrics') {
      const { type, body } = await metrics.exposition();
      return { status: 200, type, body };
    }
    if (path === '/health/live') return json(200, { status: 'ok' });
    if (path === '/health/ready') {
      const ready = view.desired() !== null;
      return json(ready ? 200 : 503, { status: ready ? 'ready' : 'waiting for the first revision of the policies' });
    }
    return undefined;
  }
}

function json(status: number, content: unknown) {
  return { status, type: 'application/json', body: `${JSON.stringify(content)}\n` };
}

/** An address or a socket that cannot be listened on; the message says how to mend it. */
export class ListenError extends Error {
  override readonly name = 'ListenError';
  readonly code: string;

  constructor(where: string, code: string, cause: unknown) {
    super(`${where} cannot be listened on: ${LISTEN_FAULTS[code] ?? code}`, { cause });
    this.code = code;
  }
}

const CHOOSE = 'set `server.listen` to another address and port, or to "off"';
const LISTEN_FAULTS: Readonly<Record<string, string>> = {
  EADDRINUSE: `another program has it; ${CHOOSE}`,
  EADDRNOTAVAIL: `this host has no such address; ${CHOOSE}`,
  EACCES: 'it needs more rights than this user has',
  ENOTFOUND: `there is no such host; ${CHOOSE}`,
  EINVAL: 'a socket path has at most 107 bytes; set `server.socket` to a shorter one',
  ENOENT: 'its folder does not exist',
};

async function listening(server: Server, where: string | { host: string; port: number }): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  try {
    server.listen(where, resolve);
    await promise;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    throw new ListenError(typeof where === 'string' ? where : `${where.host}:${where.port}`, code, error);
  }
  server.off('error', reject);
}

async function closed(server: Server): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  server.close(() => resolve());
  server.closeAllConnections();
  await promise;
}

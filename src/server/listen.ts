import type { Server } from 'node:http';

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

/** @throws ListenError */
export async function listening(server: Server, where: string | { host: string; port: number }): Promise<void> {
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

/** Ends it with all that is connected to it. */
export async function closed(server: Server): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  server.close(() => resolve());
  server.closeAllConnections();
  await promise;
}

/** `ADDRESS:PORT`, as `server.listen` has it. */
export function addressOf(listen: string): { readonly host: string; readonly port: number } {
  const separator = listen.lastIndexOf(':');
  return { host: listen.slice(0, separator).replace(/^\[(.*)\]$/, '$1'), port: Number(listen.slice(separator + 1)) };
}

export function portOf(server: Server): number {
  const bound = server.address();
  return typeof bound === 'object' && bound !== null ? bound.port : 0;
}

/** Whether only programs of this host can reach it. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host);
}

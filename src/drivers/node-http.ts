import type * as https from 'node:https';
import type * as tls from 'node:tls';

/**
 * Node's own HTTP and TLS. A static import of `node:http` would take each of its exports at once, and with `WebSocket` and its
 * like a second client that nobody here uses: 13 MiB in a process that does nothing else. What only some hosts use comes when
 * it is asked for: TLS and the trusted roots take some 5 MiB more.
 */
export const { Agent: HttpAgent, createServer, request: requestHttp } = process.getBuiltinModule('node:http');

export function nodeHttps(): typeof https {
  return process.getBuiltinModule('node:https');
}

export function nodeTls(): typeof tls {
  return process.getBuiltinModule('node:tls');
}

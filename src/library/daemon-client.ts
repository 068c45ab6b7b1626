import { rmSync, writeFileSync } from 'node:fs';
import { requestHttp } from '../drivers/node-http.ts';
import { PROOF_HEADER } from '../server/caller-proof.ts';

/** Why the daemon did not do what it was asked; the message is for people. */
export class DaemonError extends Error {
  override readonly name = 'DaemonError';
  /**
   * `noDaemon`: none listens on the socket. `notPermitted`: this user may not open it. `refused`: the daemon could, and
   * will not. `failed`: anything else.
   */
  readonly code: 'noDaemon' | 'notPermitted' | 'refused' | 'failed';

  constructor(code: DaemonError['code'], message: string) {
    super(message);
    this.code = code;
  }
}

/** Speaks to the running daemon over its socket. Its methods reject with DaemonError. */
export type Client = {
  readonly get: <T>(path: string) => Promise<T>;
  readonly post: <T>(path: string, body: unknown) => Promise<T>;
};

const NOBODY_THERE = new Set(['ENOENT', 'ECONNREFUSED', 'ENOTDIR']);

/** Undefined if no daemon listens there. @throws {DaemonError} `notPermitted` if one does, but not to this user. */
export async function connect(socket: string): Promise<Client | undefined> {
  try {
    await exchange(socket, 'GET', '/challenge');
  } catch (error) {
    const code = codeOf(error);
    if (code !== undefined && NOBODY_THERE.has(code)) return undefined;
    if (code === 'EACCES' || code === 'EPERM') {
      const message = `${socket} may not be opened by this user; ask for membership in the group that owns it`;
      throw new DaemonError('notPermitted', message);
    }
    throw error;
  }
  return {
    get: async <T>(path: string) => (await exchange(socket, 'GET', `/api/v1/${path}`)) as T,
    post: async <T>(path: string, body: unknown) => (await prove(socket, path, body)) as T,
  };
}

async function prove(socket: string, path: string, body: unknown): Promise<unknown> {
  const challenge = await exchange(socket, 'GET', '/challenge');
  const file = String(Reflect.get(Object(challenge), 'file'));
  writeFileSync(file, '', { flag: 'wx', mode: 0o600 });
  try {
    const name = file.slice(file.lastIndexOf('/') + 1);
    return await exchange(socket, 'POST', `/api/v1/${path}`, body, { [PROOF_HEADER]: name });
  } finally {
    rmSync(file, { force: true });
  }
}

async function exchange(
  socketPath: string,
  method: string,
  path: string,
  body?: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<unknown> {
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  const outgoing = requestHttp(
    { socketPath, method, path, headers: { 'content-type': 'application/json', ...headers } },
    (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        try {
          resolve(read(response.statusCode ?? 0, Buffer.concat(chunks).toString('utf8')));
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
        }
      });
    },
  );
  outgoing.on('error', reject);
  outgoing.end(body === undefined ? undefined : JSON.stringify(body));
  return await promise;
}

function read(status: number, text: string): unknown {
  const content: unknown = JSON.parse(text);
  if (status < 400) return content;
  const detail = String(Reflect.get(Object(content), 'detail'));
  throw new DaemonError(status === 409 || status === 403 ? 'refused' : 'failed', detail);
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

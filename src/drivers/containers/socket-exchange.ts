import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { requestHttp } from '../node-http.ts';
import { EngineError, type EngineErrorCode } from './engine-error.ts';

export type SocketRequest = {
  readonly method: string;
  readonly path: string;
  readonly body?: { readonly type: string; readonly bytes: Uint8Array };
  /** Takes the answer's body piece by piece if its status is 2xx, and says whether it wants more. */
  readonly take?: (piece: Buffer) => boolean;
};

export type SocketAnswer = { readonly status: number; readonly headers: IncomingHttpHeaders; readonly body: Buffer };

/** Larger answers are refused where nothing else is said; a list of a thousand containers has about 2 MiB. */
const LARGEST_ANSWER_BYTES = 16 * 1024 * 1024;

/** One request over a UNIX socket, on a connection of its own. Rejects with EngineError. */
export async function exchangeOverSocket(
  socket: string,
  wanted: SocketRequest,
  signal: AbortSignal,
): Promise<SocketAnswer> {
  try {
    return await converse(socket, wanted, signal);
  } catch (error) {
    throw asEngineError(socket, error, signal);
  }
}

function converse(socketPath: string, wanted: SocketRequest, signal: AbortSignal): Promise<SocketAnswer> {
  const { method, path, body, take } = wanted;
  const headers = {
    host: 'engine',
    'user-agent': 'revertd',
    ...(body === undefined ? {} : { 'content-type': body.type, 'content-length': String(body.bytes.length) }),
  };
  return new Promise((resolve, reject) => {
    const sent = requestHttp({ socketPath, method, path, headers, agent: false, signal });
    sent.on('error', reject);
    sent.once('response', (response) => resolve(answerOf(response, take)));
    sent.end(body?.bytes);
  });
}

/** Leaving the loop early closes the connection. */
async function answerOf(response: IncomingMessage, take: SocketRequest['take']): Promise<SocketAnswer> {
  const status = response.statusCode ?? 0;
  const { headers } = response;
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response) {
    const piece = Buffer.from(chunk as Uint8Array);
    if (take !== undefined && status >= 200 && status < 300) {
      if (take(piece)) continue;
      break;
    }
    length += piece.length;
    if (length > LARGEST_ANSWER_BYTES) throw new EngineError('tooLarge', 'the engine answered with more than 16 MiB');
    chunks.push(piece);
  }
  return { status, headers, body: Buffer.concat(chunks) };
}

const FAULTS: Readonly<Record<string, readonly [EngineErrorCode, string]>> = {
  ENOENT: ['noSocket', 'there is no socket'],
  ENOTDIR: ['noSocket', 'there is no socket'],
  EACCES: ['notPermitted', 'revertd may not open it; add its user to the group of the socket'],
  EPERM: ['notPermitted', 'revertd may not open it; add its user to the group of the socket'],
  ECONNREFUSED: ['refused', 'nobody listens; is the engine running?'],
  ENOTSOCK: ['refused', 'it is not a socket'],
  ECONNRESET: ['lost', 'the engine hung up before its answer was complete; it may have done what it was asked'],
  EPIPE: ['lost', 'the engine hung up before its answer was complete; it may have done what it was asked'],
};

function asEngineError(socket: string, error: unknown, signal: AbortSignal): EngineError {
  if (error instanceof EngineError) return error;
  if (signal.aborted) return new EngineError('stopped', `${socket}: the engine had not answered`, error);
  const errno = error instanceof Error && 'code' in error ? String(error.code) : '';
  const known = FAULTS[errno];
  if (known !== undefined) return new EngineError(known[0], `${socket}: ${known[1]} (${errno})`, error);
  if (errno.startsWith('HPE_')) {
    return new EngineError('notAnEngine', `${socket}: what answers is not HTTP (${errno})`, error);
  }
  const words = error instanceof Error ? error.message : String(error);
  return new EngineError('refused', `${socket}: ${words}`, error);
}

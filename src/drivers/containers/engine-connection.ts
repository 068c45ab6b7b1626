import { access } from 'node:fs/promises';
import { objectAt, textAt } from './decode.ts';
import { EngineError, type EngineErrorCode } from './engine-error.ts';
import { exchangeOverSocket, type SocketAnswer, type SocketRequest } from './socket-exchange.ts';

/** What `/_ping` says of the engine. */
export type Greeting = {
  /** The version of the API that is spoken: the newest that both know. */
  readonly api: string;
  /** The version of podman's own API, if it is podman. */
  readonly libpod: string | undefined;
};

/** A request below the versioned root; `libpod` sends it to podman's own API. */
export type EngineRequest = SocketRequest & {
  readonly libpod?: boolean;
  /** What 404 says of this request. */
  readonly missing?: { readonly code: EngineErrorCode; readonly message: string };
};

export type EngineConnection = {
  readonly greet: (signal: AbortSignal) => Promise<Greeting>;
  /** The answer if its status is 2xx or 304; everything else rejects with EngineError. */
  readonly ask: (request: EngineRequest, signal: AbortSignal) => Promise<SocketAnswer>;
  /** The socket that is asked now. Rejects with EngineError if there is none. */
  readonly socket: () => Promise<string>;
};

/** Where Docker's and podman's services listen by their packages' own settings. */
export const USUAL_SOCKETS = ['/var/run/docker.sock', '/run/podman/podman.sock'] as const;

/** The newest version whose requests these are. Every engine speaks down to a version of its own. */
const NEWEST_API: Version = [1, 51];
/** Docker 1.12; podman claims it too. Older ones lack requests that are sent here. */
const OLDEST_API: Version = [1, 24];

type Version = readonly [number, number];

/** Speaks the Docker-compatible API over the first of the sockets that there is. */
export function createEngineConnection(sockets: readonly string[]): EngineConnection {
  let known: (Greeting & { readonly socket: string }) | undefined;
  const socket = () => firstPresent(sockets);
  const greet = async (signal: AbortSignal) => {
    const path = await socket();
    if (known?.socket === path) return known;
    known = { ...(await negotiate(path, signal)), socket: path };
    return known;
  };
  const send = async (request: EngineRequest, signal: AbortSignal) => {
    try {
      const greeting = await greet(signal);
      const root = request.libpod === true ? `/v${greeting.libpod}/libpod` : `/v${greeting.api}`;
      return await exchangeOverSocket(await socket(), { ...request, path: root + request.path }, signal);
    } catch (error) {
      // Another engine, or another version of it, may be there next time.
      known = undefined;
      throw error;
    }
  };
  return {
    greet,
    socket,
    ask: async (request, signal) => {
      const answer = await send(request, signal);
      if ((answer.status >= 200 && answer.status < 300) || answer.status === 304) return answer;
      if (answer.status === 400) known = undefined;
      throw refusal(request, answer);
    },
  };
}

async function firstPresent(sockets: readonly string[]): Promise<string> {
  for (const path of sockets) {
    const fault: unknown = await access(path).then(
      () => undefined,
      (error: unknown) => error,
    );
    // One that is there and may not be looked at gets its own message when it is used.
    if (fault === undefined || codeOf(fault) === 'EACCES') return path;
  }
  const mend = 'start the engine, or name its socket in the configuration (containers.socket)';
  throw new EngineError('noSocket', `there is no ${sockets.join(' and no ')}; ${mend}`);
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined;
}

async function negotiate(socket: string, signal: AbortSignal): Promise<Greeting> {
  const { status, headers } = await exchangeOverSocket(socket, { method: 'GET', path: '/_ping' }, signal);
  const offered = parseVersion(String(headers['api-version'] ?? ''));
  if (status !== 200 || offered === undefined) {
    const text = `${socket}: what answers is no container engine (status ${status}, and no Api-Version)`;
    throw new EngineError('notAnEngine', text);
  }
  if (isOlder(offered, OLDEST_API)) {
    const text = `${socket}: the engine speaks version ${offered.join('.')} of the API, expected at least ${OLDEST_API.join('.')}`;
    throw new EngineError('notAnEngine', text);
  }
  const libpod = headers['libpod-api-version'];
  const spoken = isOlder(offered, NEWEST_API) ? offered : NEWEST_API;
  return { api: spoken.join('.'), libpod: typeof libpod === 'string' ? libpod : undefined };
}

function parseVersion(text: string): Version | undefined {
  const [, major, minor] = /^(\d+)\.(\d+)$/.exec(text) ?? [];
  return major === undefined || minor === undefined ? undefined : [Number(major), Number(minor)];
}

function isOlder(one: Version, other: Version): boolean {
  return one[0] < other[0] || (one[0] === other[0] && one[1] < other[1]);
}

function refusal({ missing }: EngineRequest, { status, body }: SocketAnswer): EngineError {
  if (status === 404 && missing !== undefined) return new EngineError(missing.code, missing.message);
  return new EngineError('engine', `the engine answered ${status}: ${wordsOf(body)}`);
}

/** Both engines put their words into `message`. */
function wordsOf(body: Buffer): string {
  const text = body.toString('utf8');
  try {
    return textAt(objectAt(JSON.parse(text)), 'message').slice(0, 1000) || '(no words)';
  } catch {
    return text.trim().slice(0, 1000) || '(no words)';
  }
}

import { createBoundedText } from '../bounded-text.ts';
import { type ContainerState, type ContainerSummary, decodeState, decodeSummary } from './container-state.ts';
import { listAt, numberAt, objectAt, textAt } from './decode.ts';
import { createEngineConnection, type EngineConnection, type Greeting } from './engine-connection.ts';
import { EngineError, type EngineErrorCode } from './engine-error.ts';
import { createEngineFiles, type EngineFiles } from './engine-files.ts';
import { createOutputReader } from './stream-frames.ts';

export type EngineVerb =
  | { readonly kind: 'start' | 'pause' | 'unpause' }
  | { readonly kind: 'stop' | 'restart'; readonly graceMs?: number }
  | { readonly kind: 'signal'; readonly signal: string };

export type ExecEnd = { readonly exitCode: number; readonly output: string };

/** A container engine through its Docker-compatible API. All methods reject with EngineError. */
export type ContainerEngine = EngineFiles & {
  readonly greet: (signal: AbortSignal) => Promise<Greeting>;
  /** The socket that is asked now. */
  readonly socket: () => Promise<string>;
  /** Every container, also those that do not run. */
  readonly list: (signal: AbortSignal) => Promise<readonly ContainerSummary[]>;
  readonly inspect: (id: string, signal: AbortSignal) => Promise<ContainerState>;
  /** Resolves when the engine says that it is done. What is so already is done; a grace is rounded up to seconds. */
  readonly act: (verb: EngineVerb, id: string, signal: AbortSignal) => Promise<void>;
  /** Runs a program in a running container. When the signal aborts, it goes on. */
  readonly exec: (command: ExecCommand, signal: AbortSignal) => Promise<ExecEnd>;
  /** Its last 20 lines, standard output and error, with at most 4 Ki characters at each end. */
  readonly logs: (state: Pick<ContainerState, 'id' | 'tty'>, signal: AbortSignal) => Promise<string>;
  /** The manifests by which an image was pulled: `app@sha256:…`. */
  readonly imageDigests: (image: string, signal: AbortSignal) => Promise<readonly string[]>;
};

export type ExecCommand = {
  readonly id: string;
  readonly argv: readonly string[];
  /** The container's own user if absent. */
  readonly user?: string;
  /** Added to the container's environment. */
  readonly env?: Readonly<Record<string, string>>;
};

const LOG_LINES = 20;
const KEPT_EACH = 4 * 1024;
/** A line may be of any length; so much is read in search of the end. */
const LARGEST_OUTPUT_BYTES = 8 * 1024 * 1024;

export function createContainerEngine(sockets: readonly string[]): ContainerEngine {
  const connection = createEngineConnection(sockets);
  return {
    greet: connection.greet,
    socket: connection.socket,
    list: async (signal) => {
      const answer = await connection.ask({ method: 'GET', path: '/containers/json?all=1' }, signal);
      return listAt({ found: parse(answer.body) }, 'found').map(decodeSummary);
    },
    inspect: async (id, signal) => decodeState(await getJson(connection, `/containers/${id}/json`, gone(id), signal)),
    act: async (verb, id, signal) => {
      const path = `/containers/${id}/${verb.kind === 'signal' ? 'kill' : verb.kind}${queryOf(verb)}`;
      await connection.ask({ method: 'POST', path, missing: gone(id) }, signal);
    },
    exec: (command, signal) => exec(connection, command, signal),
    logs: ({ id, tty }, signal) => {
      const path = `/containers/${id}/logs?stdout=1&stderr=1&tail=${LOG_LINES}`;
      return readOutput(connection, { method: 'GET', path, missing: gone(id) }, tty, signal);
    },
    imageDigests: async (image, signal) => {
      const missing = { code: 'engine', message: `the engine has no image ${image} any more` } as const;
      const found = objectAt(await getJson(connection, `/images/${image}/json`, missing, signal));
      return listAt(found, 'RepoDigests').filter((digest) => typeof digest === 'string');
    },
    ...createEngineFiles(connection),
  };
}

type Missing = { readonly code: EngineErrorCode; readonly message: string };

function gone(id: string): Missing {
  return { code: 'noSuchContainer', message: `the container ${id.slice(0, 12)} is gone` };
}

function queryOf(verb: EngineVerb): string {
  if (verb.kind === 'signal') return `?signal=${encodeURIComponent(verb.signal)}`;
  const graceMs = 'graceMs' in verb ? verb.graceMs : undefined;
  return graceMs === undefined ? '' : `?t=${Math.ceil(graceMs / 1000)}`;
}

async function getJson(connection: EngineConnection, path: string, missing: Missing, signal: AbortSignal) {
  return parse((await connection.ask({ method: 'GET', path, missing }, signal)).body);
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch (error) {
    throw new EngineError('notAnEngine', 'the answer of the engine is not JSON', error);
  }
}

async function exec(connection: EngineConnection, command: ExecCommand, signal: AbortSignal): Promise<ExecEnd> {
  const { id, argv, user, env = {} } = command;
  const wanted = {
    AttachStdout: true,
    AttachStderr: true,
    Cmd: argv,
    Env: Object.entries(env).map(([name, value]) => `${name}=${value}`),
    ...(user === undefined ? {} : { User: user }),
  };
  const body = jsonBody(wanted);
  const created = await connection.ask(
    { method: 'POST', path: `/containers/${id}/exec`, body, missing: gone(id) },
    signal,
  );
  const run = textAt(objectAt(parse(created.body)), 'Id');
  const start = { method: 'POST', path: `/exec/${run}/start`, body: jsonBody({ Detach: false, Tty: false }) };
  const output = await readOutput(connection, start, false, signal);
  const missing = { code: 'lost', message: 'the engine has forgotten how the program ended' } as const;
  const ended = objectAt(await getJson(connection, `/exec/${run}/json`, missing, signal));
  if (ended['Running'] === true || typeof ended['ExitCode'] !== 'number') {
    throw new EngineError('lost', `${argv[0]} was let go of while it ran; it may go on`);
  }
  return { exitCode: numberAt(ended, 'ExitCode'), output };
}

function jsonBody(value: unknown): { readonly type: string; readonly bytes: Uint8Array } {
  return { type: 'application/json', bytes: Buffer.from(JSON.stringify(value)) };
}

async function readOutput(
  connection: EngineConnection,
  request: { readonly method: string; readonly path: string; readonly missing?: Missing },
  tty: boolean,
  signal: AbortSignal,
): Promise<string> {
  const read = createOutputReader(tty);
  const kept = createBoundedText(KEPT_EACH);
  let bytes = 0;
  const take = (piece: Buffer) => {
    bytes += piece.length;
    kept.push(read(piece));
    return bytes < LARGEST_OUTPUT_BYTES;
  };
  await connection.ask({ ...request, take }, signal);
  return kept.text().trimEnd();
}

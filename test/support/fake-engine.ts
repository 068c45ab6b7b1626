import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { parse } from 'yaml';
import type { ComposeProject } from '../../src/core/model/container-step.ts';
import { createContainerEngine } from '../../src/drivers/containers/engine.ts';
import { packFile, unpackFile } from '../../src/drivers/containers/tar-file.ts';
import type { ProcessEnd } from '../../src/drivers/process.ts';
import {
  COMMANDS,
  type EngineHarness,
  EXEC_SAMPLE,
  IMAGE_FILES,
  type ImageFile,
  SAMPLES,
  type SampleName,
} from './engine-samples.ts';

type FakeContainer = {
  readonly id: string;
  readonly name: string;
  readonly command: readonly string[];
  readonly health: 'none' | 'good' | 'bad';
  readonly tty: boolean;
  readonly mounts: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly files: Map<string, ImageFile>;
  status: 'created' | 'running' | 'paused' | 'exited';
  exitCode: number;
  starts: number;
  startedAt: string;
  looks: number;
  error: string;
};

type Answer = { readonly status: number; readonly body?: Buffer | object; readonly headers?: Record<string, string> };

export const FAKE_IMAGE = `sha256:${'1'.repeat(64)}`;
export const FAKE_MANIFEST = `sha256:${'2'.repeat(64)}`;

/**
 * A container engine in memory behind a real UNIX socket, for what needs no engine. `engine-suite.ts` holds it, Docker and
 * podman to the same behaviour.
 */
export async function startFakeEngine(): Promise<EngineHarness & { readonly breakOn: (path: RegExp) => void }> {
  const folder = await mkdtemp(join(tmpdir(), 'revertd-engine-'));
  const socket = join(folder, 'engine.sock');
  const state = new FakeState(folder);
  const server = createServer((request, response) => void state.serve(request, response));
  await listen(server, socket);
  const engine = createContainerEngine([socket]);
  return {
    engine,
    compose: (project) => Promise.resolve(state.compose(project)),
    socket,
    folder,
    canPause: true,
    steadyMs: 10,
    patienceMs: 2000,
    create: (sample) => Promise.resolve(state.createSample(sample)),
    breakOn: (path) => {
      state.breakOn = path;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await rm(folder, { recursive: true });
    },
  };
}

async function listen(server: Server, socket: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject).listen(socket, resolve);
  await promise;
}

class FakeState {
  readonly #containers = new Map<string, FakeContainer>();
  readonly #execs = new Map<string, number>();
  readonly #folder: string;
  #count = 0;
  /** Requests to these paths are cut off in the middle. */
  breakOn: RegExp | undefined;

  constructor(folder: string) {
    this.#folder = folder;
  }

  createSample(sample: SampleName): string {
    const {
      command,
      health,
      tty,
      mounts,
    }: (typeof SAMPLES)[SampleName] & {
      readonly health?: readonly string[];
      readonly tty?: boolean;
      readonly mounts?: boolean;
    } = SAMPLES[sample];
    const name = `${sample}-${this.#count + 1}`;
    const judged = health === undefined ? 'none' : health.includes('true') ? 'good' : 'bad';
    this.#add(name, command, { health: judged, tty: tty === true, mounts: mounts === true ? [this.#folder] : [] });
    return name;
  }

  #add(
    name: string,
    command: readonly string[],
    rest: Partial<Pick<FakeContainer, 'health' | 'tty' | 'mounts' | 'labels'>> = {},
  ): FakeContainer {
    this.#count += 1;
    const container: FakeContainer = {
      id: this.#count.toString(16).padStart(6, 'a').padEnd(64, '0'),
      name,
      command,
      health: 'none',
      tty: false,
      mounts: [],
      labels: {},
      files: new Map(Object.entries({ ...IMAGE_FILES, '/bin/mv': { kind: 'link', target: 'busybox' } })),
      status: 'created',
      exitCode: 0,
      starts: 0,
      startedAt: '',
      looks: 0,
      error: '',
      ...rest,
    };
    this.#containers.set(container.id, container);
    return container;
  }

  async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://engine');
    const path = url.pathname.replace(/^\/v1\.\d+/, '');
    if (this.breakOn?.test(path) === true) {
      request.socket.destroy();
      return;
    }
    const bytes = await buffer(request);
    const { status, body, headers } = this.#answer(request.method ?? '', path, url.searchParams, bytes);
    const isJson = body !== undefined && !Buffer.isBuffer(body);
    response.writeHead(status, {
      'api-version': '1.41',
      ...(isJson ? { 'content-type': 'application/json' } : {}),
      ...headers,
    });
    response.end(isJson ? JSON.stringify(body) : body);
  }

  #answer(method: string, path: string, query: URLSearchParams, bytes: Buffer): Answer {
    if (path === '/_ping') return { status: 200, body: Buffer.from('OK') };
    if (path === '/containers/json') return { status: 200, body: [...this.#containers.values()].map(summary) };
    const [, group = '', id = '', verb = ''] = path.split('/');
    if (group === 'images') return { status: 200, body: { RepoDigests: [`localhost/revertd-test@${FAKE_MANIFEST}`] } };
    if (group === 'exec') return this.#ofExec(id, verb);
    const container = this.#containers.get(id);
    if (container === undefined) return refused(404, `No such container: ${id}`);
    if (method === 'GET' || method === 'HEAD') return this.#read(container, verb, method, query);
    if (verb === 'archive') return put(container, query.get('path') ?? '', bytes);
    if (verb === 'exec') return this.#exec(container, bytes);
    return change(container, verb, query);
  }

  #read(container: FakeContainer, verb: string, method: string, query: URLSearchParams): Answer {
    switch (verb) {
      case 'json':
        container.looks += 1;
        return { status: 200, body: inspected(container) };
      case 'logs':
        return { status: 200, body: logsOf(container) };
      default:
        return archive(container, query.get('path') ?? '', method);
    }
  }

  #exec(container: FakeContainer, bytes: Buffer): Answer {
    if (container.status !== 'running') return refused(409, `Container ${container.name} is not running`);
    const { Cmd: argv = [] } = JSON.parse(bytes.toString('utf8')) as { Cmd?: string[] };
    const id = `exec${this.#execs.size}`;
    this.#execs.set(id, execute(container, argv));
    return { status: 201, body: { Id: id } };
  }

  #ofExec(id: string, verb: string): Answer {
    const exitCode = this.#execs.get(id);
    if (exitCode === undefined) return refused(404, 'No such exec instance');
    if (verb === 'json') return { status: 200, body: { Running: false, ExitCode: exitCode } };
    const output = exitCode === 3 ? [frame(1, 'out\n'), frame(2, 'err\n')] : [];
    return { status: 200, body: Buffer.concat(exitCode === 127 ? [frame(2, 'not found\n')] : output) };
  }

  /** What a compose program does, and how it ends. */
  compose({ on, do: verb }: ComposeProject): ProcessEnd {
    const folder = dirname(on.file);
    if (!existsSync(folder)) {
      return { kind: 'notStarted', code: 'missingFolder', message: `the folder ${folder} does not exist` };
    }
    const commands = readCommands(on.file);
    if (commands === undefined) return { kind: 'exited', code: 15, output: 'yaml: the file cannot be read\n' };
    const isMeant = (service: string) => on.services.length === 0 || on.services.includes(service);
    const project = on.project ?? basename(folder);
    const own = [...this.#containers.values()].filter(
      ({ labels }) => labels[`${LABEL}.project`] === project && isMeant(labels[`${LABEL}.service`] ?? ''),
    );
    const makesAnew = verb.kind === 'down' || verb.kind === 'recreate';
    for (const container of own) {
      if (makesAnew) this.#containers.delete(container.id);
      else change(container, verb.kind === 'up' ? 'start' : verb.kind, new URLSearchParams());
    }
    if (verb.kind === 'up' || verb.kind === 'recreate') {
      const there = makesAnew ? [] : own.map(({ labels }) => labels[`${LABEL}.service`]);
      for (const [service, command] of Object.entries(commands)) {
        if (isMeant(service) && !there.includes(service)) this.#up(project, on.file, service, command);
      }
    }
    return { kind: 'exited', code: 0, output: '' };
  }

  #up(project: string, file: string, service: string, command: readonly string[]): void {
    const labels = {
      [`${LABEL}.project`]: project,
      [`${LABEL}.project.config_files`]: basename(file),
      [`${LABEL}.project.working_dir`]: dirname(file),
      [`${LABEL}.service`]: service,
    };
    start(this.#add(`${project}_${service}_1`, command, { labels }));
  }
}

const LABEL = 'com.docker.compose';

function readCommands(file: string): Readonly<Record<string, readonly string[]>> | undefined {
  try {
    const { services = {} } = parse(readFileSync(file, 'utf8')) as {
      readonly services?: Readonly<Record<string, { readonly command?: readonly string[] }>>;
    };
    return Object.fromEntries(Object.entries(services).map(([name, { command = [] }]) => [name, command]));
  } catch {
    return undefined;
  }
}

function refused(status: number, message: string): Answer {
  return { status, body: { message } };
}

function summary({ id, name, labels }: FakeContainer): object {
  return { Id: id, Names: [`/${name}`], Labels: labels };
}

function inspected(container: FakeContainer): object {
  const { id, name, status, exitCode, starts, startedAt, error, tty, mounts } = container;
  const running = status === 'running' || status === 'paused';
  return {
    Id: id,
    Name: `/${name}`,
    Image: FAKE_IMAGE,
    RestartCount: 0,
    State: {
      Status: status,
      Running: running,
      Paused: status === 'paused',
      Restarting: false,
      ExitCode: exitCode,
      Error: error,
      StartedAt: starts === 0 ? '0001-01-01T00:00:00Z' : startedAt,
      ...healthOf(container),
    },
    Config: { Tty: tty },
    HostConfig: { UsernsMode: '' },
    Mounts: mounts.map((source) => ({ Type: 'bind', Source: source, Destination: '/mnt' })),
  };
}

/** The first verdict is there at the second look after the start. */
function healthOf({ health, looks, status }: FakeContainer): object {
  if (health === 'none') return {};
  if (status !== 'running' || looks < 2) return { Health: { Status: 'starting', Log: [] } };
  const Log = [{ ExitCode: health === 'good' ? 0 : 1, Output: health === 'good' ? '' : 'no pulse\n' }];
  return { Health: { Status: health === 'good' ? 'healthy' : 'unhealthy', Log } };
}

function isCommand(container: FakeContainer, command: keyof typeof COMMANDS): boolean {
  return container.command.join('\n') === COMMANDS[command].join('\n');
}

function change(container: FakeContainer, verb: string, query: URLSearchParams): Answer {
  const running = container.status === 'running';
  switch (verb) {
    case 'start':
      return running ? { status: 304 } : start(container);
    case 'stop':
      if (!running && container.status !== 'paused') return { status: 304 };
      container.status = 'exited';
      container.exitCode = isCommand(container, 'ignoresTerm') ? 137 : 0;
      return { status: 204 };
    case 'restart':
      return start(container);
    case 'kill':
      if (!running) return refused(409, `Container ${container.name} is not running`);
      if (query.get('signal') === 'SIGKILL') Object.assign(container, { status: 'exited', exitCode: 137 });
      return { status: 204 };
    case 'pause':
      if (!running) return refused(409, `Container ${container.name} is not running`);
      container.status = 'paused';
      return { status: 204 };
    case 'unpause':
      if (container.status !== 'paused') return refused(500, `Container ${container.name} is not paused`);
      container.status = 'running';
      return { status: 204 };
    default:
      return refused(404, 'page not found');
  }
}

let allStarts = 0;

function start(container: FakeContainer): Answer {
  container.starts += 1;
  allStarts += 1;
  container.startedAt = `2026-01-01T00:00:00.${String(allStarts).padStart(9, '0')}Z`;
  container.looks = 0;
  if (isCommand(container, 'isMissing')) {
    container.error = 'exec: "no-such-program": executable file not found in $PATH';
    container.exitCode = 127;
    return refused(400, `failed to create task: ${container.error}`);
  }
  const exitCode = isCommand(container, 'fails')
    ? 3
    : isCommand(container, 'ends')
      ? 0
      : isCommand(container, 'chats')
        ? 4
        : undefined;
  container.status = exitCode === undefined ? 'running' : 'exited';
  container.exitCode = exitCode ?? 0;
  return { status: 204 };
}

function frame(stream: 1 | 2, text: string): Buffer {
  const payload = Buffer.from(text);
  const header = Buffer.alloc(8);
  header.writeUInt8(stream, 0);
  header.writeUInt32BE(payload.length, 4);
  return Buffer.concat([header, payload]);
}

function logsOf(container: FakeContainer): Buffer {
  if (container.starts === 0) return Buffer.alloc(0);
  if (isCommand(container, 'fails')) return frame(1, 'this is why\n');
  if (isCommand(container, 'chats') || isCommand(container, 'isLoud')) {
    return Buffer.concat(Array.from({ length: 20 }, (_, line) => frame(1, `${'x'.repeat(200_000)} ${line + 11}\n`)));
  }
  if (!isCommand(container, 'works')) return Buffer.alloc(0);
  const greeting = container.tty
    ? Buffer.from('hello out\r\nhello err\r\n')
    : Buffer.concat([frame(1, 'hello out\n'), frame(2, 'hello err\n')]);
  return Buffer.concat(Array.from({ length: container.starts }, () => greeting));
}

/** The path without links on the way, as engines resolve it. */
function resolved(path: string): string {
  return path.replace(/^\/linked(?=\/)/, '/app');
}

const MODES = { folder: 0x8000_01ed, link: 0x0800_01ff, pipe: 0x0200_01a4 } as const;

function archive(container: FakeContainer, path: string, method: string): Answer {
  const place = resolved(path);
  const found: ImageFile | undefined =
    place === '/' || place === '/bin' ? { kind: 'folder' } : container.files.get(place);
  if (found === undefined) return refused(404, `Could not find the file ${path} in container ${container.name}`);
  const stat = {
    name: path.slice(path.lastIndexOf('/') + 1),
    size: found.kind === 'file' ? Buffer.byteLength(found.text) : 0,
    mode: found.kind === 'file' ? found.mode : MODES[found.kind],
    linkTarget: found.kind === 'link' ? found.target : '',
  };
  const headers = { 'x-docker-container-path-stat': Buffer.from(JSON.stringify(stat)).toString('base64') };
  if (method === 'HEAD' || found.kind !== 'file') return { status: 200, headers };
  const { mode, uid, gid, text } = found;
  return { status: 200, headers, body: packFile({ name: stat.name, mode, uid, gid, bytes: Buffer.from(text) }, 0) };
}

function put(container: FakeContainer, folder: string, bytes: Buffer): Answer {
  if (container.files.get(resolved(`${folder}/x`).slice(0, -2))?.kind !== 'folder') {
    return refused(404, `Could not find the file ${folder}`);
  }
  const file = unpackFile(bytes);
  if (file === undefined) return refused(400, 'no file');
  const { name, mode, uid, gid } = file;
  const text = Buffer.from(file.bytes).toString('utf8');
  container.files.set(resolved(`${folder}/${name}`), { kind: 'file', mode, uid, gid, text });
  return { status: 200 };
}

/** The programs that the fake has; answers the exit code. */
function execute({ files }: FakeContainer, argv: readonly string[]): number {
  if (argv.join('\n') === EXEC_SAMPLE.join('\n')) return 3;
  const [program = '', , from = '', to = ''] = argv;
  const moved = files.get(from);
  switch (program) {
    case '/bin/mv':
      if (moved === undefined) return 1;
      files.delete(from);
      files.set(to, moved);
      return 0;
    case '/bin/rm':
      files.delete(from);
      return 0;
    default:
      return 127;
  }
}

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { createCompose } from '../../src/drivers/containers/compose.ts';
import { createContainerEngine } from '../../src/drivers/containers/engine.ts';
import { exchangeOverSocket } from '../../src/drivers/containers/socket-exchange.ts';
import { type EngineHarness, IMAGE_FILES, SAMPLES, type SampleName, TEST_IMAGE } from './engine-samples.ts';

export type RealEngine = EngineHarness & {
  /** As a crash ends it, and as a service manager starts it again. */
  readonly kill: () => Promise<void>;
  readonly revive: () => Promise<void>;
  /** Has the health checks of a container made that was not made by `create`. */
  readonly keepChecked: (name: string) => void;
};

const PODMAN = '/usr/bin/podman';
const DOCKER = '/usr/sbin/dockerd';
const BUSYBOX = '/bin/busybox';
const APPLETS = 'cat chmod cp echo grep head httpd killall mkdir mv rm sed seq sh sleep tr true wc'.split(' ');
const COMPOSE = '/usr/bin/docker-compose';

/** The engines that a machine may have, and whether it has what the suites need of them. */
export const REAL_ENGINES = [
  {
    name: 'Docker (packages docker.io, docker-compose, busybox-static)',
    start: startDocker,
    missing: ![DOCKER, COMPOSE, BUSYBOX].every((program) => existsSync(program)),
  },
  {
    name: 'podman (packages podman, docker-compose, busybox-static)',
    start: startPodman,
    missing: ![PODMAN, COMPOSE, BUSYBOX].every((program) => existsSync(program)),
  },
] as const;

/** podman's service without control groups, since a sandbox has no eBPF with which they would guard devices. */
export async function startPodman(): Promise<RealEngine> {
  const folder = mkdtempSync('/tmp/revertd-podman-');
  const socket = join(folder, 'podman.sock');
  const env = {
    CONTAINERS_CONF: join(folder, 'containers.conf'),
    CONTAINERS_STORAGE_CONF: join(folder, 'storage.conf'),
  };
  const limits = 'default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]';
  writeFileSync(
    env.CONTAINERS_CONF,
    `[containers]\n${limits}\ncgroups = "disabled"\n[engine]\nevents_logger = "file"\n`,
  );
  const storage = `driver = "vfs"\ngraphroot = "${folder}/graph"\nrunroot = "${folder}/run"`;
  writeFileSync(env.CONTAINERS_STORAGE_CONF, `[storage]\n${storage}\n`);
  const service = () => launch([PODMAN, 'system', 'service', '--time', '0', `unix://${socket}`], env);
  const checking = keepChecking(env);
  return await harness({
    folder,
    socket,
    service,
    canPause: false,
    importPath: `/v4.0.0/libpod/images/import?reference=${encodeURIComponent(TEST_IMAGE)}`,
    stop: checking.stop,
    checked: checking.add,
  });
}

/** Docker's daemon with everything of its own, and no network. */
export async function startDocker(): Promise<RealEngine> {
  const folder = mkdtempSync('/tmp/revertd-docker-');
  const socket = join(folder, 'docker.sock');
  const own = [`--data-root=${folder}/data`, `--exec-root=${folder}/run`, `--pidfile=${folder}/pid`];
  const [repo = '', tag = ''] = TEST_IMAGE.split(':');
  const network = ['--bridge=none', '--iptables=false', '--ip6tables=false', '--ip-forward=false'];
  const service = () => launch([DOCKER, `--host=unix://${socket}`, '--storage-driver=vfs', ...own, ...network], {});
  return await harness({
    folder,
    socket,
    service,
    canPause: true,
    importPath: `/v1.41/images/create?fromSrc=-&repo=${encodeURIComponent(repo)}&tag=${tag}`,
    stop: () => undefined,
    checked: () => undefined,
  });
}

function launch(argv: readonly string[], env: Readonly<Record<string, string>>): ChildProcess {
  const [program = '', ...rest] = argv;
  return spawn(program, rest, { env: { PATH: process.env['PATH'], ...env }, stdio: 'ignore' });
}

/** podman has its health checks made by timers of systemd, through a bus that a sandbox does not have. */
function keepChecking(env: Readonly<Record<string, string>>) {
  const names: string[] = [];
  const abort = new AbortController();
  const loop = async () => {
    while (!abort.signal.aborted) {
      for (const name of names) await once(launch([PODMAN, 'healthcheck', 'run', name], env), 'exit');
      await pause(200, undefined, { signal: abort.signal }).catch(() => undefined);
    }
  };
  const ended = loop();
  return {
    add: (name: string) => {
      names.push(name);
    },
    stop: async () => {
      abort.abort();
      await ended;
    },
  };
}

type Means = {
  readonly folder: string;
  readonly socket: string;
  /** Starts it. */
  readonly service: () => ChildProcess;
  readonly canPause: boolean;
  /** Takes the archive of a file system for an image. */
  readonly importPath: string;
  readonly checked: (name: string) => void;
  readonly stop: () => Promise<void> | undefined;
};

async function harness({ folder, socket, service, canPause, importPath, checked, stop }: Means): Promise<RealEngine> {
  const engine = createContainerEngine([socket]);
  let running = service();
  await ready(socket, running);
  await call(socket, 'POST', importPath, { type: 'application/x-tar', bytes: imageArchive(folder) });
  const mounted = join(folder, 'mounted');
  mkdirSync(mounted);
  let count = 0;
  const kill = async () => {
    const ended = once(running, 'exit');
    running.kill('SIGKILL');
    await ended;
  };
  const revive = async () => {
    running = service();
    await ready(socket, running);
  };
  return {
    engine,
    compose: createCompose([COMPOSE]),
    socket,
    folder: mounted,
    canPause,
    steadyMs: 1000,
    patienceMs: 5000,
    kill,
    revive,
    keepChecked: checked,
    create: async (sample) => {
      count += 1;
      const name = `${sample}-${count}`;
      await call(socket, 'POST', `/v1.41/containers/create?name=${name}`, json(containerOf(sample, mounted)));
      if ('health' in SAMPLES[sample]) checked(name);
      return name;
    },
    async [Symbol.asyncDispose]() {
      await stop();
      for (const { id } of await engine.list(AbortSignal.timeout(10_000))) {
        await call(socket, 'DELETE', `/v1.41/containers/${id}?force=1&v=1`);
      }
      const ended = once(running, 'exit');
      running.kill('SIGTERM');
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function ready(socket: string, service: ChildProcess): Promise<void> {
  const deadline = Date.now() + 30_000;
  for (;;) {
    if (service.exitCode !== null) throw new Error(`the engine ended with ${service.exitCode}`);
    const answer = await exchangeOverSocket(socket, { method: 'GET', path: '/_ping' }, AbortSignal.timeout(5000)).catch(
      () => undefined,
    );
    if (answer?.status === 200) return;
    if (Date.now() > deadline) throw new Error(`the engine at ${socket} did not come up`);
    await pause(50);
  }
}

async function call(
  socket: string,
  method: string,
  path: string,
  body?: { readonly type: string; readonly bytes: Uint8Array },
): Promise<void> {
  const sent = { method, path, ...(body === undefined ? {} : { body }) };
  const answer = await exchangeOverSocket(socket, sent, AbortSignal.timeout(30_000));
  if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.body.toString('utf8')}`);
}

function json(value: unknown): { readonly type: string; readonly bytes: Uint8Array } {
  return { type: 'application/json', bytes: Buffer.from(JSON.stringify(value)) };
}

function containerOf(sample: SampleName, mounted: string): object {
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
  const second = 1_000_000_000;
  return {
    Image: TEST_IMAGE,
    Cmd: command,
    Tty: tty === true,
    ...(health === undefined
      ? {}
      : { Healthcheck: { Test: health, Interval: second, Timeout: 5 * second, Retries: 1, StartPeriod: 0 } }),
    HostConfig: { NetworkMode: 'none', Binds: mounts === true ? [`${mounted}:/mnt`] : [] },
  };
}

/** A file system with busybox and the files of the suites; there is no registry to take one from. */
function imageArchive(folder: string): Buffer {
  const root = join(folder, 'image');
  mkdirSync(join(root, 'bin'), { recursive: true });
  copyFileSync(BUSYBOX, join(root, 'bin/busybox'));
  for (const applet of APPLETS) symlinkSync('busybox', join(root, 'bin', applet));
  for (const [path, file] of Object.entries(IMAGE_FILES)) {
    const place = join(root, path);
    switch (file.kind) {
      case 'folder':
        mkdirSync(place);
        break;
      case 'pipe':
        execFileSync('mkfifo', [place]);
        break;
      case 'link':
        symlinkSync(file.target, place);
        break;
      case 'file':
        writeFileSync(place, file.text);
        chownSync(place, file.uid, file.gid);
        chmodSync(place, file.mode);
        break;
    }
  }
  return execFileSync('tar', ['--numeric-owner', '-C', root, '-c', '.'], { maxBuffer: 64 * 1024 * 1024 });
}

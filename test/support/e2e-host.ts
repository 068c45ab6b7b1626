import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { type Client, connect } from '../../src/cli/client.ts';
import type { Status } from '../../src/server/status.ts';
import { Store } from '../../src/store/store.ts';
import { type Change, makeRepository, type Repository } from '../tools/git-repository.ts';

const ROOT = join(import.meta.dirname, '../..');
const NODE_FLAGS = ['--disable-warning=ExperimentalWarning'];

export type AppState = { readonly fast: boolean; readonly reloads: number; readonly switches: number };

/**
 * A whole host for end-to-end tests: the real daemon as a process, a real git repository, a real service. Everything
 * is awaited by looking at what the daemon says of itself; the deadline only ends a test that would never end.
 */
export class E2eHost {
  readonly folder = mkdtempSync(join(tmpdir(), 'revertd-e2e-'));
  readonly repository = join(this.folder, 'policies');
  readonly envFile = join(this.folder, 'app.env');
  readonly data = join(this.folder, 'data');
  readonly config = join(this.folder, 'revertd.yaml');
  git: Repository | undefined;
  daemon: ChildProcess | null = null;
  appUrl = '';
  port = 0;
  #app: ChildProcess | null = null;

  async startApp(flag = 'true'): Promise<void> {
    writeFileSync(this.envFile, `# flags of the app\nFAST_PATH=${flag}\nOTHER=kept # not a comment\n`);
    const args = [...NODE_FLAGS, join(ROOT, 'test/support/app.ts'), this.envFile, this.pidFile];
    this.#app = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    if (this.#app.stdout === null) throw new Error('the app has no output');
    const [port] = (await once(createInterface(this.#app.stdout), 'line')) as [string];
    this.appUrl = `http://127.0.0.1:${port}`;
  }

  get pidFile(): string {
    return join(this.folder, 'app.pid');
  }

  /** Commits files in which `${…}` is filled in by revertd; the result is the commit's SHA. */
  commit(files: Readonly<Record<string, Change>>, message = 'change'): string {
    this.git ??= makeRepository(this.repository);
    return this.git.commit(files, message);
  }

  /** `server` is more of that section, such as `, tokens: []`. */
  writeConfig(extra = '', server = ''): void {
    writeFileSync(
      this.config,
      [
        `source: { url: ${JSON.stringify(this.repository)}, branch: main, interval: 1s }`,
        `dataDir: ${JSON.stringify(this.data)}`,
        `server: { listen: "127.0.0.1:0"${server} }`,
        'host:',
        '  name: e2e',
        '  variables:',
        `    envFile: ${JSON.stringify(this.envFile)}`,
        `    pidFile: ${JSON.stringify(this.pidFile)}`,
        `    app: ${JSON.stringify(this.appUrl)}`,
        `    folder: ${JSON.stringify(this.folder)}`,
        extra,
      ].join('\n'),
    );
  }

  /** Starts the daemon; resolves when it answers, or when it is gone. */
  async startDaemon(
    environment: Readonly<Record<string, string>> = {},
    options: readonly string[] = [],
  ): Promise<void> {
    const args = [...NODE_FLAGS, join(ROOT, 'src/main.ts'), 'run', '--config', this.config, ...options];
    this.daemon = spawn(process.execPath, args, {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, ...environment },
    });
    const lines = createInterface({ input: this.daemon.stderr ?? process.stdin });
    this.daemonLog = [];
    lines.on('line', (line) => {
      this.daemonLog.push(line);
      const { port } = /"port":(?<port>\d+)/.exec(line)?.groups ?? {};
      if (port !== undefined) this.port = Number(port);
    });
    const daemon = this.daemon;
    await this.until('the daemon answers', async () =>
      daemon.exitCode !== null || daemon.signalCode !== null || (await connect(this.socket)) !== undefined
        ? true
        : undefined,
    );
  }

  daemonLog: string[] = [];

  get socket(): string {
    return join(this.data, 'control.sock');
  }

  async client(): Promise<Client> {
    const client = await connect(this.socket);
    if (client === undefined)
      throw new Error(`no daemon answers; its log ends\n${this.daemonLog.slice(-10).join('\n')}`);
    return client;
  }

  async status(): Promise<Status> {
    return await (await this.client()).get<Status>('status');
  }

  async untilStatus(what: string, isSo: (status: Status) => boolean): Promise<Status> {
    return await this.until(what, async () => {
      const status = await this.status();
      return isSo(status) ? status : undefined;
    });
  }

  /** Looks again and again until there is an answer; faults of a daemon that is just starting or dying do not count. */
  async until<T>(what: string, look: () => Promise<T | undefined>, withinMs = 40_000): Promise<T> {
    const deadline = Date.now() + withinMs;
    for (;;) {
      const found = await look();
      if (found !== undefined) return found;
      if (Date.now() > deadline) {
        throw new Error(
          `${what}: not within ${withinMs / 1000} s; the daemon said\n${this.daemonLog.slice(-25).join('\n')}`,
        );
      }
      await pause(20);
    }
  }

  /** Resolves with the signal or exit code that ended the daemon. */
  async daemonEnd(): Promise<string> {
    const { daemon } = this;
    if (daemon === null) throw new Error('no daemon was started');
    if (daemon.exitCode === null && daemon.signalCode === null) await once(daemon, 'exit');
    return daemon.signalCode ?? String(daemon.exitCode);
  }

  async stopDaemon(signal: NodeJS.Signals = 'SIGTERM'): Promise<string> {
    this.daemon?.kill(signal);
    return await this.daemonEnd();
  }

  /** Runs the command line to its end. */
  async runCommand(...args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
    return await this.runAs({}, ...args);
  }

  /** The same as another user, which needs root, or with another environment. */
  async runAs(
    who: { readonly uid?: number; readonly gid?: number; readonly env?: NodeJS.ProcessEnv },
    ...args: string[]
  ): Promise<{ code: number | null; stdout: string; stderr: string }> {
    const child = spawn(process.execPath, [...NODE_FLAGS, join(ROOT, 'src/main.ts'), ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      ...who,
    });
    const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
    return { code: typeof code === 'number' ? code : null, stdout, stderr };
  }

  async runShell(program: string, ...args: string[]): Promise<string> {
    return (await promisify(execFile)(program, args)).stdout;
  }

  async appState(): Promise<AppState> {
    return (await (await fetch(`${this.appUrl}/state`)).json()) as AppState;
  }

  async tellApp(what: 'degrade' | 'mend'): Promise<void> {
    await fetch(`${this.appUrl}/${what}`, { method: 'POST' });
  }

  env(): string {
    return readFileSync(this.envFile, 'utf8');
  }

  /** The daemon's log, once it is not running. */
  readStore<T>(use: (store: Store) => T): T {
    const store = new Store(this.data, { readOnly: true });
    try {
      return use(store);
    } finally {
      store.close();
    }
  }

  async close(): Promise<void> {
    for (const child of [this.daemon, this.#app]) {
      if (child === null || child.exitCode !== null || child.signalCode !== null) continue;
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export const FLAG = (change = ''): string => `apiVersion: revertd.dev/v1
kind: Flag
metadata: { name: fast-path }
spec:
  state: ENABLED
  variants: { "on": true, "off": false${change} }
  defaultVariant: "on"
  safeVariant: "off"
  deliver:
    - envFile: { path: "\${host.envFile}", key: FAST_PATH }
      then: [ { service: { pidFile: "\${host.pidFile}", do: { signal: SIGHUP } } } ]
`;

export const SOURCE = `apiVersion: revertd.dev/v1
kind: MetricSource
metadata: { name: app }
spec:
  interval: 100ms
  scrape: { targets: ["\${host.app}/metrics"], timeout: 90ms }
`;

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, createWriteStream, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const HERE = import.meta.dirname;
const MAIN = join(HERE, '../../src/main.ts');
const NODE = [process.execPath, '--disable-warning=ExperimentalWarning'] as const;

/** Everything that the demonstration puts up, in a folder of its own, and takes down again. */
export class Stage {
  readonly folder = mkdtempSync(join(tmpdir(), 'revertd-demo-'));
  readonly policies = join(this.folder, 'policies.git');
  readonly envFile = join(this.folder, 'shop.env');
  readonly data = join(this.folder, 'data');
  readonly config = join(this.folder, 'revertd.yaml');
  readonly #children: ChildProcess[] = [];
  #port = 0;

  get shopUrl(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  get socket(): string {
    return join(this.data, 'control.sock');
  }

  /** A policy repository with one commit. */
  commitPolicies(): void {
    cpSync(join(HERE, 'policies'), this.policies, { recursive: true });
    this.#git('init', '-q', '-b', 'main');
    this.#commit('Guard the latency of the shop');
  }

  /** The fix, as a team would ship it: the flag now names another path. */
  commitFix(): string {
    const file = join(this.policies, 'flags.yaml');
    writeFileSync(file, readFileSync(file, 'utf8').replace('defaultVariant: v2', 'defaultVariant: v3'));
    return this.#commit('Price baskets with v3, which bounds its cache');
  }

  async startShop(): Promise<void> {
    writeFileSync(this.envFile, '# Read by the shop at start and at SIGHUP.\nPRICING_PATH=v2\nCURRENCY=EUR\n');
    const shop = this.#spawn('shop', [join(HERE, 'shop.ts'), this.envFile, join(this.folder, 'shop.pid')], 'pipe');
    if (shop.stdout === null) throw new Error('the shop has no output');
    const [port] = (await once(createInterface(shop.stdout), 'line')) as [string];
    this.#port = Number(port);
  }

  startDaemon(): ChildProcess {
    writeFileSync(
      this.config,
      [
        `source: { url: ${JSON.stringify(this.policies)}, branch: main, interval: 1s }`,
        `dataDir: ${JSON.stringify(this.data)}`,
        'server: { listen: "off" }',
        'host:',
        '  name: demo',
        '  variables:',
        `    shopEnvFile: ${JSON.stringify(this.envFile)}`,
        `    shopPidFile: ${JSON.stringify(join(this.folder, 'shop.pid'))}`,
        `    shopPort: "${this.#port}"`,
        '',
      ].join('\n'),
    );
    return this.#spawn('revertd', [MAIN, 'run', '--config', this.config], 'ignore');
  }

  async close(): Promise<void> {
    await Promise.all(this.#children.map(ended));
    rmSync(this.folder, { recursive: true, force: true });
  }

  #spawn(name: string, args: readonly string[], stdout: 'pipe' | 'ignore'): ChildProcess {
    const [node, ...flags] = NODE;
    const child = spawn(node, [...flags, ...args], { stdio: ['ignore', stdout, 'pipe'] });
    child.stderr?.pipe(createWriteStream(join(this.folder, `${name}.log`)));
    this.#children.push(child);
    return child;
  }

  #commit(message: string): string {
    this.#git('add', '-A');
    this.#git('-c', 'user.name=Demo', '-c', 'user.email=demo@example.com', 'commit', '-q', '-m', message);
    return this.#git('rev-parse', '--short', 'HEAD').trim();
  }

  #git(...args: string[]): string {
    return execFileSync('git', ['-C', this.policies, ...args], { encoding: 'utf8' });
  }
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  const patience = setTimeout(() => child.kill('SIGKILL'), 5_000);
  await gone;
  clearTimeout(patience);
}

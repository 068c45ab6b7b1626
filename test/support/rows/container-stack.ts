import { copyFileSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { makeRepository, type Repository } from '../../tools/git-repository.ts';
import { TEST_IMAGE } from '../engine-samples.ts';
import { done, type Ended, until } from '../installed-host.ts';
import type { RealEngine } from '../real-engines.ts';
import type { Inbox, Letter } from './inbox.ts';
import { PACKS } from './mutate-pack.ts';
import { command, commandAs, type PackRun, startPackDaemon, stopPackDaemon } from './pack-daemon.ts';

export const CONTAINER_STACKS = '/srv/container-stacks';
export const NEIGHBOURS_PORT = 23_000;
const TOOLS = join(import.meta.dirname, 'container-tools');
const PATIENCE_MS = 60_000;

const MONITORING = ['prometheus', 'grafana', 'elasticsearch', 'logstash', 'kibana', 'alertmanager'] as const;
export type Service = 'mem0' | 'mcp' | 'postgres' | 'neo4j' | (typeof MONITORING)[number];

/** What a revision of the stack's repository says. */
export type Release = {
  /** `poor` hardly hits; `broken` fails too, also when it is off. */
  readonly cache?: 'good' | 'poor' | 'broken';
  /** The service uses 10 connections. */
  readonly poolMax?: number;
  readonly refuses?: number;
  readonly prometheus?: string;
  readonly alertsAbove?: number;
};

export type ContainerStackOptions = {
  readonly name: string;
  readonly index: number;
  readonly engine: RealEngine;
  readonly inbox: Inbox;
  /** A connection string of a database with memories. */
  readonly database: string;
  readonly services: readonly Service[];
  /** Who may approve. */
  readonly roles?: Readonly<Record<string, object>>;
};

/** A mem0-stack of containers that docker-compose starts from a git checkout, and the daemons that guard it. */
export class ContainerStack implements AsyncDisposable {
  readonly name: string;
  readonly folder: string;
  readonly checkout: string;
  readonly repository: Repository;
  readonly #options: ContainerStackOptions;
  readonly #port: number;
  readonly #daemons: string[] = [];

  constructor(options: ContainerStackOptions) {
    this.#options = options;
    this.name = options.name;
    this.folder = join(CONTAINER_STACKS, options.name);
    // Compose calls the project after it.
    this.checkout = join(this.folder, options.name);
    this.repository = makeRepository(this.checkout);
    this.#port = NEIGHBOURS_PORT + 10 + options.index * 10;
  }

  container(service: Service): string {
    return `${service}-${this.name}`;
  }

  #portOf(service: 'mem0' | 'mcp' | 'prometheus'): number {
    return this.#port + ['mem0', 'mcp', 'prometheus'].indexOf(service);
  }

  get prometheusUrl(): string {
    return `http://127.0.0.1:${this.#portOf('prometheus')}`;
  }

  get clientSettings(): string {
    return join(this.folder, 'client/mcp_settings.json');
  }

  /** The algorithms that the service runs by, as the host sees them. */
  get algorithms(): string {
    return join(this.folder, 'memory');
  }

  /** What stands for Neo4j's files. */
  get graphFolder(): string {
    return join(this.folder, 'neo4j');
  }

  /** The first release, in which all is well unless it says otherwise. */
  async start(release: Release = {}): Promise<void> {
    for (const name of ['client', 'faults', 'memory', 'neo4j', 'tools'])
      mkdirSync(join(this.folder, name), { recursive: true });
    for (const tool of readdirSync(TOOLS)) copyFileSync(join(TOOLS, tool), join(this.folder, 'tools', tool));
    const docker = join(this.folder, 'tools/docker');
    writeFileSync(docker, `#!/bin/sh\nexec docker --host unix://${this.#options.engine.socket} "$@"\n`, {
      mode: 0o755,
    });
    writeFileSync(join(this.folder, 'graph'), '3');
    writeFileSync(join(this.graphFolder, 'store'), 'the first graph\n');
    for (const name of ['memory.py', 'search.py']) writeFileSync(join(this.algorithms, name), 'FAULTS = 0\n');
    writeFileSync(this.clientSettings, '{ "mode": "asks" }\n');
    writeFileSync(`${this.clientSettings}.backup`, '{ "mode": "asks" }\n');
    this.repository.commit(this.#filesOf(1, release), 'the first release');
    const checked = this.#options.services.filter((service) => service === 'postgres' || service === 'neo4j');
    for (const service of checked) this.#options.engine.keepChecked(this.container(service));
    await this.compose('up --detach');
    await this.untilState('mem0', { RELEASE: '1' });
    await this.untilState('mcp', { RELEASE: '1' });
  }

  /**
   * A later release, put in place by people, who commit what runs: containers are made anew where compose sees a reason. By
   * the time of the commit it was looked at, so that what is wrong with it is known before it can prove good.
   */
  async deploy(number: number, release: Release, restarted: readonly Service[] = []): Promise<string> {
    for (const [path, content] of Object.entries(this.#filesOf(number, release))) {
      writeFileSync(join(this.checkout, path), content);
    }
    await this.compose('up --detach');
    for (const service of restarted) await this.docker(`restart ${this.container(service)}`);
    await this.untilScraped(6);
    return this.repository.commit({}, `release ${number}`);
  }

  #filesOf(number: number, release: Release): Readonly<Record<string, string>> {
    const { cache = 'good', refuses = 0, prometheus = 'rule_files: [alert_rules.yml]\n', alertsAbove = 1 } = release;
    const rules = [{ alert: 'TooMuch', expr: `up > ${alertsAbove}` }];
    return {
      'docker-compose.yml': stringify({ version: '3.4', services: this.#services(release) }),
      '.env': `RELEASE=${number}\nCACHE_MODE=${cache}\n`,
      'openmemory/api/app/mcp_server.py': `REFUSES = ${refuses}\n`,
      'openmemory/VERSION': `${number}\n`,
      'monitoring/prometheus.yml': prometheus,
      'monitoring/alert_rules.yml': stringify({ groups: [{ name: 'mem0', rules }] }),
    };
  }

  #services({ poolMax = 100 }: Release): Readonly<Record<string, unknown>> {
    const plain = { image: TEST_IMAGE, network_mode: 'host', stop_grace_period: '2s' };
    const volumes = [
      `${this.checkout}:/stack:ro`,
      ...['tools', 'faults', 'client', 'memory'].map((name) => `${this.folder}/${name}:/${name}:ro`),
    ];
    const environment = { RELEASE: '${RELEASE}', CACHE_MODE: '${CACHE_MODE}', POOL_MAX: String(poolMax) };
    const serving = (role: 'mem0' | 'mcp') => ({
      volumes,
      environment: { ...environment, CONTAINER: this.container(role) },
      command: ['sh', '/tools/service.sh', role, String(this.#portOf(role))],
    });
    const idle = { command: ['sh', '-c', 'trap "exit 0" TERM; while :; do sleep 1000 & wait $$!; done'] };
    const checked = { ...idle, healthcheck: { test: ['CMD', 'true'], interval: '1s', timeout: '5s', retries: 1 } };
    const data = '--storage.tsdb.path=/tmp/prometheus';
    const listen = `--web.listen-address=127.0.0.1:${this.#portOf('prometheus')}`;
    const own: Readonly<Record<Service, object>> = {
      mem0: serving('mem0'),
      mcp: serving('mcp'),
      postgres: checked,
      neo4j: checked,
      // The host's own program, with the libraries that it needs.
      prometheus: {
        volumes: [...volumes, '/usr:/usr:ro', '/lib:/lib:ro', '/lib64:/lib64:ro'],
        command: ['/usr/bin/prometheus', '--config.file=/stack/monitoring/prometheus.yml', data, listen],
      },
      grafana: idle,
      elasticsearch: idle,
      logstash: idle,
      kibana: idle,
      alertmanager: idle,
    };
    return Object.fromEntries(
      this.#options.services.map((service) => [
        service,
        { ...plain, container_name: this.container(service), ...own[service] },
      ]),
    );
  }

  /** Guards the stack with the pack as it lies in the repository, unless another folder is named. */
  async guard(mutant?: string): Promise<void> {
    const run = this.#run(mutant);
    this.#daemons.push(run.name);
    await startPackDaemon(run);
  }

  #run(mutant?: string): PackRun {
    const { inbox, database, engine, roles } = this.#options;
    const name = mutant === undefined ? this.name : `${this.name}-${mutant}`;
    const neighbour = (what: string) => `http://127.0.0.1:${NEIGHBOURS_PORT}/${what}/${this.name}`;
    const told = `${inbox.url}/${name}`;
    return {
      name,
      folder: join(this.folder, `revertd-${name}`),
      port: this.#port + 3 + this.#daemons.length,
      policies: mutant === undefined ? join(PACKS, 'mem0-stack') : join(CONTAINER_STACKS, `pack-${mutant}`),
      labels: { 'mem0-env-files': 'container' },
      engine: engine.socket,
      ...(roles === undefined ? {} : { roles }),
      variables: {
        docker: join(this.folder, 'tools/docker'),
        mem0Container: this.container('mem0'),
        mcpContainer: this.container('mcp'),
        postgresContainer: this.container('postgres'),
        neo4jContainer: this.container('neo4j'),
        prometheusContainer: this.container('prometheus'),
        alertmanagerContainer: this.container('alertmanager'),
        mem0Containers: this.container('mem0'),
        mem0EnvFile: '/nonexistent/mem0.env',
        mcpEnvFile: '/nonexistent/mcp.env',
        mem0Url: this.#url('mem0'),
        mcpUrl: this.#url('mcp'),
        mem0UiUrl: neighbour('ui'),
        neo4jUrl: neighbour('neo4j'),
        mem0MetricsUrl: `${this.#url('mem0')}/metrics`,
        mcpMetricsUrl: `${this.#url('mcp')}/metrics`,
        cadvisorMetricsUrl: `${this.#url('mem0')}/memory`,
        agentsStatusUrl: `${told}/agents`,
        prometheusUrl: this.#options.services.includes('prometheus') ? this.prometheusUrl : neighbour('ui'),
        mem0Checkout: this.checkout,
        neo4jDataFolder: this.graphFolder,
        mem0AlgorithmFolder: this.algorithms,
        clientSettingsFile: this.clientSettings,
        clientSettingsBackup: `${this.clientSettings}.backup`,
        ...QUICKLY,
      },
      credentials: {
        'mem0-oncall-webhook': `${told}/oncall`,
        'mem0-status-webhook': `${told}/status`,
        'mem0-dsn': database,
        'mem0-admin-dsn': database,
        'mem0-neo4j-password': 'graph password',
      },
    };
  }

  /** What a person at the host says to the daemon. */
  async command(words: readonly string[], mutant?: string): Promise<Ended> {
    return await command(this.#run(mutant), ...words);
  }

  /** What another person than root says to it. */
  async commandAs(user: string, words: readonly string[]): Promise<Ended> {
    return await commandAs(user, this.#run(), ...words);
  }

  async untilGood(): Promise<void> {
    const look = async () => (this.repository.git('for-each-ref', 'refs/revertd/good') === '' ? undefined : true);
    await this.#until(`${this.name} has a good revision`, look);
  }

  /** What never comes about is explained by what the daemon says. */
  async #until<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
    return await until(what, look, PATIENCE_MS).catch(async (error: unknown) => {
      const { stdout, stderr } = await this.command(['status']);
      throw new Error(`${what}: not in time; the daemon says\n${stdout}${stderr}`, { cause: error });
    });
  }

  /** What differs from a revision in these paths. */
  changedSince(commit: string, ...paths: readonly string[]): string {
    return this.repository.git('diff', '--name-only', commit, '--', ...paths);
  }

  #url(role: 'mem0' | 'mcp'): string {
    return `http://127.0.0.1:${this.#portOf(role)}/cgi-bin`;
  }

  async #page(role: 'mem0' | 'mcp', page: string): Promise<string> {
    const response = await fetch(`${this.#url(role)}/${page}`).catch(() => undefined);
    return response?.status === 200 ? await response.text().catch(() => '') : '';
  }

  /** What the service runs by, as it says itself. */
  async untilState(role: 'mem0' | 'mcp', expected: Readonly<Record<string, string>>): Promise<void> {
    const lines = Object.entries(expected).map(([key, value]) => `${key}=${value}`);
    const look = async () => {
      const state = (await this.#page(role, 'state')).split('\n');
      return lines.every((line) => state.includes(line)) ? true : undefined;
    };
    await this.#until(`${role} of ${this.name} runs by ${lines.join(', ')}`, look);
  }

  async metrics(role: 'mem0' | 'mcp'): Promise<string> {
    return await this.#page(role, 'metrics');
  }

  /** Resolves when all daemons together have looked so many times from now on. */
  async untilScraped(times: number): Promise<void> {
    const scrapes = async () => Number(await this.#page('mcp', 'scrapes'));
    const from = await scrapes();
    const look = async () => ((await scrapes()) - from >= times ? true : undefined);
    await until(`${this.name} was scraped ${times} times`, look, PATIENCE_MS);
  }

  async told(topic: string, receiver = 'oncall', mutant?: string): Promise<Letter> {
    const look = async () => this.letters(receiver, mutant).find((letter) => letter.topic === topic);
    return await this.#until(`${receiver} of ${this.name} hears of ${topic}`, look);
  }

  letters(receiver = 'oncall', mutant?: string): readonly Letter[] {
    const name = mutant === undefined ? this.name : `${this.name}-${mutant}`;
    return this.#options.inbox.letters(`/${name}/${receiver}`);
  }

  /** The rungs that were told of, in their order. */
  get rungs(): readonly string[] {
    const told = this.letters().filter(({ topic }) => topic === 'rung');
    return told.map(({ words }) => /rung \\?"(?<name>[\w-]+)/.exec(words)?.groups?.['name'] ?? words);
  }

  async docker(words: string): Promise<string> {
    return await done(`docker --host unix://${this.#options.engine.socket} ${words}`);
  }

  /** Another with each start of the container. */
  async life(service: Service): Promise<string> {
    return await this.docker(`inspect --format '{{.Id}} {{.State.StartedAt}}' ${this.container(service)}`);
  }

  async env(role: 'mem0' | 'mcp'): Promise<Readonly<Record<string, string>>> {
    const path = role === 'mem0' ? '/app/.env' : '/usr/src/openmemory/.env';
    const text = await this.docker(`exec ${this.container(role)} cat ${path}`);
    const entries = text.split('\n').flatMap((line) => (line.includes('=') ? [line.split('=', 2)] : []));
    return Object.fromEntries(entries);
  }

  async compose(words: string): Promise<void> {
    const { socket } = this.#options.engine;
    await done(`cd ${this.checkout} && DOCKER_HOST=unix://${socket} docker-compose ${words}`);
  }

  fault(name: 'autonomy'): void {
    writeFileSync(join(this.folder, 'faults', name), '');
  }

  async stopGuards(): Promise<void> {
    await Promise.all(this.#daemons.map(stopPackDaemon));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stopGuards();
    await this.compose('down');
    rmSync(this.folder, { recursive: true });
  }
}

/** The pack's own spans are minutes; as the host may say, all of it goes faster here. */
const QUICKLY = {
  mem0Interval: '500ms',
  mem0Timeout: '400ms',
  cadvisorInterval: '1s',
  cadvisorTimeout: '900ms',
  mem0OperationInterval: '2s',
  mem0OperationTimeout: '2s',
  mem0CountInterval: '2s',
  mem0Window: '5s',
  mem0CacheWindow: '5s',
  // Longer than people take to put a release in place.
  mem0For: '8s',
  mem0LongFor: '2s',
  mem0BaselineOver: '1m',
  mem0MonitoringInterval: '500ms',
  mem0MonitoringFor: '3s',
  mem0Settle: '2s',
  mem0Steady: '2s',
  mem0Within: '10s',
  mem0FullSettle: '2s',
  mem0FullSteady: '2s',
  mem0FullWithin: '40s',
  mem0Bake: '2s',
  mem0AlgorithmBy: '1s',
} as const;

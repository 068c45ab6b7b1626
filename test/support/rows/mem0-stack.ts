import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeRepository } from '../../tools/git-repository.ts';
import { done, property, until } from '../installed-host.ts';
import type { Inbox, Letter } from './inbox.ts';
import { startLoad } from './load.ts';
import type { Mem0Faults } from './mem0-service.ts';
import { dropGroup, limitMemory, prepareGroups } from './memory-group.ts';
import { PACKS } from './mutate-pack.ts';
import { startPackDaemon, stopPackDaemon } from './pack-daemon.ts';

export const STACKS = '/srv/mem0-stacks';
const NEIGHBOURS = 'mem0-neighbours.service';
const NEIGHBOURS_PORT = 20_000;
/** A busy machine takes its time. */
const PATIENCE_MS = 120_000;
const MEMORY_BYTES = 192 * 1024 * 1024;
const SCRIPTS = import.meta.dirname;
const ROLES = ['mem0', 'mcp', 'ui'] as const;

type Role = (typeof ROLES)[number];
type ServiceState = { readonly caching: boolean; readonly workers: number; readonly scrapes: number };

/** Everything that the stacks share. Each service is a unit of a template, one instance for each stack. */
export async function installStacks(): Promise<void> {
  mkdirSync(STACKS, { recursive: true });
  await prepareGroups();
  for (const role of ROLES) {
    // A unit that version 1's memory controller is to limit goes into its group itself.
    const enter = '[ -z "$$JOIN_GROUP" ] || echo $$$$ > "$$JOIN_GROUP/cgroup.procs"';
    const start = `/bin/sh -c '${enter}; exec ${process.execPath} ${SCRIPTS}/mem0-service.ts ${role}'`;
    const files = [`${STACKS}/%i/${role}.conf`, `-${STACKS}/%i/${role}.env`].map((file) => `EnvironmentFile=${file}`);
    writeFileSync(`/run/systemd/system/${role}@.service`, `[Service]\n${files.join('\n')}\nExecStart=${start}\n`);
  }
  const argv = `${process.execPath} ${SCRIPTS}/neighbours.ts ${STACKS} ${NEIGHBOURS_PORT}`;
  await done(`systemctl daemon-reload && systemd-run --quiet --collect --unit=${NEIGHBOURS} -- ${argv}`);
}

export async function removeStacks(): Promise<void> {
  await done(`systemctl stop ${NEIGHBOURS}`);
}

export type StackOptions = {
  readonly name: string;
  readonly index: number;
  /** A connection string of a database of its own. */
  readonly database: string;
  readonly inbox: Inbox;
  /** Absent: the pack as it lies in the repository. */
  readonly policies?: string | undefined;
  /** A user interface that is a unit of its own; otherwise one that all stacks share. */
  readonly hasInterface: boolean;
  /** Without operations latency is not known, and no slow machine can be taken for a slow service. */
  readonly isUsed: boolean;
};

/** A mem0-stack of real services, its load, and the daemon that guards it with the pack. */
export class Mem0Stack implements AsyncDisposable {
  readonly name: string;
  readonly folder: string;
  readonly database: string;
  readonly #port: number;
  readonly #options: StackOptions;
  readonly #groups: Record<string, string> = {};
  #load: Disposable | undefined;

  constructor(options: StackOptions) {
    this.#options = options;
    this.name = options.name;
    this.folder = join(STACKS, options.name);
    this.database = options.database;
    this.#port = NEIGHBOURS_PORT + 10 + options.index * 10;
  }

  get #roles(): readonly Role[] {
    return this.#options.hasInterface ? ROLES : ['mem0', 'mcp'];
  }

  unit(role: Role): string {
    return `${role}@${this.name}.service`;
  }

  url(role: Role): string {
    return `http://127.0.0.1:${this.#port + ROLES.indexOf(role)}`;
  }

  env(role: 'mem0' | 'mcp'): Readonly<Record<string, string>> {
    const text = readFileSync(join(this.folder, `${role}.env`), 'utf8');
    return Object.fromEntries(text.split('\n').flatMap((line) => (line === '' ? [] : [line.split('=', 2)])));
  }

  /** Starts the services, and the requests to them. */
  async start(faults: Mem0Faults = {}): Promise<void> {
    mkdirSync(this.folder, { recursive: true });
    this.break(faults);
    this.graph(3);
    makeRepository(join(this.folder, 'checkout')).commit({ '.env': 'RELEASE=1\n' }, 'the first release');
    const flags = 'ENABLE_CACHING=true\nAUTONOMOUS_MODE=true\n';
    writeFileSync(join(this.folder, 'mem0.env'), flags);
    writeFileSync(join(this.folder, 'mcp.env'), `${flags}WORKERS=8\n`);
    for (const role of this.#roles) await this.#configure(role);
    writeFileSync(join(this.folder, 'groups.json'), JSON.stringify(this.#groups));
    await this.psql("CREATE TABLE memories (content text); INSERT INTO memories VALUES ('the first')");
    await done(`systemctl start ${this.#roles.map((role) => this.unit(role)).join(' ')}`);
    await Promise.all(this.#roles.map((role) => until(`${this.unit(role)} answers`, () => this.answers(role))));
    if (this.#options.isUsed) this.#load = startLoad(`${this.url('mem0')}/search`, 20);
  }

  async #configure(role: Role): Promise<void> {
    const { folder, joins } = await limitMemory(this.unit(role), MEMORY_BYTES);
    this.#groups[this.unit(role)] = folder;
    const lines = [
      `PORT=${this.#port + ROLES.indexOf(role)}`,
      `FAULTS=${join(this.folder, 'faults.json')}`,
      `DATABASE_URL=${this.database}`,
      `MEMORY_GROUP=${folder}`,
      `JOIN_GROUP=${joins ? folder : ''}`,
    ];
    writeFileSync(join(this.folder, `${role}.conf`), `${lines.join('\n')}\n`);
  }

  /** What stands for the engine's program: each container is a unit, under a name that containers may have. */
  #engine(): string {
    const path = join(this.folder, 'docker');
    writeFileSync(path, '#!/bin/sh\nexec /usr/bin/systemctl "$1" "${2%%-*}@${2#*-}.service"\n', { mode: 0o755 });
    return path;
  }

  /** Starts the daemon with the pack as it lies in the repository, unless the options name another folder. */
  async guard(variables: Readonly<Record<string, string>> = {}): Promise<void> {
    const { inbox, policies = join(PACKS, 'mem0-stack') } = this.#options;
    const neighbour = (what: string) => `http://127.0.0.1:${NEIGHBOURS_PORT}/${what}/${this.name}`;
    await startPackDaemon({
      name: this.name,
      folder: join(this.folder, 'revertd'),
      port: this.#port + ROLES.length,
      policies,
      labels: { 'mem0-env-files': 'host' },
      variables: {
        docker: this.#engine(),
        mem0Container: `mem0-${this.name}`,
        mcpContainer: `mcp-${this.name}`,
        mem0Containers: [this.unit('mem0'), this.unit('mcp')].join('|'),
        mem0EnvFile: join(this.folder, 'mem0.env'),
        mcpEnvFile: join(this.folder, 'mcp.env'),
        mem0Url: this.url('mem0'),
        mcpUrl: this.url('mcp'),
        mem0UiUrl: this.#options.hasInterface ? this.url('ui') : neighbour('ui'),
        neo4jUrl: neighbour('neo4j'),
        mem0MetricsUrl: `${this.url('mem0')}/metrics`,
        mcpMetricsUrl: `${this.url('mcp')}/metrics`,
        cadvisorMetricsUrl: `http://127.0.0.1:${NEIGHBOURS_PORT}/metrics`,
        agentsStatusUrl: `${inbox.url}/${this.name}/agents`,
        prometheusUrl: neighbour('ui'),
        mem0Checkout: join(this.folder, 'checkout'),
        clientSettingsFile: join(this.folder, 'mcp_settings.json'),
        clientSettingsBackup: join(this.folder, 'mcp_settings_backup.json'),
        ...QUICKLY,
        ...(this.#options.isUsed ? {} : { mem0OperationInterval: '1h' }),
        ...variables,
      },
      credentials: {
        'mem0-oncall-webhook': `${inbox.url}/${this.name}/oncall`,
        'mem0-status-webhook': `${inbox.url}/${this.name}/status`,
        'mem0-dsn': this.database,
        'mem0-admin-dsn': this.database,
        'mem0-neo4j-password': 'graph password',
      },
    });
  }

  break(faults: Mem0Faults): void {
    writeFileSync(join(this.folder, 'faults.json'), JSON.stringify(faults));
  }

  /** How many memories the graph is said to hold. */
  graph(count: number): void {
    writeFileSync(join(this.folder, 'graph'), String(count));
  }

  get group(): string {
    return this.#groups[this.unit('mem0')] ?? '';
  }

  async psql(sql: string, database = this.database): Promise<string> {
    return await done(`psql --no-psqlrc --quiet --tuples-only --no-align '${database}' --command "${sql}"`);
  }

  /** In the same server, without being connected to the stack's own database. */
  async psqlElsewhere(sql: string): Promise<string> {
    return await this.psql(sql, this.database.replace(`/${this.name}?`, '/postgres?'));
  }

  async answers(role: Role): Promise<true | undefined> {
    const response = await fetch(`${this.url(role)}/health`).catch(() => undefined);
    return response?.status === 200 ? true : undefined;
  }

  /** What the service itself says it runs by; undefined while it does not answer. */
  async state(role: 'mem0' | 'mcp'): Promise<ServiceState | undefined> {
    const response = await fetch(`${this.url(role)}/state`).catch(() => undefined);
    return response === undefined ? undefined : ((await response.json()) as ServiceState);
  }

  /** Resolves when the daemon has looked so many times from now on. */
  async untilScraped(times: number): Promise<void> {
    const scrapes = async () => (await this.state('mcp'))?.scrapes ?? 0;
    const from = await scrapes();
    const look = async () => ((await scrapes()) - from >= times ? true : undefined);
    await until(`${this.name} was scraped ${times} times`, look, PATIENCE_MS);
  }

  /** Resolves when both files say that the optimisations are off, and both services run by it. */
  async untilRolledBack(): Promise<void> {
    const look = async () => {
      const { WORKERS, ...mcp } = this.env('mcp');
      const off = [this.env('mem0'), mcp].every(({ ENABLE_CACHING }) => ENABLE_CACHING === 'false') && WORKERS === '4';
      const running = off ? [await this.state('mem0'), await this.state('mcp')] : [];
      return off && running.every((state) => state?.caching === false) && running[1]?.workers === 4 ? true : undefined;
    };
    await until(`${this.name} is rolled back`, look, PATIENCE_MS);
  }

  /** Another with each start of the unit. */
  async life(role: Role): Promise<string> {
    return await property(this.unit(role), 'InvocationID');
  }

  letters(receiver: 'oncall' | 'status' | 'agents'): readonly Letter[] {
    return this.#options.inbox.letters(`/${this.name}/${receiver}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#load?.[Symbol.dispose]();
    await stopPackDaemon(this.name);
    await done(`systemctl stop ${this.#roles.map((role) => this.unit(role)).join(' ')}`);
    for (const group of Object.values(this.#groups)) dropGroup(group);
  }
}

/** The pack's own spans are minutes; as the host may say, all of it goes faster here. */
const QUICKLY = {
  mem0Interval: '1s',
  mem0Timeout: '1s',
  cadvisorInterval: '1s',
  cadvisorTimeout: '1s',
  mem0OperationInterval: '1s',
  mem0OperationTimeout: '1s',
  mem0CountInterval: '1s',
  mem0Window: '10s',
  mem0For: '4s',
  mem0Settle: '3s',
  mem0Steady: '3s',
  mem0Within: '25s',
  mem0FullSettle: '1s',
  mem0FullSteady: '3s',
  mem0FullWithin: '8s',
} as const;

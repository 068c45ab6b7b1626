import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { done, property, until } from '../installed-host.ts';
import type { AbathurFaults } from './abathur-api.ts';
import type { Inbox, Letter } from './inbox.ts';
import { type Change, mutatePack, PACKS } from './mutate-pack.ts';
import { command, startPackDaemon, stopPackDaemon } from './pack-daemon.ts';

const STACKS = '/srv/abathur-stacks';
const FIRST_PORT = 24_000;
const PATIENCE_MS = 90_000;
const POLICY = { file: 'vector-search.yaml', name: 'abathur-vector-search' } as const;
const FLAGS = ['semantic_search_enabled', 'background_document_sync', 'embedding_generation'] as const;
const TABLES = ['tasks', 'agents', 'audit', 'checkpoints', 'state', 'metrics'] as const;
const UNITS = ['api', 'workers', 'sync', 'embedding'] as const;

type Unit = (typeof UNITS)[number];
type State = { readonly scrapes: number; readonly featureFlags: Readonly<Record<string, boolean>> };

/** Once for all stacks: each service is a unit of a template, one instance for each stack. */
export async function installAbathur(): Promise<void> {
  mkdirSync(STACKS, { recursive: true });
  const api = `${process.execPath} ${join(import.meta.dirname, 'abathur-api.ts')} $PORT ${STACKS}/%i/config.json ${STACKS}/%i/faults.json`;
  for (const unit of UNITS) {
    const start = unit === 'api' ? api : '/bin/sleep infinity';
    const text = `[Service]\nEnvironmentFile=-${STACKS}/%i/port\nExecStart=${start}\n`;
    writeFileSync(`/run/systemd/system/abathur-${unit}@.service`, text);
  }
  await done('systemctl daemon-reload');
}

/** Abathur on real units with a real SQLite database, and the daemon that guards it with the pack. */
export class AbathurStack implements AsyncDisposable {
  readonly name: string;
  readonly folder: string;
  readonly #port: number;
  readonly #inbox: Inbox;

  constructor(name: string, index: number, inbox: Inbox) {
    this.name = name;
    this.folder = join(STACKS, name);
    this.#port = FIRST_PORT + index * 2;
    this.#inbox = inbox;
  }

  async start(): Promise<void> {
    mkdirSync(join(this.folder, 'tests'), { recursive: true });
    this.break({});
    this.smokeTests('pass');
    const featureFlags = Object.fromEntries(FLAGS.map((flag) => [flag, true]));
    writeFileSync(join(this.folder, 'config.json'), JSON.stringify({ featureFlags, other: 'kept' }, null, 2));
    writeFileSync(join(this.folder, 'port'), `PORT=${this.#port}\n`);
    for (const table of TABLES)
      this.sql(`CREATE TABLE ${table} (id INTEGER PRIMARY KEY, task INTEGER REFERENCES tasks (id))`);
    for (let count = 0; count < 33; count += 1) this.sql(`CREATE INDEX idx_${count} ON agents (task)`);
    await done(`systemctl start ${UNITS.map((unit) => this.unit(unit)).join(' ')}`);
    await until(`the API of ${this.name} answers`, () => this.state());
  }

  /** With the pack as it lies in the repository, or with a change of its one policy. */
  async guard(change?: Change): Promise<void> {
    const { file, name: policy } = POLICY;
    const mutant = `${this.folder}-pack`;
    const url = `http://127.0.0.1:${this.#port}`;
    const told = (receiver: string) => `${this.#inbox.url}/${this.name}/${receiver}`;
    await startPackDaemon({
      name: `abathur-${this.name}`,
      folder: join(this.folder, 'revertd'),
      port: this.#port + 1,
      policies: change === undefined ? join(PACKS, 'abathur') : mutatePack('abathur', file, policy, mutant, change),
      variables: {
        abathurUrl: url,
        abathurMetricsUrl: `${url}/metrics`,
        abathurConfigFile: join(this.folder, 'config.json'),
        abathurApiUnit: this.unit('api'),
        abathurWorkersUnit: this.unit('workers'),
        abathurSyncUnit: this.unit('sync'),
        embeddingUnit: this.unit('embedding'),
        abathurDatabase: this.database,
        abathurDataFolder: this.folder,
        abathurFolder: this.folder,
        abathurPython: join(this.folder, 'python'),
        ...QUICKLY,
      },
      credentials: Object.fromEntries(
        ['oncall', 'senior', 'specialist', 'commander', 'tickets'].map((to) => [`abathur-${to}-webhook`, told(to)]),
      ),
    });
    // It looks at the database once, and must not find what is done to it later: see QUICKLY.
    await until(`the database of ${this.name} was looked at`, async () => {
      const { stdout } = await command({ folder: join(this.folder, 'revertd') }, 'query', 'abathur_database_orphans');
      return stdout.includes('abathur_database_orphans') ? true : undefined;
    });
  }

  unit(unit: Unit): string {
    return `abathur-${unit}@${this.name}.service`;
  }

  get database(): string {
    return join(this.folder, 'abathur.db');
  }

  break(faults: AbathurFaults): void {
    writeFileSync(join(this.folder, 'faults.json'), JSON.stringify(faults));
  }

  /** What stands in for the application's Python takes the same arguments. */
  smokeTests(outcome: 'pass' | 'fail'): void {
    const python = join(this.folder, 'python');
    const isCalledRight = '[ "$*" = "-m pytest tests/smoke/production_smoke_tests.py" ]';
    writeFileSync(python, `#!/bin/sh\n${isCalledRight} && ${outcome === 'pass' ? 'true' : 'false'}\n`);
    chmodSync(python, 0o755);
  }

  sql(text: string): void {
    const database = new DatabaseSync(this.database, { enableForeignKeyConstraints: false });
    database.exec(text);
    database.close();
  }

  get featureFlags(): Readonly<Record<string, boolean>> {
    const { featureFlags } = JSON.parse(readFileSync(join(this.folder, 'config.json'), 'utf8')) as State;
    return featureFlags;
  }

  /** What the API says it runs by; undefined while it does not answer. */
  async state(): Promise<State | undefined> {
    const response = await fetch(`http://127.0.0.1:${this.#port}/state`).catch(() => undefined);
    return response === undefined ? undefined : ((await response.json()) as State);
  }

  async exactSearch(): Promise<number | undefined> {
    return (await fetch(`http://127.0.0.1:${this.#port}/search?mode=exact&q=anything`).catch(() => undefined))?.status;
  }

  async activity(): Promise<Readonly<Record<string, string>>> {
    const states = UNITS.map(async (unit) => [unit, await property(this.unit(unit), 'ActiveState')] as const);
    return Object.fromEntries(await Promise.all(states));
  }

  /** Resolves when the daemon has looked so many times since the API was started. */
  async untilScraped(times: number): Promise<void> {
    const look = async () => (((await this.state())?.scrapes ?? 0) >= times ? true : undefined);
    await until(`${this.name} was scraped ${times} times`, look, PATIENCE_MS);
  }

  letters(receiver: string): readonly Letter[] {
    return this.#inbox.letters(`/${this.name}/${receiver}`);
  }

  /** The first message of one of these topics. */
  async told(...topics: readonly string[]): Promise<Letter> {
    const look = async () => this.letters('oncall').find(({ topic = '' }) => topics.includes(topic));
    return await until(`${this.name} is told ${topics.join(' or ')}`, look, PATIENCE_MS);
  }

  async ticket(): Promise<Readonly<Record<string, unknown>>> {
    const { words } = await until(`${this.name} has a ticket`, async () => this.letters('tickets')[0], PATIENCE_MS);
    return JSON.parse(words) as Readonly<Record<string, unknown>>;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await stopPackDaemon(`abathur-${this.name}`);
    await done(`systemctl stop ${UNITS.map((unit) => this.unit(unit)).join(' ')}`);
  }
}

const QUICKLY = {
  abathurInterval: '500ms',
  // Damage to the database is another policy's.
  abathurIntegrityInterval: '24h',
  abathurDownFor: '1h',
  abathurTimeout: '400ms',
  abathurWindow: '4s',
  abathurFor: '2s',
  abathurErrorsFor: '2s',
  abathurSettle: '2s',
  abathurWithin: '12s',
} as const;

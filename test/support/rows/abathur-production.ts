import {
  appendFileSync,
  chmodSync,
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { done, type Ended, property, shell, until } from '../installed-host.ts';
import type { Inbox, Letter } from './inbox.ts';
import { type Change, mutatePack, PACKS } from './mutate-pack.ts';
import { startPackDaemon, stopPackDaemon } from './pack-daemon.ts';

const HOME = '/srv/abathur-production';
const MAIN = join(import.meta.dirname, '../../../src/main.ts');
const FIRST_PORT = 26_000;
const PATIENCE_MS = 120_000;
const UNITS = ['api', 'workers', 'sync', 'embedding'] as const;
const CORE = ['tasks', 'agents', 'audit', 'checkpoints', 'state', 'metrics'] as const;
const FLAGS = ['semantic_search_enabled', 'background_document_sync', 'embedding_generation'] as const;

export type AbathurUnit = (typeof UNITS)[number];
/** Users that every Debian has; their group, root's, is the one that may open the daemon's socket. */
export type Person = 'daemon' | 'bin';

/** Which policy is changed, and how. */
export type Mutation = { readonly file: string; readonly policy: string; readonly change: Change };

/** Once for all of them: each service is a unit of a template. */
export async function installProduction(): Promise<void> {
  // Another file of the suite may have given its services the same names.
  rmSync(HOME, { recursive: true, force: true });
  mkdirSync(HOME, { recursive: true });
  const api = `${process.execPath} --disable-warning=ExperimentalWarning ${join(import.meta.dirname, 'abathur-store-service.ts')} $PORT ${HOME}/%i/data/abathur.db`;
  for (const unit of UNITS) {
    const start = unit === 'api' ? api : '/bin/sleep infinity';
    const text = `[Service]\nEnvironmentFile=-${HOME}/%i/port\nExecStart=${start}\n`;
    writeFileSync(`/run/systemd/system/abathur-production-${unit}@.service`, text);
  }
  await done('systemctl daemon-reload');
}

/** Abathur in production on real units and a real database, and the daemon that guards it with the pack. */
export class AbathurProduction implements AsyncDisposable {
  readonly name: string;
  readonly folder: string;
  readonly #port: number;
  #hasOwnDisk = false;
  readonly #inbox: Inbox;

  constructor(name: string, index: number, inbox: Inbox) {
    this.name = name;
    this.folder = join(HOME, name);
    this.#port = FIRST_PORT + index * 2;
    this.#inbox = inbox;
  }

  get database(): string {
    return join(this.folder, 'data/abathur.db');
  }

  /** `diskBytes`: its data has a file system of its own, of that size. */
  async start(diskBytes?: number): Promise<void> {
    mkdirSync(join(this.folder, 'data'), { recursive: true });
    this.#hasOwnDisk = diskBytes !== undefined;
    if (this.#hasOwnDisk) await done(`mount -t tmpfs -o size=${diskBytes} tmpfs ${join(this.folder, 'data')}`);
    writeFileSync(join(this.folder, 'port'), `PORT=${this.#port}\n`);
    const featureFlags = Object.fromEntries(FLAGS.map((flag) => [flag, true]));
    writeFileSync(join(this.folder, 'config.json'), JSON.stringify({ featureFlags }, null, 2));
    writeFileSync(this.schema, SCHEMA);
    this.application();
    this.sql(`PRAGMA journal_mode = WAL; ${SCHEMA}; ${MILESTONES}`);
    await done(`systemctl start ${UNITS.map((unit) => this.unit(unit)).join(' ')}`);
    await this.untilHealthy();
  }

  get schema(): string {
    return join(this.folder, 'schema.sql');
  }

  /** What stands in for the application's Python notes how it is called; `refused` is the call that fails. */
  application(refused = 'nothing'): void {
    const python = join(this.folder, 'python');
    const lines = [
      '#!/bin/sh',
      `echo "$*" >> ${this.folder}/calls`,
      `case "$*" in *${refused}*) exit 1;; *--initialize) sqlite3 ${this.database} < ${this.schema};; esac`,
    ];
    writeFileSync(python, `${lines.join('\n')}\n`);
    chmodSync(python, 0o755);
    appendFileSync(join(this.folder, 'calls'), '');
  }

  /** Whether something stands for its log that is none. */
  hasBrokenLog(): boolean {
    return statSync(`${this.database}-wal`, { throwIfNoEntry: false })?.isDirectory() === true;
  }

  calls(): string[] {
    return readFileSync(join(this.folder, 'calls'), 'utf8').split('\n');
  }

  /** With the pack as it lies in the repository, or with a change of one policy. */
  async guard(mutation?: Mutation, variables: Readonly<Record<string, string>> = {}): Promise<void> {
    const url = `http://127.0.0.1:${this.#port}`;
    const told = (receiver: string) => `${this.#inbox.url}/${this.name}/${receiver}`;
    const policies =
      mutation === undefined
        ? join(PACKS, 'abathur')
        : mutatePack('abathur', mutation.file, mutation.policy, `${this.folder}-pack`, mutation.change);
    await startPackDaemon({
      name: `abathur-production-${this.name}`,
      folder: join(this.folder, 'revertd'),
      port: this.#port + 1,
      policies,
      variables: {
        abathurUrl: url,
        abathurMetricsUrl: `${url}/metrics`,
        abathurConfigFile: join(this.folder, 'config.json'),
        abathurApiUnit: this.unit('api'),
        abathurWorkersUnit: this.unit('workers'),
        abathurSyncUnit: this.unit('sync'),
        embeddingUnit: this.unit('embedding'),
        abathurDatabase: this.database,
        abathurDataFolder: join(this.folder, 'data'),
        abathurFolder: this.folder,
        abathurPython: join(this.folder, 'python'),
        revertdCommand: this.#ownCommand(),
        ...QUICKLY,
        ...variables,
      },
      credentials: Object.fromEntries(
        ['oncall', 'senior', 'specialist', 'commander', 'tickets'].map((to) => [`abathur-${to}-webhook`, told(to)]),
      ),
      roles: { oncall: { users: ['daemon'] }, 'senior-engineer': { users: ['bin'] } },
    });
  }

  /** revertd as it is on the path of an installed host. */
  #ownCommand(): string {
    const path = join(this.folder, 'revertd-command');
    const argv = `${process.execPath} --disable-warning=ExperimentalWarning ${MAIN} "$@"`;
    writeFileSync(path, `#!/bin/sh\nexec ${argv} --config ${join(this.folder, 'revertd/revertd.yaml')}\n`);
    chmodSync(path, 0o755);
    return path;
  }

  /** What a person types. */
  async revertd(words: string, as?: Person): Promise<Ended> {
    const who = as === undefined ? '' : `setpriv --reuid ${as} --regid root --clear-groups -- `;
    const argv = `${process.execPath} --disable-warning=ExperimentalWarning ${MAIN} ${words}`;
    return await shell(`${who}${argv} --config ${join(this.folder, 'revertd/revertd.yaml')}`);
  }

  /** Takes one, and resolves with its id once it is valid. */
  async point(policy: string): Promise<string> {
    const { code, stdout, stderr } = await this.revertd(`points take ${policy} --json`);
    if (code !== 0) throw new Error(`no point of ${policy}: ${stdout}${stderr}`);
    return (JSON.parse(stdout) as { point: string }).point;
  }

  /** The ids of its valid ones, the newest first. */
  async points(policy: string): Promise<string[]> {
    const { stdout } = await this.revertd('points list --json');
    const { points } = JSON.parse(stdout) as { points: { point: string; policy: string | null; state: string }[] };
    return points.filter((one) => one.policy === policy && one.state === 'valid').map(({ point }) => point);
  }

  async approve(as: Person): Promise<void> {
    await this.told('approval');
    await until(`${as} may approve`, async () => {
      const { code } = await this.revertd('incidents approve INC-1', as);
      return code === 0 ? true : undefined;
    });
  }

  unit(unit: AbathurUnit): string {
    return `abathur-production-${unit}@${this.name}.service`;
  }

  sql(text: string): void {
    const database = new DatabaseSync(this.database, { enableForeignKeyConstraints: false });
    database.exec(text);
    database.close();
  }

  /** What the sqlite3 of the host answers, or the error that it gives. */
  async sqlite3(query: string, path = this.database): Promise<string> {
    const { stdout, stderr } = await shell(`sqlite3 ${path} "${query}"`);
    return `${stdout}${stderr}`.trim();
  }

  /** Overwrites pages in the middle of the file, as a failing disk would. */
  async corrupt(): Promise<void> {
    await this.sqlite3('PRAGMA wal_checkpoint(TRUNCATE)');
    const file = openSync(this.database, 'r+');
    writeSync(file, Buffer.alloc(12 * 4096, 0xa5), 0, 12 * 4096, 50 * 4096);
    closeSync(file);
  }

  async isHealthy(): Promise<boolean> {
    const response = await fetch(`http://127.0.0.1:${this.#port}/health`).catch(() => undefined);
    return response?.status === 200 && (await response.text()).includes('healthy');
  }

  /** Resolves when the daemon has looked so many times since the API was started. */
  async untilScraped(times: number): Promise<void> {
    const look = async () => {
      const response = await fetch(`http://127.0.0.1:${this.#port}/scrapes`).catch(() => undefined);
      return Number(await response?.text()) >= times ? true : undefined;
    };
    await until(`${this.name} was scraped ${times} times`, look, PATIENCE_MS);
  }

  async untilHealthy(): Promise<void> {
    await until(`${this.name} is healthy`, async () => ((await this.isHealthy()) ? true : undefined));
  }

  async activity(): Promise<Readonly<Record<string, string>>> {
    const states = UNITS.map(async (unit) => [unit, await property(this.unit(unit), 'ActiveState')] as const);
    return Object.fromEntries(await Promise.all(states));
  }

  async life(): Promise<string> {
    return await property(this.unit('api'), 'InvocationID');
  }

  letters(receiver: string): readonly Letter[] {
    return this.#inbox.letters(`/${this.name}/${receiver}`);
  }

  /** The first message of one of these topics. */
  async told(...topics: readonly string[]): Promise<Letter> {
    return await this.#letter(topics.join(' or '), ({ topic = '' }) => topics.includes(topic));
  }

  /** Rejects if it ends in another way. */
  async resolved(): Promise<void> {
    const { topic, words } = await this.told('resolved', 'exhausted', 'asking', 'aborted');
    if (topic === 'resolved') return;
    const { stdout } = await this.revertd('incidents report INC-1');
    throw new Error(`${this.name} is not resolved: ${words}\n${stdout}`);
  }

  /** What the report says of the time that the recovery took, and of the objective: `12s, within 1h`. */
  async recovery(): Promise<string> {
    const { stdout } = await this.revertd('incidents report INC-1');
    return /^- Recovered after: (.*)$/m.exec(stdout)?.[1] ?? stdout;
  }

  /** The first message with these words. */
  async read(words: string): Promise<Letter> {
    return await this.#letter(words, (letter) => letter.words.includes(words));
  }

  async #letter(what: string, isIt: (letter: Letter) => boolean): Promise<Letter> {
    try {
      const look = async () => this.letters('oncall').find(isIt);
      return await until(`${this.name} is told ${what}`, look, PATIENCE_MS);
    } catch (error) {
      const journal = await shell(`journalctl --unit revertd-abathur-production-${this.name} --lines 60 --output cat`);
      const letters = this.letters('oncall').map(({ words }) => words);
      throw new Error(`${this.name} was told ${letters.join('\n')}\n${journal.stdout}`, { cause: error });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await stopPackDaemon(`abathur-production-${this.name}`);
    await done(`systemctl stop ${UNITS.map((unit) => this.unit(unit)).join(' ')}`);
    // Another file of the suite clears the folder of all of them.
    if (this.#hasOwnDisk) await done(`umount ${join(this.folder, 'data')}`);
  }
}

/** So that there are pages to overwrite. */
export const SESSIONS = 20;

const SCHEMA = CORE.map(
  (table) => `CREATE TABLE ${table} (id INTEGER PRIMARY KEY, task INTEGER REFERENCES tasks (id), text TEXT)`,
).join(';\n');

const MILESTONES = [
  'INSERT INTO tasks (text) VALUES (1)',
  ...['sessions', 'memory_entries', 'document_index'].map(
    (table) => `CREATE TABLE ${table} (id INTEGER PRIMARY KEY, text TEXT, sync_status TEXT, embedding_blob BLOB)`,
  ),
  ...Array.from({ length: 17 }, (_, index) => `CREATE INDEX idx_tasks_${index} ON tasks (text)`),
  ...Array.from({ length: 4 }, (_, index) => `CREATE INDEX idx_sessions_${index} ON sessions (text)`),
  ...Array.from({ length: 7 }, (_, index) => `CREATE INDEX idx_memory_${index} ON memory_entries (text)`),
  ...Array.from({ length: 5 }, (_, index) => `CREATE INDEX idx_document_${index} ON document_index (text)`),
  ...Array.from({ length: SESSIONS }, () => `INSERT INTO sessions (text) VALUES ('${'x'.repeat(3000)}')`),
].join(';\n');

/** What people do by hand is not to be overtaken by what a busy machine takes for an outage. */
export const PATIENTLY = { abathurDownFor: '1h', abathurUnreadableFor: '1h' } as const;

const QUICKLY = {
  abathurInterval: '1s',
  abathurTimeout: '900ms',
  abathurIntegrityInterval: '2s',
  abathurUnreadableFor: '5s',
  abathurDownFor: '4s',
  abathurSettle: '1s',
  abathurCalm: '1s',
  abathurRestoreWithin: '45s',
  abathurWatch: '1s',
  abathurWatchWithin: '30s',
} as const;

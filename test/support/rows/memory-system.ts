import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { done, property, until } from '../installed-host.ts';
import type { Inbox, Letter } from './inbox.ts';
import { startLoad } from './load.ts';
import { MemoryCode } from './memory-code.ts';
import type { MemoryFaults, MemoryRelease } from './memory-service.ts';
import { PACKS } from './mutate-pack.ts';
import { startPackDaemon, stopPackDaemon } from './pack-daemon.ts';

export const SYSTEMS = '/srv/memory-systems';
const FIRST_PORT = 21_000;
/** A busy machine takes its time. */
const PATIENCE_MS = 120_000;
const HEAP_MEBIBYTES = 384;
const FEATURES = ['USE_ENHANCED_INJECTION', 'USE_CROSS_AGENT_SHARING', 'USE_HIERARCHICAL_TIERS'];

type FlagsBy = 'env-file' | 'config-file' | 'admin-api';
const FLAG_FILES = { 'env-file': 'memory.env', 'config-file': 'config.json', 'admin-api': 'flags.json' } as const;
const TOKEN = 'an admin token';

const RECEIVERS = ['oncall', 'monitoring', 'engineering', 'senior', 'tickets'] as const;
type Receiver = (typeof RECEIVERS)[number];
/** What was remembered since the migration. */
const NEW_MEMORIES = "('one', '2026-01-02 00:00:00'), ('two', '2026-01-03 00:00:00')";

type ServiceState = {
  readonly features: Readonly<Record<string, boolean>>;
  readonly release: MemoryRelease;
  readonly reloads: number;
  readonly scrapes: number;
};

/** The service is an instance of this unit, which systemd starts again when V8 has ended it. */
export async function installSystems(): Promise<void> {
  // Another file of the suite may have given its systems the same names.
  rmSync(SYSTEMS, { recursive: true, force: true });
  const script = join(import.meta.dirname, 'memory-service.ts');
  const flags = `--disable-warning=ExperimentalWarning --max-old-space-size=${HEAP_MEBIBYTES}`;
  const unit = `[Unit]
StartLimitIntervalSec=0
[Service]
LimitCORE=0
Restart=always
RestartSec=200ms
EnvironmentFile=${SYSTEMS}/%i/service.conf
EnvironmentFile=-${SYSTEMS}/%i/memory.env
ExecStart=${process.execPath} ${flags} ${script}
`;
  writeFileSync('/run/systemd/system/memory@.service', unit);
  await done('systemctl daemon-reload');
}

export type SystemOptions = {
  readonly name: string;
  readonly index: number;
  readonly inbox: Inbox;
  /** How the service takes its flags: the host's label `memory-flags`. */
  readonly flags: FlagsBy;
  /** Absent: the pack as it lies in the repository. */
  readonly policies?: string | undefined;
  /** Without sessions latency is not known, and no slow machine can be taken for a slow service. */
  readonly isUsed: boolean;
  /** What its first revision does. Absent: it is not deployed from git, so that only its flags can be put back. */
  readonly release?: MemoryRelease | undefined;
  /** Who may approve. */
  readonly roles?: Readonly<Record<string, object>>;
};

/** A memory-system of a real service, its load, and the daemon that guards it with the pack. */
export class MemorySystem implements AsyncDisposable {
  readonly name: string;
  readonly folder: string;
  readonly #options: SystemOptions;
  #load: Disposable | undefined;
  #code: MemoryCode | undefined;

  constructor(options: SystemOptions) {
    this.#options = options;
    this.name = options.name;
    this.folder = join(SYSTEMS, options.name);
  }

  get unit(): string {
    return `memory@${this.name}.service`;
  }

  get database(): string {
    return join(this.folder, 'memory.db');
  }

  /** Where its points are copied to. */
  get copies(): string {
    return join(this.folder, 'copies');
  }

  get code(): MemoryCode {
    if (this.#code === undefined) throw new Error(`${this.name} has no release`);
    return this.#code;
  }

  get #port(): number {
    return FIRST_PORT + this.#options.index * 10;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  async start(faults: MemoryFaults = {}): Promise<void> {
    mkdirSync(this.copies, { recursive: true });
    this.break(faults);
    this.#createDatabase();
    const { flags, release } = this.#options;
    this.#writeFlags();
    if (release !== undefined) this.#code = new MemoryCode(this.folder, release);
    const settings = [
      `PORT=${this.#port}`,
      `FAULTS=${join(this.folder, 'faults.json')}`,
      `DATABASE=${this.database}`,
      `CONFIG=${flags === 'config-file' ? this.#flagFile : ''}`,
      ...(flags === 'admin-api' ? [`ADMIN_TOKEN="${TOKEN}"`, ...FEATURES.map((name) => `${name}=true`)] : []),
      `RELEASE=${this.#code === undefined ? '' : join(this.#code.installed, 'release.json')}`,
      `PID_FILE=${join(this.folder, 'memory.pid')}`,
      `HEAP_LIMIT=${HEAP_MEBIBYTES * 1024 * 1024}`,
    ];
    writeFileSync(join(this.folder, 'service.conf'), `${settings.join('\n')}\n`);
    await done(`systemctl start ${this.unit}`);
    await until(`${this.unit} answers`, () => this.state());
    if (this.#options.isUsed) this.#load = startLoad(`${this.url}/sessions/sample`, 5);
  }

  get #flagFile(): string {
    return join(this.folder, FLAG_FILES[this.#options.flags]);
  }

  #writeFlags(): void {
    const featureFlags = Object.fromEntries(FEATURES.map((name) => [name, true]));
    const header = `header = "Authorization: Bearer ${TOKEN}"\n`;
    switch (this.#options.flags) {
      case 'config-file':
        writeFileSync(this.#flagFile, JSON.stringify({ featureFlags, port: 'kept' }));
        break;
      case 'admin-api':
        writeFileSync(this.#flagFile, JSON.stringify(featureFlags));
        writeFileSync(join(this.folder, 'admin.curl'), header, { mode: 0o600 });
        break;
      case 'env-file':
        writeFileSync(this.#flagFile, FEATURES.map((name) => `${name}=true\n`).join(''));
    }
  }

  #createDatabase(): void {
    const database = new DatabaseSync(this.database);
    database.exec("CREATE TABLE entities (name TEXT); INSERT INTO entities VALUES ('the first entity')");
    database.exec('CREATE INDEX by_name ON entities (name)');
    database.exec('CREATE TABLE memories (text TEXT, created_at TEXT); CREATE INDEX by_text ON memories (text)');
    database.exec(`INSERT INTO memories VALUES ('an old memory', '2025-12-31 00:00:00'), ${NEW_MEMORIES}`);
    database.close();
  }

  /** The index does not name any more what the table holds: of what came before the migration, or with it. */
  corrupt(what: 'entities' | 'memories' = 'entities'): void {
    const bytes = readFileSync(this.database);
    if (what === 'entities') bytes.write('the worst', bytes.lastIndexOf('the first'));
    else bytes.write('an odd', bytes.lastIndexOf('an old'));
    writeFileSync(this.database, bytes);
  }

  /** What sqlite3 says; the path and the query are arguments, there is no shell in between. */
  async sqlite(query: string): Promise<string> {
    return await done(`sqlite3 '${this.database}' "${query}"`);
  }

  async guard(variables: Readonly<Record<string, string>> = {}): Promise<void> {
    const { inbox, policies = join(PACKS, 'memory-system'), flags, roles = {} } = this.#options;
    const inFolder = (name: string) => join(this.folder, name);
    await startPackDaemon({
      name: this.name,
      folder: inFolder('revertd'),
      port: this.#port + 1,
      policies,
      roles,
      labels: { 'memory-flags': flags, 'memory-rollback-script': 'present' },
      variables: {
        memoryUrl: this.url,
        memoryMetricsUrl: `${this.url}/metrics`,
        memoryHeapLimitBytes: String(HEAP_MEBIBYTES * 1024 * 1024),
        memoryUnit: this.unit,
        memoryDatabase: this.database,
        memoryDataFolder: this.folder,
        memoryCheckout: inFolder('code'),
        memoryInstallFolder: inFolder('opt'),
        memoryLegacyRevision: 'phase-1',
        memoryMigratedAt: '2026-01-01 00:00:00',
        memoryRollbackScript: inFolder('004_rollback.sql'),
        memoryCopyFolder: this.copies,
        ...{
          'env-file': { memoryEnvFile: this.#flagFile },
          'config-file': { memoryConfigFile: this.#flagFile, memoryPidFile: inFolder('memory.pid') },
          'admin-api': { memoryFlagsFile: this.#flagFile, memoryAdminConfig: inFolder('admin.curl') },
        }[flags],
        ...QUICKLY,
        ...(this.#options.isUsed ? {} : { memorySampleInterval: '1h' }),
        ...variables,
      },
      credentials: Object.fromEntries(
        RECEIVERS.map((who) => [`memory-${who}-webhook`, `${inbox.url}/${this.name}/${who}`]),
      ),
    });
  }

  break(faults: MemoryFaults): void {
    writeFileSync(join(this.folder, 'faults.json'), JSON.stringify(faults));
  }

  /** What the flags' file says. */
  written(): Readonly<Record<string, unknown>> {
    const text = readFileSync(this.#flagFile, 'utf8');
    if (this.#options.flags === 'config-file') {
      return (JSON.parse(text) as { readonly featureFlags: Readonly<Record<string, unknown>> }).featureFlags;
    }
    if (this.#options.flags === 'admin-api') return JSON.parse(text) as Readonly<Record<string, unknown>>;
    const lines = text.trim().split('\n');
    return Object.fromEntries(
      lines.map((line) => line.split('=', 2)).map(([name = '', value]) => [name, value === 'true']),
    );
  }

  /** What the service itself says it runs by; undefined while it does not answer. */
  async state(): Promise<ServiceState | undefined> {
    const response = await fetch(`${this.url}/state`).catch(() => undefined);
    return response === undefined ? undefined : ((await response.json()) as ServiceState);
  }

  /** Resolves when the file says that all features are off, and the service runs by it. */
  async untilRolledBack(): Promise<void> {
    const isOff = (flags: Readonly<Record<string, unknown>>) => FEATURES.every((name) => flags[name] === false);
    const look = async () => {
      const running = isOff(this.written()) ? await this.state() : undefined;
      return running !== undefined && isOff(running.features) ? true : undefined;
    };
    await until(`${this.name} is rolled back`, look, PATIENCE_MS);
  }

  /** Resolves when the daemon has looked so many times from now on. */
  async untilScraped(times: number): Promise<void> {
    const scrapes = async () => (await this.state())?.scrapes ?? 0;
    const from = await scrapes();
    const look = async () => ((await scrapes()) - from >= times ? true : undefined);
    await until(`${this.name} was scraped ${times} times`, look, PATIENCE_MS);
  }

  /** Another with each start of the unit. */
  async life(): Promise<string> {
    return await property(this.unit, 'InvocationID');
  }

  letters(receiver: Receiver): readonly Letter[] {
    return this.#options.inbox.letters(`/${this.name}/${receiver}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#load?.[Symbol.dispose]();
    await stopPackDaemon(this.name);
    await done(`systemctl stop ${this.unit}`);
  }
}

/** The pack's own spans are minutes; as the host may say, all of it goes faster here. */
const QUICKLY = {
  memoryInterval: '1s',
  memoryTimeout: '1s',
  memoryIntegrityInterval: '20s',
  memorySampleInterval: '1s',
  memorySampleTimeout: '1s',
  memoryFor: '5s',
  memoryErrorWindow: '3s',
  memoryPatience: '8s',
} as const;

/** Where more than one rung is walked, what is judged is short, and so is how far back figures look. */
export const LADDER_QUICKLY = {
  memoryIntegrityInterval: '3s',
  memoryFor: '2s',
  memoryWindow: '4s',
  memoryCrashWindow: '4s',
  memoryErrorWindow: '3s',
  memoryClearFor: '1s',
  memorySettle: '1s',
  memoryStable: '2s',
  // Where the machine is slow the service is, too; only what is to fail has a short time.
  memoryWithin: '60s',
  memoryCodeWithin: '60s',
  memoryDatabaseWithin: '60s',
  // Longer than it takes until a bad revision is noticed.
  memoryBake: '10s',
  memoryFetchInterval: '5s',
  memoryCooldown: '10m',
} as const;

import type { Millis } from '../core/units.ts';
import { SecretError, type SecretResolver } from '../drivers/secrets.ts';
import type { PostgresSettings } from '../policy/postgres-settings.ts';
import type { PostgresAddress } from '../store/postgres/open-pool.ts';
import { ProjectionError } from '../store/postgres/projection-error.ts';
import type { ProjectionFailure, Projector } from '../store/postgres/projector.ts';
import type { Store } from '../store/store.ts';

export type PostgresCopyOptions = {
  readonly settings: PostgresSettings;
  readonly store: Store;
  readonly host: string;
  readonly secrets: SecretResolver;
  readonly now: () => Millis;
  readonly onFault: (error: unknown) => void;
};

/** How far PostgreSQL has what the log has. */
export type CopyState = {
  readonly schema: string;
  /** Events that are not there yet; null until the database was asked how far it is. */
  readonly behind: number | null;
  /** For how long the oldest of them has waited, or how long nobody has known. 0 where all are there. */
  readonly lagMs: Millis;
  readonly failure: ProjectionFailure | null;
  readonly failures: number;
};

/** The daemon's side of the copy in PostgreSQL, whose client is loaded on hosts that have one. */
export class PostgresCopy {
  readonly #options: PostgresCopyOptions;
  readonly #since: Millis;
  #projector: Projector | null = null;
  #loading: Promise<void> | null = null;
  #stopped = false;

  constructor(options: PostgresCopyOptions) {
    this.#options = options;
    this.#since = options.now();
  }

  start(): void {
    this.#loading ??= this.#load().catch(this.#options.onFault);
  }

  wake(): void {
    this.#projector?.wake();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#loading;
    await this.#projector?.stop();
  }

  get state(): CopyState {
    const { settings, store, now } = this.#options;
    const { position = null, failure = null, failures = 0 } = this.#projector?.state ?? {};
    const behind = position === null ? null : store.head.seq - position;
    const waiting = position === null ? this.#since : (store.feed.event(position + 1)?.at ?? now());
    return { schema: settings.schema, behind, lagMs: Math.max(0, now() - waiting), failure, failures };
  }

  async #load(): Promise<void> {
    const { Projector: Loaded } = await import('../store/postgres/projector.ts');
    if (this.#stopped) return;
    const { settings, store, host, secrets, now } = this.#options;
    const { schema, poolSize } = settings;
    const address = async () => await this.#address();
    this.#projector = new Loaded({ feed: store.feed, host, schema, poolSize, address, redact: secrets.redact, now });
    this.#projector.start();
  }

  async #address(): Promise<PostgresAddress> {
    const { settings, secrets } = this.#options;
    try {
      if ('connection' in settings.address) return { dsn: await secrets.resolve(settings.address.connection) };
      const { password, ...address } = settings.address;
      return password === undefined ? address : { ...address, password: await secrets.resolve(password) };
    } catch (error) {
      if (error instanceof SecretError) throw new ProjectionError('secret', error.message, error);
      throw error;
    }
  }
}

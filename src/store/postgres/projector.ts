import { setTimeout as delay } from 'node:timers/promises';
import type { Pool } from 'pg';
import type { Retry } from '../../core/memory.ts';
import { backOff } from '../../core/operations/back-off.ts';
import type { Millis } from '../../core/units.ts';
import type { ProjectionFeed } from '../projection-feed.ts';
import { copyEvents } from './copy-events.ts';
import { migrate } from './migrate.ts';
import { asProjectionError, openPool, type PostgresAddress } from './open-pool.ts';
import type { ProjectionErrorCode } from './projection-error.ts';

/** What happens within it is copied together. */
const GATHER_MS: Millis = 200;
/** Without news it looks whether the server is still there, and whether somebody wants the rows anew. */
const LOOK_EVERY_MS: Millis = 30_000;
const FIRST_RETRY_MS: Millis = 1_000;
const LONGEST_RETRY_MS: Millis = 60_000;
/** How long the end of the daemon waits for a batch that is under way. */
const STOP_MS: Millis = 1_000;

export type ProjectorOptions = {
  readonly feed: ProjectionFeed;
  readonly host: string;
  readonly schema: string;
  readonly poolSize: number;
  /** Asked before each attempt to connect, so that a renewed password is taken up. Rejects if a secret cannot be read. */
  readonly address: () => Promise<PostgresAddress>;
  /** Messages go through this before anybody sees them. */
  readonly redact: (text: string) => string;
  readonly now: () => Millis;
};

export type ProjectionFailure = Retry & { readonly code: ProjectionErrorCode; readonly message: string };

/** How far the copy in PostgreSQL is. */
export type ProjectionState = {
  /** The last event that is there; null until it was asked. */
  readonly position: number | null;
  /** What keeps it from going on; null when nothing does. */
  readonly failure: ProjectionFailure | null;
  readonly failures: number;
};

/** Copies the log's tables to PostgreSQL beside everything else. Nothing of the host waits for it. */
export class Projector {
  readonly #options: ProjectorOptions;
  #pool: Pool | null = null;
  #position: number | null = null;
  #failure: ProjectionFailure | null = null;
  #failures = 0;
  readonly #end = new AbortController();
  #running: Promise<void> | null = null;
  #wake = Promise.withResolvers<void>();

  constructor(options: ProjectorOptions) {
    this.#options = options;
  }

  get state(): ProjectionState {
    return { position: this.#position, failure: this.#failure, failures: this.#failures };
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** There are new events. */
  wake(): void {
    this.#wake.resolve();
  }

  /** What is not copied yet is copied after the next start. */
  async stop(): Promise<void> {
    this.#end.abort();
    // What is still under way keeps the process alive by its connection; the limit need not.
    const limit = async () => await delay(STOP_MS, undefined, { ref: false });
    await Promise.race([this.#running, limit()]);
    await Promise.race([this.#close(), limit()]);
  }

  async #run(): Promise<void> {
    while (!this.#isStopped) {
      this.#wake = Promise.withResolvers<void>();
      const retryMs = await this.#attempt();
      if (retryMs === null) {
        await Promise.race([this.#wake.promise, this.#wait(LOOK_EVERY_MS)]);
        await this.#wait(GATHER_MS);
      } else await this.#wait(retryMs);
    }
  }

  get #isStopped(): boolean {
    return this.#end.signal.aborted;
  }

  /** At most so long; shorter if the daemon ends. */
  async #wait(ms: Millis): Promise<void> {
    await delay(ms, undefined, { signal: this.#end.signal, ref: false }).catch(() => undefined);
  }

  /** How long to wait before the next one; null: until there is something new. */
  async #attempt(): Promise<Millis | null> {
    try {
      const { feed, schema, host } = this.#options;
      const pool = this.#pool ?? (await this.#connect());
      const { position, copied } = await copyEvents({
        pool,
        schema,
        host,
        feed: () => (this.#isStopped ? undefined : feed),
      });
      this.#position = position;
      this.#failure = null;
      return copied > 0 ? 0 : null;
    } catch (error) {
      return this.#fail(error);
    }
  }

  async #connect(): Promise<Pool> {
    const { address, poolSize, schema } = this.#options;
    const pool = openPool(await address(), poolSize);
    this.#pool = pool;
    const client = await pool.connect();
    try {
      await migrate(client, schema);
      client.release();
    } catch (error) {
      client.release(true);
      throw error;
    }
    return pool;
  }

  #fail(error: unknown): Millis {
    const { code, message } = asProjectionError(error);
    const at = this.#options.now();
    const retry = backOff(this.#failure, at, FIRST_RETRY_MS, LONGEST_RETRY_MS);
    this.#failure = { ...retry, code, message: this.#options.redact(message) };
    this.#failures += 1;
    void this.#close();
    return retry.retryAt - at;
  }

  async #close(): Promise<void> {
    const pool = this.#pool;
    this.#pool = null;
    await pool?.end().catch(() => undefined);
  }
}

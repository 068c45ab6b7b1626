import { mkdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { makeRepository, type Repository, runGitIn } from '../../tools/git-repository.ts';
import { done, property, until } from '../installed-host.ts';
import { startLoad } from '../rows/load.ts';
import { type Exchange, startExchange } from './exchange.ts';
import type { Circumstances, StorefrontState } from './storefront/server.ts';

export const FOLDER = '/srv/storefront';
export const UNIT = 'storefront.service';
export const PORT = 21_500;
export const URL = `http://127.0.0.1:${PORT}`;
export const PATHS = {
  env: join(FOLDER, 'storefront.env'),
  database: join(FOLDER, 'storefront.db'),
  dump: join(FOLDER, 'products.sql'),
  checkout: join(FOLDER, 'checkout'),
  release: join(FOLDER, 'release'),
  exchange: join(FOLDER, 'exchange'),
  /** While these are there, a bad revision does not end, and no revision starts. */
  holdStop: join(FOLDER, 'hold-stop'),
  holdStart: join(FOLDER, 'hold-start'),
} as const;

const SOURCES = join(import.meta.dirname, 'storefront');
/** More than enough for a machine that does other things. */
export const PATIENCE_MS = 120_000;
const BUILD = 'mkdir dist && cp server.ts pricing.ts dist/\n';
const ORDERS_PER_SECOND = 10;
const GOOD_PRODUCTS = 10;
export const BAD_PRODUCTS = 30;

const SERVICE = `[Service]
EnvironmentFile=${PATHS.env}
Environment=PORT=${PORT} FOLDER=${FOLDER}
ExecStartPre=/bin/sh -c 'while test -e ${PATHS.holdStart}; do sleep 0.1; done'
ExecStart=${process.execPath} --disable-warning=ExperimentalWarning ${PATHS.release}/server.ts
TimeoutStartSec=infinity
TimeoutStopSec=infinity
`;

/**
 * A service with all that one has: a unit, a database, code in a repository that is built and published, a container
 * that it needs, and people who order something all the time.
 */
export class Storefront implements AsyncDisposable {
  readonly upstream: Repository;
  readonly exchange: Exchange;
  readonly #load: Disposable;

  private constructor(upstream: Repository, exchange: Exchange) {
    this.upstream = upstream;
    this.exchange = exchange;
    this.#load = startLoad(`${URL}/orders`, ORDERS_PER_SECOND);
  }

  static async open(recommends: boolean): Promise<Storefront> {
    mkdirSync(PATHS.exchange, { recursive: true });
    writeFileSync(join(PATHS.exchange, 'feed'), '1.25\n');
    writeFileSync(PATHS.env, `# what the storefront does\nRECOMMENDATIONS=${recommends}\n`);
    writeFileSync(join(FOLDER, 'circumstances.json'), '{}');
    createDatabase();
    const upstream = makeRepository(join(FOLDER, 'upstream'));
    upstream.commit(
      { ...revision('pricing.ts'), 'build.sh': 'mkdir dist && cp server.ts pricing.ts dist/\n' },
      'Quick',
    );
    runGitIn(FOLDER, ['clone', '--quiet', upstream.path, PATHS.checkout]);
    await done(`cd ${PATHS.checkout} && sh build.sh && mv dist ${PATHS.release}`);
    const exchange = await startExchange(join(FOLDER, 'engine'), PATHS.exchange);
    writeFileSync(`/run/systemd/system/${UNIT}`, SERVICE);
    await done(`systemctl daemon-reload; systemctl start ${UNIT}`);
    const storefront = new Storefront(upstream, exchange);
    await storefront.untilState('it sells', () => true);
    return storefront;
  }

  under(circumstances: Circumstances): void {
    writeFileSync(join(FOLDER, 'circumstances.json'), JSON.stringify(circumstances));
  }

  /** Pushes a revision with that pricing; the result is its commit. */
  release(pricing: 'pricing.ts' | 'slow-pricing.ts', note: string, build = BUILD): string {
    return this.upstream.commit({ ...revision(pricing), 'build.sh': build, 'NOTES.md': `${note}\n` }, note);
  }

  /** Products without a price come in, and the feed of the exchange is no rate any more. */
  importBadly(): void {
    writeFileSync(join(PATHS.exchange, 'feed'), '0\n');
    this.inDatabase((database) => {
      const insert = database.prepare('INSERT INTO products (sku, cents) VALUES (?, 0)');
      database.exec('BEGIN IMMEDIATE');
      for (let index = 0; index < BAD_PRODUCTS; index += 1) insert.run(`new-${index}`);
      database.exec('COMMIT');
    });
  }

  /** How many products there are, and how many of them have no price. */
  products(): { readonly all: number; readonly unpriced: number } {
    const query = 'SELECT count(*) AS "all", sum(cents = 0) AS unpriced FROM products';
    return this.inDatabase((database) => ({ ...(database.prepare(query).get() as { all: number; unpriced: number }) }));
  }

  orders(): number {
    return this.inDatabase(
      (database) => (database.prepare('SELECT count(*) AS orders FROM orders').get() as { orders: number }).orders,
    );
  }

  inDatabase<T>(use: (database: DatabaseSync) => T): T {
    const database = new DatabaseSync(PATHS.database, { timeout: 10_000 });
    try {
      return use(database);
    } finally {
      database.close();
    }
  }

  /** What the service itself says; undefined while it does not answer. */
  async state(): Promise<StorefrontState | undefined> {
    const response = await fetch(`${URL}/state`).catch(() => undefined);
    return response?.ok === true ? ((await response.json()) as StorefrontState) : undefined;
  }

  async untilState(what: string, isSo: (state: StorefrontState) => boolean): Promise<void> {
    const look = async () => {
      const state = await this.state();
      return state !== undefined && isSo(state) ? true : undefined;
    };
    await until(what, look, PATIENCE_MS);
  }

  /** Resolves when the daemon has looked so many times from now on. */
  async untilScraped(times: number): Promise<void> {
    const from = (await this.state())?.scrapes ?? 0;
    await this.untilState(`it was looked at ${times} times`, ({ scrapes }) => scrapes - from >= times);
  }

  env(): string {
    return readFileSync(PATHS.env, 'utf8');
  }

  /** The commit that the checkout is at. */
  head(): string {
    return runGitIn(PATHS.checkout, ['rev-parse', 'HEAD']);
  }

  /** The folder that is published, by the name of its commit. */
  published(): string {
    return realpathSync(PATHS.release);
  }

  /** Another with each start of the unit. */
  async life(): Promise<string> {
    return await property(UNIT, 'InvocationID');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#load[Symbol.dispose]();
    for (const gate of [PATHS.holdStart, PATHS.holdStop]) rmSync(gate, { force: true });
    await done(`systemctl stop ${UNIT}`);
    await this.exchange[Symbol.asyncDispose]();
    rmSync(`/run/systemd/system/${UNIT}`);
    // What is being ended may write once more.
    rmSync(FOLDER, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
    await done('systemctl daemon-reload');
  }
}

function revision(pricing: string): Readonly<Record<string, string>> {
  const source = (name: string) => readFileSync(join(SOURCES, name), 'utf8');
  return { 'server.ts': source('server.ts'), 'pricing.ts': source(pricing) };
}

/** And the dump of its products, as people make one before an import. */
function createDatabase(): void {
  const products = Array.from({ length: GOOD_PRODUCTS }, (_, index) => `('old-${index}', ${100 + index})`).join(', ');
  const fill = `DELETE FROM products;\nINSERT INTO products (sku, cents) VALUES ${products};\n`;
  const database = new DatabaseSync(PATHS.database);
  database.exec(`PRAGMA journal_mode = WAL;
    CREATE TABLE products (sku TEXT PRIMARY KEY, cents INTEGER NOT NULL);
    CREATE TABLE orders (id INTEGER PRIMARY KEY, sku TEXT NOT NULL, cents INTEGER NOT NULL);
    ${fill}`);
  database.close();
  writeFileSync(PATHS.dump, fill);
}

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { done, until } from '../installed-host.ts';
import { type PostgresServer, startPostgres } from '../postgres.ts';
import { type RealEngine, startPodman } from '../real-engines.ts';
import { CONTAINER_STACKS, ContainerStack, NEIGHBOURS_PORT, type Release, type Service } from './container-stack.ts';
import { type Inbox, openInbox } from './inbox.ts';
import { type Change, mutatePolicies } from './mutate-pack.ts';

/** A user that every Debian has. */
const ROLES = { dba: { users: ['daemon'] } };
const NEIGHBOURS = 'container-neighbours.service';

/** One engine and one PostgreSQL for stacks side by side; each has containers, a database and a daemon of its own. */
export class ContainerStage implements AsyncDisposable {
  readonly #engine: RealEngine;
  readonly #postgres: PostgresServer;
  readonly #inbox: Inbox;
  #started = 0;

  private constructor(engine: RealEngine, postgres: PostgresServer, inbox: Inbox) {
    this.#engine = engine;
    this.#postgres = postgres;
    this.#inbox = inbox;
  }

  static async open(): Promise<ContainerStage> {
    mkdirSync(CONTAINER_STACKS, { recursive: true });
    const program = join(import.meta.dirname, 'neighbours.ts');
    const argv = `${process.execPath} ${program} ${CONTAINER_STACKS} ${NEIGHBOURS_PORT}`;
    await done(`systemd-run --quiet --collect --unit=${NEIGHBOURS} -- ${argv}`);
    const opened = await Promise.all([startPodman(), startPostgres(), openInbox()]);
    const url = `http://127.0.0.1:${NEIGHBOURS_PORT}/ui/any`;
    await until('the neighbours answer', async () => await fetch(url).catch(() => undefined));
    return new ContainerStage(...opened);
  }

  async start(name: string, services: readonly Service[], release: Release = {}): Promise<ContainerStack> {
    this.#started += 1;
    const index = this.#started;
    await this.psql(`CREATE DATABASE "${name}"`);
    const database = this.#postgres.dsn(name);
    await this.psql("CREATE TABLE memories (content text); INSERT INTO memories VALUES ('the first')", database);
    const { inbox, engine } = { inbox: this.#inbox, engine: this.#engine };
    const stack = new ContainerStack({
      name,
      index,
      engine,
      inbox,
      database,
      roles: ROLES,
      services: ['mem0', 'mcp', ...services],
    });
    await stack.start(release);
    return stack;
  }

  async psql(sql: string, database = this.#postgres.dsn()): Promise<string> {
    return await done(
      `psql --no-psqlrc --quiet --tuples-only --no-align '${database}' --command '${sql.replaceAll("'", `'\\''`)}'`,
    );
  }

  /** In the database of a stack. */
  async psqlOf(stack: ContainerStack, sql: string): Promise<string> {
    return await this.psql(sql, this.#postgres.dsn(stack.name));
  }

  /** A pack for `guard(name)` in which these policies, each in its file, are changed. */
  mutate(name: string, policies: Readonly<Record<string, string>>, change: Change): void {
    mutatePolicies('mem0-stack', policies, join(CONTAINER_STACKS, `pack-${name}`), change);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await done(`systemctl stop ${NEIGHBOURS}`);
    await this.#inbox[Symbol.asyncDispose]();
    await this.#postgres[Symbol.asyncDispose]();
    await this.#engine[Symbol.asyncDispose]();
  }
}

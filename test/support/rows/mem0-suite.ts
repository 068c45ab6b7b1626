import { join } from 'node:path';
import { done } from '../installed-host.ts';
import { type PostgresServer, startPostgres } from '../postgres.ts';
import { type Inbox, openInbox } from './inbox.ts';
import type { Mem0Faults } from './mem0-service.ts';
import { installStacks, Mem0Stack, removeStacks, STACKS } from './mem0-stack.ts';
import { type Change, mutatePack } from './mutate-pack.ts';

export type Given = {
  readonly faults?: Mem0Faults;
  readonly hasInterface?: boolean;
  readonly isUsed?: boolean;
  /** What becomes of the policy `mem0-service`. */
  readonly change?: Change;
};

/** Stacks side by side: each has services, a database and a daemon of its own. */
export class Mem0Suite implements AsyncDisposable {
  readonly #postgres: PostgresServer;
  readonly #inbox: Inbox;
  #started = 0;

  private constructor(postgres: PostgresServer, inbox: Inbox) {
    this.#postgres = postgres;
    this.#inbox = inbox;
  }

  static async open(): Promise<Mem0Suite> {
    await installStacks();
    return new Mem0Suite(await startPostgres(), await openInbox());
  }

  /** Services with their load, and no daemon yet. */
  async start(
    name: string,
    { faults = {}, hasInterface = false, isUsed = true, change }: Given = {},
  ): Promise<Mem0Stack> {
    this.#started += 1;
    const index = this.#started;
    const mutant = join(STACKS, `pack-${name}`);
    const policies =
      change === undefined ? undefined : mutatePack('mem0-stack', 'service.yaml', 'mem0-service', mutant, change);
    await done(`psql --no-psqlrc --quiet '${this.#postgres.dsn()}' --command 'CREATE DATABASE "${name}"'`);
    const database = this.#postgres.dsn(name);
    const stack = new Mem0Stack({ name, index, database, inbox: this.#inbox, policies, hasInterface, isUsed });
    await stack.start(faults);
    return stack;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await removeStacks();
    await this.#inbox[Symbol.asyncDispose]();
    await this.#postgres[Symbol.asyncDispose]();
  }
}

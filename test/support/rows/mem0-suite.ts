import { done } from '../installed-host.ts';
import { type PostgresServer, startPostgres } from '../postgres.ts';
import { type Inbox, openInbox } from './inbox.ts';
import { installStacks, Mem0Stack, removeStacks } from './mem0-stack.ts';

type Given = { readonly policies?: string | undefined; readonly hasInterface?: boolean };

/** Stacks side by side: each has services, a database and a daemon of its own. */
export class Mem0Suite implements AsyncDisposable {
  readonly #postgres: PostgresServer;
  readonly #inbox: Inbox;
  readonly #stacks: Mem0Stack[] = [];

  private constructor(postgres: PostgresServer, inbox: Inbox) {
    this.#postgres = postgres;
    this.#inbox = inbox;
  }

  static async open(): Promise<Mem0Suite> {
    await installStacks();
    return new Mem0Suite(await startPostgres(), await openInbox());
  }

  async stack(name: string, { policies, hasInterface = false }: Given = {}): Promise<Mem0Stack> {
    await done(`psql --no-psqlrc --quiet '${this.#postgres.dsn()}' --command 'CREATE DATABASE "${name}"'`);
    const stack = new Mem0Stack({
      name,
      index: this.#stacks.length,
      database: this.#postgres.dsn(name),
      inbox: this.#inbox,
      hasInterface,
      ...(policies === undefined ? {} : { policies }),
    });
    this.#stacks.push(stack);
    return stack;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#stacks.map((stack) => stack.stop()));
    await removeStacks();
    await this.#inbox[Symbol.asyncDispose]();
    await this.#postgres[Symbol.asyncDispose]();
  }
}

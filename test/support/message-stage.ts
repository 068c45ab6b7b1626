import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Event } from '../../src/core/event.ts';
import { remember } from '../../src/core/evolve.ts';
import type { PolicyFile } from '../../src/core/model/revision.ts';
import type { Millis } from '../../src/core/units.ts';
import { renderReport } from '../../src/daemon/reports.ts';
import { createAllowList } from '../../src/drivers/allow-list.ts';
import { createSend } from '../../src/drivers/notifiers/registry.ts';
import { createSecretResolver } from '../../src/drivers/secrets.ts';
import { isRevisionPath } from '../../src/policy/policy-paths.ts';
import { loadTests } from '../../src/policytest/load-tests.ts';
import { runTest } from '../../src/policytest/run-test.ts';
import { Store } from '../../src/store/store.ts';
import { type MailServer, type ReceivedMail, startMailServer } from './mail-server.ts';
import { type Received, type RecordingServer, startServer } from './recording-server.ts';

const PACKS = join(import.meta.dirname, '../../policies');

/** What a receiver got: the time since the incident was opened, in minutes, and what it was sent. */
export type Arrived = {
  readonly atMinutes: number;
  readonly notifier: string;
  readonly topic: string;
  readonly post?: Received;
  readonly mail?: ReceivedMail;
};

/**
 * Real receivers for a pack's messages. Hours pass in a PolicyTest of the pack, decided by the real `decide`; whatever it
 * has sent goes through the real drivers to an HTTP server and an SMTP server on loopback, with the pack's own words.
 */
export class MessageStage {
  readonly #folder = mkdtempSync(join(tmpdir(), 'revertd-messages-'));
  readonly #http: RecordingServer;
  readonly #mail: MailServer;

  private constructor(http: RecordingServer, mail: MailServer) {
    this.#http = http;
    this.#mail = mail;
  }

  static async open(): Promise<MessageStage> {
    return new MessageStage(await startServer((_request, response) => response.end('ok')), await startMailServer());
  }

  /** Lives through the pack's test and delivers all that is sent. `change` breaks the pack. */
  async live(pack: string, testName: string, change: (text: string) => string = (text) => text): Promise<Arrived[]> {
    const files = readPack(pack).map((file) => this.#pointed(file, change));
    const { tests, diagnostics } = loadTests(files, { variables: {}, labels: {} });
    const test = tests.find(({ name }) => name === testName);
    if (test === undefined) throw new Error(`${testName} is not among the tests: ${JSON.stringify(diagnostics)}`);
    const { log } = runTest(test);
    const openedAt = log.find((event) => event.type === 'incident.opened')?.at ?? 0;
    const arrived: Arrived[] = [];
    for (const event of log) {
      if (event.type !== 'operation.planned' || event.operation.action.kind !== 'notify') continue;
      const { notifier: name, notification } = event.operation.action;
      const notifier = test.desired.notifiers[name];
      if (notifier === undefined) throw new Error(`there is no notifier ${name}`);
      const report = notification.topic === 'report' ? { report: this.#report(log) } : {};
      const [posts, mails] = [this.#http.received.length, this.#mail.received.length];
      const delivery = await createSend({ allow: createAllowList({}) })(
        notifier,
        { ...notification, host: 'web-1', ...report },
        { signal: AbortSignal.timeout(10_000), secrets: this.#secrets, now: () => event.at },
      );
      if (delivery.outcome !== 'delivered') throw new Error(`${name}: ${delivery.detail}`);
      const [post, mail] = [this.#http.received[posts], this.#mail.received[mails]];
      arrived.push({
        atMinutes: toMinutes(event.at - openedAt),
        notifier: name,
        topic: notification.topic,
        ...(post === undefined ? {} : { post }),
        ...(mail === undefined ? {} : { mail }),
      });
    }
    return arrived;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#http[Symbol.asyncDispose](), this.#mail[Symbol.asyncDispose]()]);
    rmSync(this.#folder, { recursive: true });
  }

  /** The credentials are addresses of the receiver, one for each name that the pack uses. */
  get #secrets() {
    return createSecretResolver({ CREDENTIALS_DIRECTORY: this.#folder });
  }

  /** Only addresses are changed: where the mail server of the host listens, and where webhooks lead. */
  #pointed({ path, bytes }: PolicyFile, change: (text: string) => string): PolicyFile {
    const text = new TextDecoder().decode(bytes);
    for (const [, name = ''] of text.matchAll(/credential: ([\w.-]+)/g)) {
      writeFileSync(join(this.#folder, name), `${this.#http.url}/${name}\n`);
    }
    const pointed = text
      .replaceAll('smtp://localhost:25', `smtp://127.0.0.1:${this.#mail.port}`)
      .replaceAll(/agentsStatusUrl: http\S+/g, `agentsStatusUrl: ${this.#http.url}/agents`);
    return { path, bytes: new TextEncoder().encode(path.startsWith('tests/') ? pointed : change(pointed)) };
  }

  #report(log: readonly Event[]) {
    const store = new Store(mkdtempSync(join(this.#folder, 'store-')));
    try {
      store.commit({ events: log, actor: 'revertd', memory: remember(log) });
      const report = renderReport(store, 'INC-1', 'web-1');
      if (report === undefined) throw new Error('there is no report of INC-1');
      return report;
    } finally {
      store.close();
    }
  }
}

function readPack(pack: string): PolicyFile[] {
  const folder = join(PACKS, pack);
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter(isRevisionPath)
    .map((path) => ({ path, bytes: readFileSync(join(folder, path)) }));
}

function toMinutes(spanMs: Millis): number {
  return Math.round(spanMs / 6_000) / 10;
}

/** `15m oncall update`, as tests list what arrived. */
export function listed(arrived: readonly Arrived[], topics: readonly string[]): string[] {
  return arrived
    .filter(({ topic }) => topics.includes(topic))
    .map(({ atMinutes, notifier, topic }) => `${atMinutes}m ${notifier} ${topic}`);
}

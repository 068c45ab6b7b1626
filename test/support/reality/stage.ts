import { basename } from 'node:path';
import type { IncidentStatus, Status } from '../../../src/server/status.ts';
import { done, until } from '../installed-host.ts';
import { type Inbox, type Letter, openInbox } from '../rows/inbox.ts';
import { InstalledRevertd, type Logged } from './installed-revertd.ts';
import { policyFiles } from './policies.ts';
import { PATIENCE_MS, Storefront } from './storefront.ts';

/** Who has which role is said by the host; erin has none. */
export const PEOPLE = ['carol', 'dan', 'erin'] as const;

/** The storefront, revertd as it is installed, the people, and what they receive. */
export class Stage implements AsyncDisposable {
  readonly storefront: Storefront;
  readonly revertd: InstalledRevertd;
  readonly inbox: Inbox;

  private constructor(storefront: Storefront, revertd: InstalledRevertd, inbox: Inbox) {
    this.storefront = storefront;
    this.revertd = revertd;
    this.inbox = inbox;
  }

  /** Resolves when revertd is there and all is well. `changes` are policies that differ from the usual ones. */
  static async open(changes: Readonly<Record<string, string>>, recommends = true): Promise<Stage> {
    const [inbox, storefront] = await Promise.all([openInbox(), Storefront.open(recommends)]);
    const configuration = {
      host: { name: 'storefront' },
      roles: { manager: { users: ['carol'] }, dba: { users: ['dan'] } },
      containers: { socket: storefront.exchange.socket },
    };
    const revertd = await InstalledRevertd.install(configuration, { ...policyFiles(inbox.url), ...changes });
    for (const name of PEOPLE) await done(`useradd --create-home ${name}; usermod --append --groups revertd ${name}`);
    await revertd.start();
    const stage = new Stage(storefront, revertd, inbox);
    await stage.untilGood(storefront.head());
    return stage;
  }

  async untilGood(commit: string): Promise<void> {
    await this.revertd.untilEvent(
      `${commit} proves good`,
      'Target/storefront-code',
      (event) => event.type === 'target.good' && event.revision.commit === commit,
    );
  }

  /** Resolves with an incident in one of these states. */
  async untilIncident(id: string, ...states: readonly string[]): Promise<IncidentStatus> {
    const look = async () => {
      const response = await fetch('http://127.0.0.1:7433/api/v1/incidents').catch(() => undefined);
      if (response?.ok !== true) return undefined;
      const { incidents } = (await response.json()) as { incidents: readonly IncidentStatus[] };
      return incidents.find((incident) => incident.id === id && states.includes(incident.state));
    };
    return await until(`${id} is ${states.join(' or ')}`, look, PATIENCE_MS);
  }

  /** Resolves with the incident for which people are asked to agree to something. */
  async untilAsked(): Promise<IncidentStatus> {
    const asking = ({ incidents }: Status) => incidents.find(({ request }) => (request?.digest ?? null) !== null);
    const status = await this.revertd.untilStatus('people are asked', (now) => asking(now) !== undefined);
    const incident = asking(status);
    if (incident === undefined) throw new Error('nobody is asked');
    return incident;
  }

  /** Those two have the roles that the last rung asks for. */
  async agree(id: string): Promise<void> {
    for (const who of ['carol', 'dan']) {
      const { code, stderr } = await this.revertd.as(who, `incidents approve ${id}`);
      if (code !== 0) throw new Error(`${who} may not agree: ${stderr}`);
    }
  }

  async incident(id: string): Promise<readonly Logged[]> {
    return await this.revertd.events(`Incident/${id}`);
  }

  async report(id: string): Promise<string> {
    return await until(`the report of ${id}`, async () => {
      const written = (await this.incident(id)).find((event) => event.type === 'report.written');
      return written === undefined ? undefined : await done(`cat /var/lib/revertd/reports/${basename(written.path)}`);
    });
  }

  letters(receiver: string): readonly Letter[] {
    return this.inbox.letters(`/${receiver}`);
  }

  async untilTold(receiver: string, topic: string, words: string): Promise<Letter> {
    const isIt = (letter: Letter) => letter.topic === topic && letter.words.includes(words);
    return await until(`${receiver} is told of ${topic}`, async () => this.letters(receiver).find(isIt), PATIENCE_MS);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.revertd[Symbol.asyncDispose]();
    await this.storefront[Symbol.asyncDispose]();
    await this.inbox[Symbol.asyncDispose]();
    for (const name of PEOPLE) await done(`userdel --remove ${name} 2> /dev/null`);
  }
}

/** What an incident went through, a line each, without messages and operations. */
export function pathOf(events: readonly Logged[]): readonly string[] {
  return events.flatMap((event) => {
    switch (event.type) {
      case 'rung.entered':
      case 'rung.skipped':
      case 'rung.failed':
        return [`${event.type} ${event.name}`];
      case 'approval.given':
        return [`${event.type} ${event.approval.subject}`];
      case 'step.finished':
        return [`${event.type} ${event.result.outcome}`];
      case 'verification.ended':
      case 'incident.closed':
        return [`${event.type} ${event.outcome}`];
      case 'hold.placed':
      case 'hold.lifted':
      case 'notification.queued':
      case 'operation.planned':
      case 'operation.running':
      case 'operation.finished':
      case 'verification.turned':
      case 'report.written':
      case 'incident.forgotten':
        return [];
      default:
        return [event.type];
    }
  });
}

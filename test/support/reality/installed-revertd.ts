import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { stringify } from 'yaml';
import type { Event } from '../../../src/core/event.ts';
import type { Status } from '../../../src/server/status.ts';
import { type Change, makeRepository } from '../../tools/git-repository.ts';
import { commandsOf, done, type Ended, property, shell, until } from '../installed-host.ts';
import { PATIENCE_MS } from './storefront.ts';

const POLICIES = '/srv/storefront-policies';
const API = 'http://127.0.0.1:7433/api/v1';
/** Where the root suite has the package once more, since the guide's last section removes it from its place. */
const SPARE_PACKAGE = '/srv/revertd-package';

export type Logged = Event & { readonly seq: number; readonly actor: string; readonly text: string };

/** revertd as docs/install.md installs it: the package, its own unit, its configuration, policies in a git repository. */
export class InstalledRevertd implements AsyncDisposable {
  readonly #policies = makeRepository(POLICIES);
  readonly #isPlaced: boolean;

  private constructor(isPlaced: boolean) {
    this.#isPlaced = isPlaced;
  }

  static async install(configuration: object, policies: Readonly<Record<string, Change>>): Promise<InstalledRevertd> {
    const isPlaced = await placePackage();
    await done(commandsOf('The service', POLICIES));
    mkdirSync('/etc/revertd', { recursive: true });
    const own = {
      source: { url: POLICIES, branch: 'main', interval: '1s' },
      server: { socket: '/run/revertd/control.sock' },
    };
    writeFileSync('/etc/revertd/revertd.yaml', stringify({ ...own, ...configuration }));
    const revertd = new InstalledRevertd(isPlaced);
    revertd.#policies.commit(policies);
    return revertd;
  }

  async start(): Promise<void> {
    await done(commandsOf('Start', POLICIES));
  }

  /** Commits to the policies; resolves when the daemon follows them. */
  async follow(policies: Readonly<Record<string, Change>>, message: string): Promise<void> {
    const sha = this.#policies.commit(policies, message);
    await done('systemctl reload revertd');
    await this.untilStatus(`${message} is in force`, ({ revision }) => revision?.includes(sha) === true);
  }

  async status(): Promise<Status> {
    return await get<Status>('status');
  }

  /** Faults of a daemon that is just starting, or was just killed, do not count. */
  async untilStatus(what: string, isSo: (status: Status) => boolean): Promise<Status> {
    const look = async () => {
      const status = await this.status().catch(() => undefined);
      return status !== undefined && isSo(status) ? status : undefined;
    };
    return await until(what, look, PATIENCE_MS);
  }

  /** What happened to an object, such as `Incident/INC-1`, in its order. */
  async events(subject: string): Promise<readonly Logged[]> {
    return (await get<{ events: Logged[] }>(`events?limit=1000&subject=${encodeURIComponent(subject)}`)).events;
  }

  async untilEvent(what: string, subject: string, is: (event: Logged) => boolean): Promise<Logged> {
    const look = async () => (await this.events(subject).catch(() => [])).find(is);
    return await until(what, look, PATIENCE_MS);
  }

  /** Resolves when no brake holds the policy any more. */
  async untilFree(policy: string): Promise<void> {
    const look = async () => ((await shell(`revertd rollback ${policy} --dry-run`)).code === 0 ? true : undefined);
    await until(`${policy} may act`, look, PATIENCE_MS);
  }

  /** What a person does at the command line. */
  async as(user: string, command: string): Promise<Ended> {
    return await shell(`revertd ${command}`, user);
  }

  /** As a crash ends it; the result waits until systemd has started it again. */
  async kill(): Promise<() => Promise<void>> {
    const before = Number(await property('revertd', 'NRestarts'));
    await done('systemctl kill --kill-whom=main --signal=KILL revertd');
    const look = async () =>
      Number(await property('revertd', 'NRestarts')) > before && (await property('revertd', 'ActiveState')) === 'active'
        ? true
        : undefined;
    return async () => {
      await until('systemd has started it again', look, PATIENCE_MS);
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await done('systemctl disable --now revertd');
    const units = '/etc/systemd/system/revertd.service';
    for (const path of [units, '/usr/local/bin/revertd', '/etc/sysusers.d/revertd.conf', POLICIES]) {
      rmSync(path, { recursive: true, force: true });
    }
    rmSync('/etc/revertd', { recursive: true });
    rmSync('/var/lib/revertd', { recursive: true });
    await done(`systemctl daemon-reload; groupdel revertd; ${this.#isPlaced ? 'umount /opt/revertd' : ''}`);
  }
}

/** Whether it had to be put there, and is to be taken away again. */
async function placePackage(): Promise<boolean> {
  if (existsSync('/opt/revertd/node_modules/revertd')) return false;
  await done(`mount --bind ${SPARE_PACKAGE} /opt/revertd`);
  return true;
}

async function get<T>(path: string): Promise<T> {
  const response = await fetch(`${API}/${path}`);
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return (await response.json()) as T;
}

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { done, type Ended, shell, until } from '../installed-host.ts';

const MAIN = join(import.meta.dirname, '../../../src/main.ts');
const REVERTD = `${process.execPath} --disable-warning=ExperimentalWarning ${MAIN}`;

/** A busy machine takes its time. */
const PATIENCE_MS = 60_000;

export type PackRun = {
  /** Also the unit's: `revertd-NAME`. */
  readonly name: string;
  /** Where the daemon keeps what is its own. */
  readonly folder: string;
  readonly port: number;
  readonly policies: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** Only those that the pack's README documents. */
  readonly variables: Readonly<Record<string, string>>;
  readonly credentials: Readonly<Record<string, string>>;
  /** Who has which role on this host. */
  readonly roles?: Readonly<Record<string, object>>;
  /** The socket of the containers' engine, if there are any. */
  readonly engine?: string;
};

/** A daemon that follows a pack, as a unit of its own. Nothing is asked of it but whether it is ready. */
export async function startPackDaemon(run: PackRun): Promise<void> {
  const { name, folder, port, policies, labels = {}, variables, credentials, roles = {}, engine } = run;
  const config = configOf(run);
  mkdirSync(join(folder, 'credentials'), { recursive: true });
  for (const [key, value] of Object.entries(credentials)) writeFileSync(join(folder, 'credentials', key), value);
  writeFileSync(
    config,
    stringify({
      source: { url: policies, watch: 'folder' },
      dataDir: join(folder, 'data'),
      server: { listen: `127.0.0.1:${port}` },
      host: { name, labels, variables },
      roles,
      ...(engine === undefined ? {} : { containers: { socket: engine, compose: ['docker-compose'] } }),
    }),
  );
  const load = Object.keys(credentials).map((key) => `-p LoadCredential=${key}:${join(folder, 'credentials', key)}`);
  await done(
    `systemd-run --quiet --collect --unit=${unitOf(name)} ${load.join(' ')} -- ${REVERTD} run --config ${config}`,
  );
  try {
    await until(`${unitOf(name)} is ready`, () => isReady(port), PATIENCE_MS);
  } catch (error) {
    const said = await done(`journalctl --unit ${unitOf(name)} --output cat`);
    throw new Error(`${unitOf(name)} did not start:\n${said}`, { cause: error });
  }
}

/** What a person at the host does, whatever comes of it. */
export async function command(run: Pick<PackRun, 'folder'>, ...words: readonly string[]): Promise<Ended> {
  return await shell(`${REVERTD} ${words.join(' ')} --config ${configOf(run)}`);
}

/** What a user types whose group is root's, which may open the daemon's socket. */
export async function commandAs(
  user: string,
  run: Pick<PackRun, 'folder'>,
  ...words: readonly string[]
): Promise<Ended> {
  const who = `setpriv --reuid ${user} --regid root --clear-groups`;
  return await shell(`${who} -- ${REVERTD} ${words.join(' ')} --config ${configOf(run)}`);
}

function configOf({ folder }: Pick<PackRun, 'folder'>): string {
  return join(folder, 'revertd.yaml');
}

export async function stopPackDaemon(name: string): Promise<void> {
  await done(`systemctl stop ${unitOf(name)} || true`);
}

function unitOf(name: string): string {
  return `revertd-${name}.service`;
}

async function isReady(port: number): Promise<true | undefined> {
  const response = await fetch(`http://127.0.0.1:${port}/health/ready`).catch(() => undefined);
  return response?.status === 200 ? true : undefined;
}
